// Finding people: adding by name or link, giving one's own link away, those who are blocked.

import { h, fill } from './dom.js';
import { _ } from './text.js';
import { call, image, qr } from './api.js';
import { dialog, doing, field, notice } from './modal.js';
import { line } from './safe.js';
import * as state from './state.js';

export async function copy(text) {
	await navigator.clipboard.writeText(text);
	notice(_('Copied.'));
}

function own() {
	const place = h('section', {}, h('h3', {}, _('Your own link')));
	call('getLink').then(({ link }) => {
		const picture = h('img', { class: 'qr', alt: _('Your contact link as a QR code') });
		image(qr(link)).then((url) => { if (url) picture.src = url; });
		place.append(h('p', { class: 'mute' }, _('Whoever has it can write to you; you decide whether you accept.')), picture,
			h('div', { class: 'link-line' }, h('code', { tabindex: 0 }, link), doing(_('Copy'), () => copy(link), { class: 'plain' })));
	}).catch(() => {});
	return place;
}

export function addPerson(given = '') {
	const who = h('input', { type: 'text', autocomplete: 'off', autocapitalize: 'none', spellcheck: 'false', required: true, value: given, placeholder: 'bob' });
	const greeting = h('input', { type: 'text', autocomplete: 'off', maxlength: 140 });
	return dialog(_('Add somebody'), (close) => {
		const add = async () => {
			if (!who.value.trim()) return who.focus();
			const isLink = /^palique:/i.test(who.value.trim());
			const { contact } = await call('addContact', { contact: who.value.trim(), ...(greeting.value.trim() && isLink ? { greeting: greeting.value.trim() } : {}) });
			state.contacts.set(contact.name, contact);
			close();
			notice(contact.state === 'mutual' ? _('You are in contact with %s now.', contact.name) : _('%s was asked. You see it here when they answer.', contact.name));
			await state.refresh();
			location.hash = `#${encodeURIComponent(contact.name)}`;
		};
		const go = doing(_('Add'), add, { type: 'submit' });
		return [
			h('form', { onsubmit: (e) => e.preventDefault() },
				field(_('Name or contact link'), who, _('A name of your directory, or a link that begins with palique:')),
				field(_('A greeting'), greeting, _('Sealed for them; it goes with a link only.')),
				h('div', { class: 'answers' }, go)),
			own(),
		];
	});
}

export async function showBlocked() {
	const list = [...state.contacts.values()].filter((c) => c.state === 'blocked');
	const place = h('ul', { class: 'plain-list' });
	const draw = () => fill(place, list.length ? list.map((c) => h('li', {}, line(c.name), doing(_('Unblock'), async () => {
		await call('removeContact', { name: c.name });
		list.splice(list.indexOf(c), 1);
		draw();
	}, { class: 'plain' }))) : h('li', { class: 'mute' }, _('Nobody is blocked.')));
	draw();
	return dialog(_('Blocked'), () => place);
}
