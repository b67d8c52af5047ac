// A small palette of emoji with names to search by; the keyboards of systems have all the others.

import { h, fill } from './dom.js';
import { _ } from './text.js';
import { place, closeMenu } from './modal.js';

const all = () => [
	['👍', _('thumbs up')], ['👎', _('thumbs down')], ['❤️', _('heart')], ['😂', _('tears of joy')], ['😮', _('surprised')], ['😢', _('sad')], ['🙏', _('thanks')], ['🎉', _('party')],
	['😀', _('grin')], ['😄', _('happy')], ['😊', _('smile')], ['😉', _('wink')], ['😍', _('in love')], ['😘', _('kiss')], ['😎', _('cool')], ['🤔', _('thinking')], ['🙄', _('eye roll')], ['😴', _('asleep')],
	['😅', _('sweat')], ['🙂', _('slight smile')], ['🙃', _('upside down')], ['😇', _('angel')], ['🤗', _('hug')], ['🤫', _('hush')], ['🤯', _('mind blown')], ['🥳', _('celebrate')], ['😭', _('crying')], ['😡', _('angry')],
	['🤒', _('ill')], ['🤞', _('fingers crossed')], ['👏', _('applause')], ['🙌', _('hands up')], ['👋', _('wave')], ['🤝', _('handshake')], ['💪', _('strong')], ['👌', _('fine')], ['✌️', _('peace')], ['👀', _('eyes')],
	['✅', _('done')], ['❌', _('no')], ['❓', _('question')], ['❗', _('exclamation')], ['⭐', _('star')], ['🔥', _('fire')], ['✨', _('sparkles')], ['💡', _('idea')], ['🎂', _('cake')], ['🎁', _('present')],
	['☕', _('coffee')], ['🍺', _('beer')], ['🍷', _('wine')], ['🍕', _('pizza')], ['🥘', _('food')], ['🍎', _('apple')], ['🌞', _('sun')], ['🌧️', _('rain')], ['❄️', _('snow')], ['🌙', _('moon')],
	['🌹', _('rose')], ['🌳', _('tree')], ['🐶', _('dog')], ['🐱', _('cat')], ['🚗', _('car')], ['🚆', _('train')], ['✈️', _('plane')], ['🏠', _('house')], ['⏰', _('alarm')], ['📅', _('calendar')],
	['📎', _('paper clip')], ['📷', _('camera')], ['🎵', _('music')], ['⚽', _('football')], ['💻', _('computer')], ['📱', _('phone')], ['🔑', _('key')], ['🔒', _('lock')], ['💰', _('money')], ['🇪🇸', _('Spain')],
];

export const quick = ['👍', '❤️', '😂', '😮', '😢', '🙏'];

export function pickEmoji(at, onpick) {
	closeMenu();
	const grid = h('div', { class: 'emoji-grid', role: 'listbox', 'aria-label': _('Emoji') });
	const search = h('input', { type: 'search', placeholder: _('Search'), 'aria-label': _('Search emoji'), oninput: () => draw() });
	const draw = () => {
		const words = search.value.trim().toLowerCase();
		fill(grid, all().filter(([, name]) => !words || name.toLowerCase().includes(words)).map(([one, name]) => h('button', { type: 'button', role: 'option', 'aria-selected': 'false', title: name, 'aria-label': name, onclick: () => {
			closeMenu();
			onpick(one);
		} }, one)));
	};
	draw();
	const box = h('div', { class: 'menu emoji', onkeydown: (e) => {
		const list = [...grid.children];
		const i = list.indexOf(document.activeElement);
		const across = Math.max(1, list.findIndex((one, at) => at && one.offsetTop !== list[0].offsetTop));
		const to = { ArrowRight: i + 1, ArrowLeft: i - 1, ArrowDown: i < 0 ? 0 : i + across, ArrowUp: i - across }[e.key];
		if (e.key === 'Escape') {
			closeMenu();
			at.focus();
			e.stopPropagation();
		} else if (e.key === 'Enter' && e.target === search) list[0]?.click();
		else if (to !== undefined && (i >= 0 || e.key === 'ArrowDown')) {
			(list[to] ?? search).focus();
			e.preventDefault();
		}
	} }, search, grid);
	place(box, at);
}
