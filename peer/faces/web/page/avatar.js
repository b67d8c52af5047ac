// A face: the person's picture, or the first letter of the name on a colour of its own.

import { h } from './dom.js';
import { image } from './api.js';
import { line } from './safe.js';

export function avatar(person, kind = 'none', words = '') {
	const name = person.title || person.name || '?';
	const letter = [...new Intl.Segmenter().segment(line(name).trim())][0]?.segment.toUpperCase() ?? '?';
	const circle = h('span', { class: 'avatar', 'aria-hidden': words ? null : 'true' }, h('span', { class: 'letter', 'aria-hidden': 'true' }, letter));
	let hash = 2166136261;
	for (const c of person.name ?? '') hash = Math.imul(hash ^ c.codePointAt(0), 16777619) >>> 0;
	circle.style.setProperty('--hue', (hash * 137.508) % 360);
	if (person.hasPicture) image(`/picture/${encodeURIComponent(person.isMe ? '' : person.name)}`).then((url) => { if (url) circle.replaceChild(h('img', { src: url, alt: '' }), circle.firstChild); });
	if (kind !== 'none') circle.append(h('span', { class: `presence presence-${kind}`, role: 'img', 'aria-label': words, title: words }));
	return circle;
}
