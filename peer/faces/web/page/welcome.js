// The first minute: host or join, name and password, done. And what is shown when the session is over.

import { h, fill, icon } from './dom.js';
import { _ } from './text.js';
import { call, image, qr } from './api.js';
import { closeMenu, doing, field } from './modal.js';
import { shownName } from './list.js';
import { copy } from './people.js';
import { partsOf, passwords, resetPassword } from './links.js';
import { line, paragraphs } from './safe.js';
import * as state from './state.js';

function frame(...content) {
	return h('div', { class: 'welcome' }, h('div', { class: 'card' }, h('div', { class: 'brand' }, h('img', { src: '/assets/icon.svg', alt: '', class: 'logo' }), 'Palique'), content));
}

const nameField = (value = '') => h('input', { type: 'text', required: true, autocomplete: 'username', autocapitalize: 'none', spellcheck: 'false', maxlength: 32, pattern: '[a-z0-9][a-z0-9._\\-]{1,31}', value });

const whoField = (value) => h('input', { value, type: 'text', required: true, autocomplete: 'username', autocapitalize: 'none', spellcheck: 'false', placeholder: 'alice@dir.example.org' });

function accountOf(who) {
	const [name, ...rest] = who.value.trim().split('@');
	return { name, directory: rest.join('@') || state.me.defaultDirectory };
}

function steps(place, build) {
	fill(place, build());
	place.querySelector('input:not([type=checkbox]), button.choice')?.focus();
}

function form(title, parts, go, words, back) {
	const f = h('form', { onsubmit: (e) => e.preventDefault() }, h('h1', {}, title), parts,
		h('div', { class: 'answers' }, back && h('button', { type: 'button', class: 'plain', onclick: back }, _('Back')), doing(words, async () => { if (f.reportValidity()) await go(); }, { type: 'submit' })));
	return f;
}

const given = () => new URLSearchParams(location.hash.slice(1)).get('link') ?? '';

const isFor = (kind) => Boolean(given()) && partsOf(given()).kind === kind;

