// The conversations, the newest first, with who is there and what was not read.

import { h, fill, icon } from './dom.js';
import { _, n_, lately, moment } from './text.js';
import { line } from './safe.js';
import { avatar } from './avatar.js';
import * as state from './state.js';

let list, filter, pick, add;
let filtered = '';

export const shownName = (name) => line(state.contacts.get(name)?.title || name);

export function presence(contact) {
	if (!contact || contact.state !== 'mutual') return ['none', ''];
	if (!contact.online && !contact.connected) return ['off', contact.lastSeen ? _('last seen %s', lately(contact.lastSeen)) : _('offline')];
	switch (contact.availability) {
	case 'away': return ['away', _('away')];
	case 'busy': return ['busy', _('busy')];
	default: return ['on', _('online')];
	}
}

export function makeList(onpick, onadd) {
	pick = onpick;
	add = onadd;
	list = h('ul', { class: 'conversations', 'aria-label': _('Conversations') });
	filter = h('input', { type: 'search', placeholder: _('Find a conversation'), 'aria-label': _('Find a conversation'), autocomplete: 'off', oninput: () => { filtered = filter.value.trim().toLowerCase(); draw(); }, onkeydown: (e) => {
		if (e.key === 'Enter') list.querySelector('[data-name]')?.click();
		if (e.key === 'ArrowDown') list.querySelector('[data-name]')?.focus();
	} });
	list.addEventListener('keydown', (e) => {
		const all = [...list.querySelectorAll('button')];
		const to = all[all.indexOf(document.activeElement) + { ArrowUp: -1, ArrowDown: 1 }[e.key]];
		if (to) {
			to.focus();
			e.preventDefault();
		}
	});
	let isDue = false;
	const soon = () => {
		if (isDue) return;
		isDue = true;
		requestAnimationFrame(() => {
			isDue = false;
			draw();
		});
	};
	state.watch('contacts', soon);
	state.watch('current', soon);
	setInterval(soon, 60000); // "12:30" becomes "Mon"
	soon();
	return [h('div', { class: 'filter' }, icon('search'), filter), list];
}

export const focusFilter = () => filter.focus();

function last(contact) {
	const c = state.conversations.get(contact.name);
	const m = c?.last;
	if (contact.typing) return h('span', { class: 'accent' }, _('types …'));
	if (state.proposals.some((one) => one.conversation === contact.name)) return h('span', { class: 'accent' }, _('a program waits for your word'));
	if (contact.state === 'requests') return contact.greeting ? line(contact.greeting) : _('wants to talk with you');
	if (c?.draft && c.name !== state.current) return [h('span', { class: 'accent' }, `${_('Draft:')} `), line(c.draft.slice(0, 200))];
	if (!m) return contact.state === 'asked' ? _('asked; has not answered yet') : '';
	const words = m.retracted ? _('(deleted)') : m.gone ? _('(not kept any more)') : m.text || (m.file ? `${m.file.hasThumbnail ? _('Image') : _('File')}: ${m.file.name}` : '');
	return [m.own && `${_('You')}: `, line(words.slice(0, 200))];
}

function draw() {
	const all = state.listed().filter((c) => !filtered || c.name.includes(filtered) || c.title?.toLowerCase().includes(filtered));
	const hadFocus = list.contains(document.activeElement) && document.activeElement.dataset.name;
	fill(list, all.map((contact) => {
		const [kind, words] = presence(contact);
		const m = state.conversations.get(contact.name)?.last;
		const isOpen = contact.name === state.current;
		return h('li', {}, h('button', { type: 'button', 'data-name': contact.name, 'aria-current': isOpen ? 'true' : null, onclick: () => pick(contact.name) },
			avatar(contact, kind, words),
			h('span', { class: 'entry' },
				h('span', { class: 'entry-top' }, h('b', { dir: 'auto' }, shownName(contact.name)), contact.bot && icon('bot', _('bot')), contact.verified && icon('shield', _('verified')), m && h('time', { title: moment(m.arrivedAt) }, lately(m.arrivedAt))),
				h('span', { class: 'entry-bottom' }, h('span', { class: 'last', dir: 'auto' }, last(contact)),
					contact.keyChanged && icon('warn', _('shows another key')),
					contact.state === 'requests' && h('span', { class: 'badge' }, _('asks')),
					contact.unread ? h('span', { class: 'badge', 'aria-label': n_('%d unread message', '%d unread messages', contact.unread) }, contact.unread > 999 ? '999+' : contact.unread) : null))));
	}));
	if (!all.length) list.append(h('li', { class: 'empty' }, filtered ? [icon('search'), _('Nobody of that name')] : [icon('person'), h('b', {}, _('No conversations yet.')), h('p', {}, _('Add somebody by name, or give them your own link.')), h('button', { type: 'button', class: 'main', onclick: add }, _('Add somebody'))]));
	if (hadFocus) list.querySelector(`[data-name="${CSS.escape(hadFocus)}"]`)?.focus();
}
