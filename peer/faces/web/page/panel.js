// All about one contact: presence, safety number, what is set for them, and how to end it.

import { h, fill, icon } from './dom.js';
import { _, n_, duration, language } from './text.js';
import { call, image, qr } from './api.js';
import { dialog, confirm, doing, failed, notice } from './modal.js';
import { line } from './safe.js';
import { avatar } from './avatar.js';
import { presence, shownName } from './list.js';
import * as state from './state.js';

const ways = () => ({
	loopback: _('on this machine'), lan: _('on the local network'), ipv6: _('directly, over IPv6'), public: _('directly'),
	mapped: _('directly, by a port that the router opened'), punched: _('directly, through the routers'), sprayed: _('directly, through the routers'),
});

export function wayWords(contact) {
	if (!contact.connected) return contact.looking ? _('a path is being looked for') : _('not connected');
	const way = contact.pathKind === 'relayed' ? _('through %s, who cannot read it', shownName(contact.relay ?? '')) : (ways()[contact.pathKind] ?? '');
	return contact.roundTripMs === undefined ? way : _('%s, %s ms', way, new Intl.NumberFormat(language, { maximumFractionDigits: 1 }).format(contact.roundTripMs));
}

function choice(words, options, value, onchange) {
	const select = h('select', { onchange: async () => {
		try {
			await onchange(select.value);
		} catch (e) {
			failed(e);
		}
	} }, options.map(([v, text]) => h('option', { value: v }, text)));
	if (!options.some(([v]) => v === String(value))) select.append(h('option', { value: String(value) }, duration(Number(value))));
	select.value = String(value);
	return h('label', { class: 'setting' }, h('span', {}, words), h('span', { class: 'select' }, select, icon('down')));
}

function toggle(words, checked, onchange, hint) {
	const box = h('input', { type: 'checkbox', role: 'switch', checked, onchange: async () => {
		try {
			await onchange(box.checked);
		} catch (e) {
			box.checked = !box.checked;
			failed(e);
		}
	} });
	return h('label', { class: 'setting' }, h('span', {}, words, hint && h('small', { class: 'mute' }, hint)), box);
}

export { toggle, choice };

const seconds = () => [['0', _('never')], ['300', duration(300)], ['3600', duration(3600)], ['86400', duration(86400)], ['604800', duration(604800)], ['2592000', duration(2592000)]];

function timerWords(timer) {
	if (timer.seconds) return _('Messages disappear %s after they were read or sent.', duration(timer.seconds));
	if (timer.ours) return _('You wish it; as soon as the other side does, too, messages disappear.');
	if (timer.theirs) return _('The other side wishes %s; choose a time to agree.', duration(timer.theirs));
	return '';
}

export function showContact(name) {
	return dialog(_('About %s', shownName(name)), (close) => {
		const place = h('div', {});
		const draw = () => {
			const c = state.contacts.get(name);
			if (!c) return close();
			const [kind, words] = presence(c);
			const act = (method, params) => call(method, params).then((r) => { if (r.contact) state.contacts.set(name, r.contact); draw(); });
			const controls = () => [...place.querySelectorAll('button, input, select')];
			const at = controls().indexOf(document.activeElement);
			fill(place,
				h('div', { class: 'who' }, avatar(c, kind, words), h('div', {}, h('b', { dir: 'auto' }, shownName(name)), h('div', { class: 'mute' }, name, words && ` · ${words}`), c.status && h('div', { dir: 'auto' }, line(c.status)))),
				c.state === 'mutual' && h('p', { class: 'mute' }, icon('link'), wayWords(c)),
				c.fingerprint && h('section', {}, h('h3', {}, _('Safety')),
					h('p', {}, c.verified ? _('You have compared the safety number: this is %s.', shownName(name)) : _('Compare the safety number, and nobody can stand between you.')),
					h('button', { type: 'button', class: 'plain', onclick: () => showSafety(name).then(draw) }, icon('shield'), _('Safety number'))),
				c.state === 'mutual' && h('section', {}, h('h3', {}, _('This conversation')),
					choice(_('Messages disappear'), seconds(), c.timer?.ours ?? 0, (v) => act('setTimer', { conversation: name, seconds: Number(v) })),
					c.timer && timerWords(c.timer) && h('p', { class: 'mute' }, timerWords(c.timer)),
					toggle(_('Tell what I have read'), c.readMarks, (on) => act('setReadMarks', { name, on })),
					toggle(_('Invisible to this contact'), c.hidden, (hidden) => act('hideFrom', { name, hidden })),
					choice(_('My address'), [['direct', _('may be known')], ['relay', _('only through a common contact')], ['never', _('never')]], c.consent, (consent) => act('setConsent', { name, consent }))),
				h('section', { class: 'answers left' },
					doing(_('Delete this conversation here'), async () => {
						if (!await confirm(_('Delete this conversation here?'), _('All that was said with %s goes from this machine. Theirs stays.', shownName(name)), _('Delete'), { isDangerous: true })) return;
						await call('forgetConversation', { conversation: name });
						await state.newest(name);
					}, { class: 'plain' }),
					doing(_('Remove the contact'), async () => {
						if (!await confirm(_('Remove %s?', shownName(name)), _('You do not see each other any more. What was said stays here.'), _('Remove'), { isDangerous: true })) return;
						await call('removeContact', { name });
						close();
					}, { class: 'plain' }),
					doing(_('Block'), async () => {
						if (!await confirm(_('Block %s?', shownName(name)), _('Nothing of theirs is heard any more. They cannot tell it from your being away.'), _('Block'), { isDangerous: true })) return;
						await call('blockContact', { name });
						close();
					}, { class: 'plain danger-text' })));
			controls()[at]?.focus();
		};
		// a list that one may be choosing from is not taken away
		const end = state.watch('contact', (who) => {
			if (!place.isConnected) end();
			else if (who === name && !place.querySelector('select:focus')) draw();
		});
		place.addEventListener('focusout', (e) => { if (e.target.matches('select') && e.relatedTarget) setTimeout(draw); });
		draw();
		return place;
	});
}

