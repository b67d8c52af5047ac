// Elements made from values. Nothing here reads markup: what people wrote becomes text nodes.

const SVG = 'http://www.w3.org/2000/svg';

// h('button', {class: 'x', onclick: f, 'aria-label': t}, 'text', node, null, [more])
export function h(name, attributes = {}, ...children) {
	const element = document.createElement(name);
	for (const [key, value] of Object.entries(attributes)) set(element, key, value);
	append(element, children);
	return element;
}

export function set(element, key, value) {
	if (value === undefined || value === null || value === false) {
		if (!key.startsWith('on')) element.removeAttribute(key);
	} else if (key.startsWith('on')) element.addEventListener(key.slice(2), value);
	else if (key === 'value') element.value = value;
	else if (key === 'checked' || key === 'disabled' || key === 'hidden' || key === 'indeterminate') element[key] = value;
	else element.setAttribute(key, value === true ? '' : value);
}

function append(element, children) {
	for (const child of children) {
		if (child === null || child === undefined || child === false) continue;
		if (Array.isArray(child)) append(element, child);
		else element.append(child);
	}
}

export function fill(element, ...children) {
	element.replaceChildren();
	append(element, children);
	return element;
}

// Drawn by us, so that no font of icons is needed: paths on a grid of 24.
const paths = {
	back: 'M15 5l-7 7 7 7',
	search: 'M11 4a7 7 0 1 0 0 14 7 7 0 0 0 0-14zM16.2 16.2L21 21',
	plus: 'M12 5v14M5 12h14',
	more: 'M5 12h.01M12 12h.01M19 12h.01',
	clip: 'M8 12.5l6.5-6.5a3 3 0 0 1 4.3 4.3l-8.3 8.2a5 5 0 0 1-7-7L11 4',
	smile: 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM8.5 14a4.5 4.5 0 0 0 7 0M9 9.5h.01M15 9.5h.01',
	send: 'M4 12l16-8-6 16-3-7z',
	close: 'M6 6l12 12M18 6L6 18',
	reply: 'M9 7l-5 5 5 5M4 12h9a7 7 0 0 1 7 7',
	edit: 'M4 20h4L19 9l-4-4L4 16zM13.5 6.5l4 4',
	forward: 'M15 7l5 5-5 5M20 12h-9a7 7 0 0 0-7 7',
	copy: 'M9 9h11v11H9zM5 15H4V4h11v1',
	trash: 'M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13',
	info: 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM12 11v6M12 7.5h.01',
	settings: 'M4 7h10M18 7h2M4 12h2M10 12h10M4 17h8M16 17h4M16 5v4M8 10v4M14 15v4',
	devices: 'M3 5h12v9H3zM1 18h12M17 9h5v10h-5z',
	shield: 'M12 3l7 3v5c0 5-3 8-7 10-4-2-7-5-7-10V6zM9 12l2 2 4-4',
	file: 'M7 3h7l4 4v14H7zM14 3v4h4',
	folder: 'M3 6h6l2 2h10v11H3z',
	download: 'M12 4v11M7 11l5 5 5-5M5 20h14',
	pause: 'M9 5v14M15 5v14',
	play: 'M8 5l11 7-11 7z',
	down: 'M6 9l6 6 6-6',
	clock: 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM12 7v5l3 2',
	tick: 'M5 12.5l4.5 4.5L19 7',
	ticks: 'M2 12.5l4.5 4.5L15 8M11 16l1 1L21.500 7.500',
	warn: 'M12 4l9 16H3zM12 10v4M12 17h.01',
	timer: 'M12 7a7 7 0 1 0 0 14 7 7 0 0 0 0-14zM12 11v3l2 1M9 3h6',
	person: 'M12 4a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM4 21a8 8 0 0 1 16 0',
	link: 'M10 14a4 4 0 0 0 6 .5l3-3a4 4 0 0 0-5.700-5.700L12 7M14 10a4 4 0 0 0-6-.5l-3 3a4 4 0 0 0 5.700 5.700L12 17',
	bot: 'M5 9h14v10H5zM12 9V5M9.500 14h.01M14.500 14h.01M3 13v3M21 13v3M12 4h.01',
	bell: 'M6 17V11a6 6 0 0 1 12 0v6l2 2H4zM10 21h4',
	block: 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM6 6l12 12',
};

export function icon(name, words) {
	const svg = document.createElementNS(SVG, 'svg');
	const path = document.createElementNS(SVG, 'path');
	svg.setAttribute('viewBox', '0 0 24 24');
	svg.setAttribute('class', `icon icon-${name}`);
	if (words) {
		svg.setAttribute('role', 'img');
		svg.setAttribute('aria-label', words);
	} else svg.setAttribute('aria-hidden', 'true');
	path.setAttribute('d', paths[name]);
	svg.append(path);
	return svg;
}

export function button(words, picture, onclick, attributes = {}) {
	return h('button', { type: 'button', class: 'round', title: words, 'aria-label': words, onclick, ...attributes }, icon(picture));
}

// Told to a person who listens, and once only.
export function say(words) {
	const place = document.getElementById('said');
	place.textContent = '';
	requestAnimationFrame(() => { place.textContent = words; });
}