export function showWelcome(app, done) {
	const place = h('div', {});
	fill(app, frame(place));

	const first = () => steps(place, () => [
		h('h1', {}, _('Welcome to Palique')),
		h('p', {}, _('Chat from machine to machine. A directory only tells your friends where you are; no server reads along.')),
		isFor('person') && h('p', {}, _('To add %s you need an account first.', line(partsOf(given()).place))),
		h('button', { type: 'button', class: 'choice', onclick: join }, icon('link'), h('span', {}, h('b', {}, _('I have an invitation')), h('small', {}, _('Join the directory of a friend, a team or a community')))),
		h('button', { type: 'button', class: 'choice', onclick: host }, icon('person'), h('span', {}, h('b', {}, _('Begin here, and invite others')), h('small', {}, _('This machine becomes the directory: for a household or a team on one network')))),
		h('button', { type: 'button', class: 'choice', onclick: () => login() }, icon('devices'), h('span', {}, h('b', {}, _('I have an account already')), h('small', {}, _('Bring it to this machine, with its contacts'))))]);

	const join = () => steps(place, () => {
		const link = h('input', { type: 'text', required: true, autocomplete: 'off', spellcheck: 'false', value: (isFor('directory') && given()) || state.me.defaultDirectory || '', placeholder: 'palique:dir.example.org/i/…' });
		const name = nameField();
		const [password, shown] = passwords(true);
		return form(_('Join'), [field(_('Invitation, or the link of a directory'), link), field(_('Your name'), name, _('Small letters, digits, . _ and -')), field(_('A password'), password, _('It never leaves this machine. Longer is better: four words, say.')), shown],
			async () => {
				await call('join', { link: link.value.trim(), name: name.value.trim().toLowerCase(), password: password.value });
				password.value = '';
				ready();
			}, _('Join'), first);
	});

	const host = () => steps(place, () => {
		const name = nameField();
		const [password, shown] = passwords(true);
		return form(_('Begin here'), [field(_('Your name'), name, _('Small letters, digits, . _ and -')), field(_('A password'), password, _('It never leaves this machine. Longer is better: four words, say.')), shown],
			async () => {
				await call('host', {});
				const invite = await call('createInvite', {});
				await call('join', { link: invite.link, name: name.value.trim().toLowerCase(), password: password.value });
				password.value = '';
				ready(await call('createInvite', { count: 10 }));
			}, _('Begin'), first);
	});

	const reset = () => steps(place, () => {
		const [password, shown] = passwords(true);
		return form(_('A new password'), [h('p', {}, _('This link sets a new password at %s.', line(partsOf(given()).place))), field(_('The new one'), password), shown],
			async () => {
				const name = await resetPassword(given(), password);
				const who = `${name}@${partsOf(given()).place}`;
				history.replaceState(null, '', '/');
				login(who);
			}, _('Change'), first);
	});

	const login = (value = '') => steps(place, () => {
		const who = whoField(value);
		const [password, shown] = passwords(false);
		return form(_('Log in'), [field(_('Your name and directory'), who), field(_('Password'), password), shown,
			h('p', {}, _('The password is forgotten, or was set anew by a link? On a new machine the twelve words of the recovery code open the account.')),
			h('button', { type: 'button', class: 'plain', onclick: () => recover(who.value) }, _('With the recovery code'))],
			async () => {
				await call('login', { ...accountOf(who), password: password.value });
				password.value = '';
				ready();
			}, _('Log in'), first);
	});

	const recover = (value) => steps(place, () => {
		const who = whoField(value);
		const words = h('textarea', { class: 'words-field', required: true, rows: 3, autocomplete: 'off', autocapitalize: 'none', spellcheck: 'false', maxlength: 400 });
		const [password, shown] = passwords(true);
		return form(_('With the recovery code'), [field(_('Your name and directory'), who), field(_('The twelve words'), words, _('As they stand on your paper, with spaces between them.')), field(_('A new password'), password), shown],
			async () => {
				await call('recover', { ...accountOf(who), words: words.value, newPassword: password.value });
				words.value = password.value = '';
				ready();
			}, _('Log in'), () => login(who.value));
	});

	const ready = (invite) => {
		if (!isFor('person')) history.replaceState(null, '', '/'); // the link was for this
		if (!invite) return done();
		const picture = h('img', { class: 'qr', alt: _('The invitation as a QR code') });
		image(qr(invite.link)).then((url) => { if (url) picture.src = url; });
		steps(place, () => [h('h1', {}, _('You are there')), h('p', {}, _('Give this link to those you want to chat with. It is good for ten people and a week.')), invite.isLocal && h('p', { class: 'mute' }, _('It leads to this machine alone: others cannot reach it.')), picture,
			h('div', { class: 'link-line' }, h('code', { tabindex: 0 }, invite.link), doing(_('Copy'), () => copy(invite.link), { class: 'plain' })),
			h('div', { class: 'answers' }, doing(_('To the chats'), done))]);
	};
	if (isFor('reset')) reset();
	else if (isFor('directory')) join();
	else first();
}

// The end: `isStopped`: nobody answers any more. What was written and not sent is still to be had.
export function showOver(app, isStopped) {
	closeMenu();
	for (const one of document.querySelectorAll('dialog[open]')) one.close();
	const left = [...state.conversations.values()].filter((c) => c.draft.trim());
	fill(app, frame(
		h('h1', {}, isStopped ? _('Palique has ended on this machine') : _('This page has no session')),
		h('p', {}, isStopped ? _('Type this in a terminal: it begins again, and the browser opens:') : _('Type this in a terminal, and the browser opens again:')),
		h('div', { class: 'link-line' }, h('code', { tabindex: 0 }, 'palique web'), doing(_('Copy'), () => copy('palique web'), { class: 'plain' })),
		h('p', { class: 'mute' }, _('The address that it prints works once, so that nobody else can use it.')),
		left.map((c) => h('section', {}, h('h2', {}, _('Not sent to %s', shownName(c.name))), h('div', { class: 'text' }, paragraphs(c.draft)), doing(_('Copy'), () => copy(c.draft), { class: 'plain' })))));
	app.querySelector('code').focus();
}