// --- safety numbers ---

export async function showSafety(name) {
	let safety;
	try {
		safety = await call('getSafety', { name });
	} catch (e) {
		return failed(e);
	}
	const picture = h('img', { class: 'qr', alt: _('The safety number as a QR code') });
	image(qr(safety.code)).then((url) => { if (url) picture.src = url; });
	return dialog(_('Safety number with %s', shownName(name)), (close) => [
		h('p', {}, safety.keyChanged ? _('This is the number of the new key, which you have not accepted yet.') : _('Read it to each other on the telephone, or hold the screens side by side. If the number is the same on both, nobody stands between you.')),
		h('div', { class: 'digits', 'aria-label': safety.digits.split('').join(' ') }, safety.digits.match(/.{5}/g).map((five) => h('span', {}, five))),
		picture,
		h('div', { class: 'answers' },
			safety.verified
				? doing(_('Not verified any more'), () => call('unverifyContact', { name }).then(() => close()), { class: 'plain' })
				: doing(_('They are the same'), () => call('verifyContact', { name, safety: safety.digits }).then(() => { notice(_('%s is verified.', shownName(name))); close(); }))),
	]);
}

// What stands above a conversation: a request, a changed key, and what one can do about it.
export function callToAct(c) {
	const act = (method, params) => () => call(method, params);
	if (c.state === 'requests')
		return h('div', { class: 'asking request' }, avatar(c), h('div', {}, h('h2', {}, _('%s wants to talk with you.', shownName(c.name))), c.greeting && h('p', { class: 'greeting', dir: 'auto' }, `“${line(c.greeting)}”`), h('p', { class: 'mute' }, _('If you say yes, you see each other online.'))),
			h('div', { class: 'answers' }, doing(_('Accept'), act('acceptContact', { name: c.name })), doing(_('No, thanks'), act('removeContact', { name: c.name }), { class: 'plain' }), doing(_('Block'), act('blockContact', { name: c.name }), { class: 'plain danger-text' })));
	if (c.state === 'asked')
		return h('div', { class: 'asking' }, h('div', {}, h('b', {}, _('%s was asked and has not answered yet.', shownName(c.name))), h('p', { class: 'mute' }, _('What you write waits here, sealed, until they accept.'))));
	if (c.keyChanged)
		return h('div', { class: 'asking alarm', role: 'alert' }, icon('warn'), h('div', {}, h('b', {}, _('%s shows another key.', shownName(c.name))),
			h('p', {}, _('They may have begun anew on another machine, or somebody pretends to be them. Nothing is sent until you say so.')),
			c.keyChange?.signed && h('p', {}, _('The key before has vouched for it.')),
			c.held ? h('p', {}, n_('%d message waits.', '%d messages wait.', c.held)) : null),
		h('div', { class: 'answers' }, h('button', { type: 'button', class: 'plain', onclick: () => showSafety(c.name) }, _('Safety number')), doing(_('Accept the new key'), act('acceptContact', { name: c.name, newIdentity: c.newIdentity }))));
	if (c.state === 'blocked')
		return h('div', { class: 'asking' }, h('b', {}, _('%s is blocked.', c.name)), h('div', { class: 'answers' }, doing(_('Unblock'), act('removeContact', { name: c.name }))));
	return null;
}

