// A face: the person's picture, or the initials of the name on a colour of its own.

import { h } from './dom.js';
import { image } from './api.js';
import { line } from './safe.js';

// Hues that differ at a glance, and of which none is mud.
const hues = [5, 28, 138, 162, 186, 212, 240, 266, 292, 318, 342];

const first = (word) => [...new Intl.Segmenter().segment(word)][0]?.segment.toUpperCase() ?? '';

function initials(name) {
	const words = line(name).trim().split(' ').filter((one) => /^[\p{L}\p{N}]/u.test(one));
	if (!words.length) return first(line(name).trim()) || '?';
	return words.length > 1 ? first(words[0]) + first(words.at(-1)) : first(words[0]);
}

export function avatar(person, kind = 'none', words = '') {
	const circle = h('span', { class: 'avatar', 'aria-hidden': words ? null : 'true' }, h('span', { class: 'letter', 'aria-hidden': 'true' }, initials(person.title || person.name || '?')));
	let hash = 2166136261;
	for (const c of person.name ?? '') hash = Math.imul(hash ^ c.codePointAt(0), 16777619) >>> 0;
	circle.style.setProperty('--hue', hues[(hash >>> 3) % hues.length]);
	if (person.hasPicture) image(`/picture/${encodeURIComponent(person.isMe ? '' : person.name)}`).then((url) => { if (url) circle.replaceChild(h('img', { src: url, alt: '' }), circle.firstChild); });
	if (kind !== 'none') circle.append(h('span', { class: `presence presence-${kind}`, role: 'img', 'aria-label': words, title: words }));
	return circle;
}
