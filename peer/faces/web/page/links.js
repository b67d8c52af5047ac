// What a palique: link leads to: to a person, into a directory, or to a new password. Told apart by its form; what
// it says is read by the engine, and nothing happens before somebody says yes.

import { h } from './dom.js';
import { _ } from './text.js';
import { call } from './api.js';
import { dialog, doing, field, notice } from './modal.js';
import { addPerson, copy } from './people.js';
import { line } from './safe.js';
import * as state from './state.js';

// 'person', 'reset' or 'directory'; where it leads: HOST[:PORT].
export function partsOf(link) {
	const [, path = ''] = /^(?:palique:)?([^?#]*)/i.exec(link.trim());
	const [place, way] = path.split('/');
	return { kind: place.includes('@') ? 'person' : way === 'r' ? 'reset' : 'directory', place };
}

// A password that is new is seen, if one likes, rather than typed twice.
export function passwords(isNew) {
	const one = h('input', { type: 'password', required: true, autocomplete: isNew ? 'new-password' : 'current-password', maxlength: 1000 });
	const seen = h('input', { type: 'checkbox', onchange: () => { one.type = seen.checked ? 'text' : 'password'; } });
	return [one, h('label', { class: 'setting' }, h('span', {}, _('Show the password')), seen)];
}

// Sets it; the name whose it is.
export async function resetPassword(link, password) {
	const { name } = await call('resetPassword', { link, newPassword: password.value });
	password.value = '';
	notice(_('The password of %s is changed.', name));
	return name;
}

function showReset(link) {
	const [password, shown] = passwords(true);
	return dialog(_('A new password'), (close) => h('form', { onsubmit: (e) => e.preventDefault() },
		h('p', {}, _('This link sets a new password at %s.', line(partsOf(link).place))), field(_('The new one'), password), shown,
		h('div', { class: 'answers' }, doing(_('Change'), async (form) => {
			if (!form.reportValidity()) return;
			await resetPassword(link, password);
			close();
		}, { type: 'submit' }))));
}

function showDirectory(link) {
	const { account } = state.me;
	return dialog(_('A link to a directory'), () => [
		h('p', {}, _('It is for somebody who has no account yet. You have one: %s.', `${account.name}@${account.directory}`)),
		h('div', { class: 'link-line' }, h('code', { tabindex: 0 }, line(link)), doing(_('Copy'), () => copy(link), { class: 'plain' }))]);
}

// For who has an account.
export function follow(link) {
	({ person: addPerson, reset: showReset, directory: showDirectory })[partsOf(link).kind](link);
}
