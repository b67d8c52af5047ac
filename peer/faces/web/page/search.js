// Search in all that was said.

import { h, fill } from './dom.js';
import { _, lately, moment } from './text.js';
import { call } from './api.js';
import { dialog, failed } from './modal.js';
import { avatar } from './avatar.js';
import { snippet } from './safe.js';
import { shownName } from './list.js';
import * as state from './state.js';

export function showSearch(go, within) {
	let asked = 0;
	const results = h('ul', { class: 'results' });
	const status = h('p', { class: 'mute', role: 'status' });
	const where = h('input', { type: 'checkbox', onchange: () => find() });
	const words = h('input', { type: 'search', autocomplete: 'off', 'aria-label': _('Words to find'), placeholder: _('Words to find'), autofocus: true });
	let close = () => {};
	const add = (messages) => results.append(...messages.map((m) => h('li', {}, h('button', { type: 'button', class: 'result', onclick: () => { close(); go(m); } },
		avatar(state.contacts.get(m.conversation) ?? { name: m.conversation }),
		h('span', { class: 'entry' },
			h('span', { class: 'entry-top' }, h('b', {}, shownName(m.conversation)), h('time', { title: moment(m.timestamp) }, lately(m.timestamp))),
			h('span', { class: 'words', dir: 'auto' }, m.own && `${_('You')}: `, snippet(m.snippet ?? m.text)))))));
	async function find(before) {
		const mine = ++asked;
		const query = words.value.trim();
		if (!query) return fill(results), fill(status);
		try {
			const r = await call('searchMessages', { query, limit: 50, ...(before ? { before } : {}), ...(where.checked ? { conversation: within } : {}) });
			if (mine !== asked) return;
			const hadFocus = results.contains(document.activeElement);
			if (!before) fill(results);
			results.querySelector('.more')?.remove();
			const from = results.children.length;
			add(r.messages);
			if (hadFocus) (results.children[from]?.querySelector('button') ?? words).focus();
			if (r.messages.length === 50 || r.more) results.append(h('li', { class: 'more' }, h('button', { type: 'button', class: 'plain', onclick: () => find(r.messages.at(-1).id) }, _('Older ones'))));
			status.textContent = results.children.length ? '' : _('Nothing found.');
		} catch (e) {
			if (e.kind !== 'format') return failed(e);
			fill(results);
			status.textContent = _('Nothing found.');
		}
	}
	let due;
	words.addEventListener('input', () => {
		clearTimeout(due);
		due = setTimeout(() => find(), 120);
	});
	words.addEventListener('keydown', (e) => {
		// else it would only empty the field
		if (e.key === 'Escape') {
			e.preventDefault();
			close();
		}
	});
	words.addEventListener('keydown', (e) => { if (e.key === 'ArrowDown' || e.key === 'Enter') { results.querySelector('button')?.focus(); e.preventDefault(); } });
	results.addEventListener('keydown', (e) => {
		const all = [...results.querySelectorAll('button')];
		const to = all[all.indexOf(document.activeElement) + { ArrowUp: -1, ArrowDown: 1 }[e.key]];
		if (to) {
			to.focus();
			e.preventDefault();
		} else if (e.key === 'ArrowUp') words.focus();
	});
	return dialog(_('Search'), (end) => {
		close = end;
		return [words, within && h('label', { class: 'setting' }, h('span', {}, _('Only with %s', shownName(within))), where), status, results];
	}, { isWide: true });
}
