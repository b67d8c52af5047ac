// What stands above the page: dialogs, menus, and short notices.

import { h, fill, icon, button, say } from './dom.js';
import { _ } from './text.js';

// A dialog; `build(close)` gives its content. Resolves with what `close` was given.
export function dialog(title, build, { isWide = false, onclose } = {}) {
	return new Promise((resolve) => {
		const before = document.activeElement;
		const id = `title-${Math.random().toString(36).slice(2)}`;
		const frame = h('dialog', { class: isWide ? 'wide' : null, 'aria-labelledby': id });
		let result;
		const close = (value) => {
			result = value;
			frame.close();
		};
		frame.append(h('header', { role: 'none' }, h('h2', { id }, title), button(_('Close'), 'close', () => close())), h('div', { class: 'dialog-body' }, build(close)));
		frame.addEventListener('close', () => {
			const notices = frame.querySelector('.notices');
			if (notices) document.body.append(notices);
			const isNowhere = document.activeElement === document.body || frame.contains(document.activeElement);
			frame.remove();
			onclose?.();
			// what the dialog led to may have the focus already
			if (before?.isConnected && isNowhere) before.focus();
			resolve(result);
		});
		frame.addEventListener('click', (e) => { if (e.target === frame) close(); });
		document.body.append(frame);
		frame.showModal();
	});
}

export function confirm(title, words, yes, { isDangerous = false } = {}) {
	return dialog(title, (close) => [
		h('p', {}, words),
		h('div', { class: 'answers' },
			h('button', { type: 'button', class: 'plain', onclick: () => close(false) }, _('Cancel')),
			h('button', { type: 'button', class: isDangerous ? 'danger' : 'main', autofocus: true, onclick: () => close(true) }, yes)),
	]);
}

// A menu at a button: rows of [words, icon element, function].
export function menu(at, entries) {
	closeMenu();
	const list = h('div', { class: 'menu', role: 'menu', onkeydown: (e) => {
		const all = [...list.querySelectorAll('[role^=menuitem]')];
		const i = all.indexOf(document.activeElement);
		const to = { ArrowDown: (i + 1) % all.length, ArrowUp: (i - 1 + all.length) % all.length, Home: 0, End: all.length - 1, ArrowRight: i + 1, ArrowLeft: i - 1 }[e.key];
		if (to !== undefined) {
			all[to]?.focus();
			e.preventDefault();
		} else if (e.key === 'Escape' || e.key === 'Tab') {
			closeMenu();
			at.focus();
			e.preventDefault();
			e.stopPropagation();
		}
	} });
	fill(list, entries.filter(Boolean).map(([words, picture, f, attributes]) => h('button', { type: 'button', role: 'menuitem', tabindex: -1, ...attributes, onclick: () => {
		closeMenu();
		if (at.isConnected) at.focus();
		f();
	} }, picture, h('span', {}, words))));
	place(list, at);
	return list;
}

export function place(list, at) {
	const host = at.closest('dialog, nav, main') ?? document.body;
	host.append(list);
	const box = at.getBoundingClientRect();
	const left = Math.min(Math.max(8, box.right - list.offsetWidth), innerWidth - list.offsetWidth - 8);
	const below = box.bottom + 4 + list.offsetHeight < innerHeight;
	list.style.left = `${Math.max(8, left)}px`;
	list.style.top = `${below ? box.bottom + 4 : Math.max(8, box.top - list.offsetHeight - 4)}px`;
	open = list;
	list.querySelector('input, [role^=menuitem]')?.focus();
	setTimeout(() => addEventListener('pointerdown', outside, { capture: true }));
}

let open = null;
function outside(e) {
	if (open && !open.contains(e.target)) closeMenu();
}

export function closeMenu() {
	open?.remove();
	open = null;
	removeEventListener('pointerdown', outside, { capture: true });
}

// A line that goes by itself; an error stays until it is closed.
export function notice(words, { isError = false } = {}) {
	let place = document.querySelector('.notices');
	if (!place) {
		place = h('section', { class: 'notices', 'aria-label': _('Notices') });
		document.body.append(place);
	}
	const host = [...document.querySelectorAll('dialog[open]')].at(-1) ?? document.body;
	if (place.parentNode !== host) host.append(place);
	const one = h('div', { class: isError ? 'notice error' : 'notice', role: isError ? 'alert' : null }, h('span', {}, words), button(_('Close'), 'close', () => one.remove()));
	place.append(one);
	while (place.children.length > 4) place.firstChild.remove();
	if (!isError) {
		say(words);
		setTimeout(() => one.remove(), 6000);
	}
}

// Errors of the engine as it says them, with what to do.
const wordsOf = (error) => (error?.kind === 'closed' ? _('The engine cannot be reached at this moment. Nothing was sent; try again when the line is back.') : error?.message || String(error));

export function failed(error) {
	if (error?.name !== 'AbortError') notice(wordsOf(error), { isError: true });
}

// A button that runs something slow: not pressed twice, and what goes wrong is said.
export function doing(words, f, attributes = {}) {
	const b = h('button', { type: 'button', class: 'main', ...attributes, onclick: async (e) => {
		e.preventDefault();
		if (b.ariaBusy === 'true') return;
		const form = b.closest('form');
		form?.querySelector('.form-error')?.remove();
		b.ariaBusy = b.ariaDisabled = 'true';
		try {
			await f(form);
		} catch (error) {
			// beside what was filled in, where it can be read and mended
			if (form?.isConnected) b.closest('.answers').before(h('p', { class: 'form-error', role: 'alert' }, icon('warn'), h('span', {}, wordsOf(error))));
			else failed(error);
		} finally {
			b.ariaBusy = b.ariaDisabled = null;
		}
	} }, words);
	return b;
}

let fields = 0;
export function field(words, input, hint) {
	const id = `field-${++fields}`;
	input.id = id;
	if (hint) input.setAttribute('aria-describedby', `${id}-hint`);
	return h('div', { class: 'field' }, h('label', { for: id }, words), input, hint && h('div', { class: 'mute', id: `${id}-hint` }, hint));
}
