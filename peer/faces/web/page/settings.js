// What is set: how one is seen, notifications, files, privacy, language, the account, its devices.

import { h, fill, icon } from './dom.js';
import { _, n_, bytes, lately, language, setLanguage } from './text.js';
import { call, endSession, forgetImage, image, qr, upload } from './api.js';
import { dialog, confirm, doing, failed, field, notice } from './modal.js';
import { toggle, choice } from './panel.js';
import { copy, showBlocked } from './people.js';
import { avatar } from './avatar.js';
import { askToNotify, notifies, setNotifies } from './notify.js';
import { line } from './safe.js';
import * as state from './state.js';

const set = (params) => call('setProfile', params).then((r) => { state.me.profile = r.profile; });

function profile() {
	const p = state.me.profile ?? {};
	const title = h('input', { type: 'text', maxlength: 60, value: p.title ?? '', autocomplete: 'off' });
	const status = h('input', { type: 'text', maxlength: 130, value: p.status ?? '', autocomplete: 'off' });
	const chooser = h('input', { type: 'file', accept: 'image/png,image/jpeg,image/webp', hidden: true, 'aria-hidden': 'true', tabindex: -1 });
	const face = h('div', {});
	const drawFace = () => fill(face, avatar({ ...state.me.profile, name: state.me.account.name, isMe: true }));
	chooser.addEventListener('change', async () => {
		const [file] = chooser.files;
		if (!file) return;
		try {
			const spool = await upload(file, () => {});
			await set({ picture: spool });
			forgetImage('/picture/');
			drawFace();
		} catch (e) {
			failed(e);
		}
	});
	drawFace();
	return h('section', {}, h('h3', {}, _('How others see you')),
		h('div', { class: 'who' }, face, h('div', {}, h('b', {}, state.me.account.name), h('div', { class: 'mute' }, state.me.account.directory))),
		h('div', { class: 'answers left' }, h('button', { type: 'button', class: 'plain', onclick: () => chooser.click() }, _('Choose a picture')), chooser,
			p.hasPicture && doing(_('No picture'), () => set({ picture: '' }).then(() => { forgetImage('/picture/'); drawFace(); }), { class: 'plain' })),
		h('form', { onsubmit: (e) => e.preventDefault() }, field(_('Name to show'), title), field(_('Status line'), status),
			h('div', { class: 'answers' }, doing(_('Save'), () => set({ title: title.value.trim(), status: status.value.trim() }).then(() => notice(_('Saved.'))), { type: 'submit' }))),
		choice(_('Availability'), [['available', _('available')], ['away', _('away')], ['busy', _('busy')]], p.availability ?? 'available', (availability) => set({ availability })),
		toggle(_('Invisible to everybody'), p.invisible, (invisible) => set({ invisible }), _('Nobody sees that you are there, and nobody is connected with you.')));
}

function here() {
	return h('section', {}, h('h3', {}, _('This browser')),
		choice(_('Language'), [['en', 'English'], ['es', 'Español']], language, (code) => setLanguage(code)),
		choice(_('Colours'), [['', _('as the system')], ['light', _('light')], ['dark', _('dark')]], localStorage.getItem('palique-colours') ?? '', (v) => {
			localStorage.setItem('palique-colours', v);
			document.documentElement.dataset.colours = v;
		}),
		toggle(_('Notifications'), notifies() && Notification.permission === 'granted', async (on) => {
			setNotifies(on);
			if (on && !await askToNotify()) throw new Error(_('The browser does not allow it. Look at the padlock beside the address.'));
		}),
		h('div', { class: 'answers left' }, doing(_('Log this browser out'), async () => {
			if (await confirm(_('Log this browser out?'), _('The engine goes on. To come back, type: palique web'), _('Log out'))) await endSession();
		}, { class: 'plain' })));
}

function privacy(settings) {
	const change = (method, params) => call(method, params);
	return h('section', {}, h('h3', {}, _('Privacy and files')),
		toggle(_('Tell contacts what I have read'), settings.readMarks, (readMarks) => change('setSettings', { readMarks })),
		choice(_('Requests are heard from'), [['anyone', _('anyone of the directory')], ['link', _('who has my link')], ['none', _('nobody')]], settings.requests, (from) => change('setRequests', { from })),
		choice(_('Fetch files of contacts unasked'), [['0', _('never')], ['1048576', _('up to %s', bytes(1e6))], ['16777216', _('up to %s', bytes(16e6))], ['104857600', _('up to %s', bytes(100e6))], ['1073741824', _('up to %s', bytes(1e9))]], String(settings.acceptUpTo), (v) => change('setSettings', { acceptUpTo: Number(v) })),
		choice(_('Keep messages'), [['0', _('for ever')], ['30', n_('%d day', '%d days', 30)], ['90', n_('%d day', '%d days', 90)], ['365', n_('%d day', '%d days', 365)]], String(settings.keepDays), (v) => change('setSettings', { keepDays: Number(v) })),
		h('p', { class: 'mute' }, icon('folder'), line(settings.downloads || settings.usualDownloads || '')),
		h('div', { class: 'answers left' }, doing(_('Blocked contacts'), showBlocked, { class: 'plain' })));
}

function deviceRow(d, redraw) {
	const act = (method, params) => call(method, params).then(redraw);
	return h('li', {}, icon('devices'),
		h('div', { class: 'grow' }, h('b', { dir: 'auto' }, line(d.name)), h('div', { class: 'mute' }, d.current ? _('this one') : d.online ? _('online') : _('offline'), ' · ', _('since %s', lately(d.since)))),
		doing(_('Rename'), async () => {
			const name = h('input', { type: 'text', maxlength: 30, value: d.name });
			const yes = await dialog(_('What the device is called'), (close) => h('form', { onsubmit: (e) => { e.preventDefault(); close(true); } }, field(_('Name'), name), h('div', { class: 'answers' }, h('button', { type: 'submit', class: 'main' }, _('Save')))));
			if (yes && name.value.trim()) await act('nameDevice', { device: d.id, name: name.value.trim() });
		}, { class: 'plain' }),
		!d.current && doing(_('Give it the history'), () => call('grantHistory', { device: d.id }).then(() => notice(_('%s may fetch what was said before it came in.', line(d.name)))), { class: 'plain' }),
		!d.current && doing(_('Remove'), async () => {
			if (await confirm(_('Remove %s?', line(d.name)), _('It is logged out at once, and contacts refuse it.'), _('Remove'), { isDangerous: true })) await act('revokeDevice', { device: d.id });
		}, { class: 'plain danger-text' }));
}

function devices() {
	const list = h('ul', { class: 'plain-list' });
	const draw = async () => {
		const r = await call('listDevices').catch(() => ({ devices: [] }));
		fill(list, r.devices.map((d) => deviceRow(d, draw)));
	};
	const end = state.watch('devices', () => (list.isConnected ? draw() : end()));
	draw();
	return h('section', {}, h('h3', {}, _('Your devices')), list, h('p', { class: 'mute' }, _('On another machine: palique login %s@%s', state.me.account.name, state.me.account.directory ?? '')));
}

function passwords() {
	const old = h('input', { type: 'password', autocomplete: 'current-password', required: true });
	const fresh = h('input', { type: 'password', autocomplete: 'new-password', required: true });
	const everywhere = h('input', { type: 'checkbox' });
	return dialog(_('Change the password'), (close) => h('form', { onsubmit: (e) => e.preventDefault() },
		field(_('The one of now'), old), field(_('The new one'), fresh), h('label', { class: 'setting' }, h('span', {}, _('Log all other devices out')), everywhere),
		h('div', { class: 'answers' }, doing(_('Change'), async () => {
			await call('changePassword', { oldPassword: old.value, newPassword: fresh.value, everywhere: everywhere.checked });
			close();
			notice(_('The password is changed.'));
		}, { type: 'submit' }))));
}

async function recovery() {
	if (!await confirm(_('Make a recovery code?'), _('Twelve words that bring the account back when the password is forgotten. An older code is void then.'), _('Make it'))) return;
	const { words } = await call('createRecoveryCode');
	await dialog(_('Recovery code'), (close) => [
		h('p', {}, _('Write it down and keep it away from this machine. It is shown this once.')),
		h('ol', { class: 'words' }, words.split(' ').map((w) => h('li', {}, w))),
		h('div', { class: 'answers' }, h('button', { type: 'button', class: 'main', onclick: () => close() }, _('I have written it down')))]);
}

function invitations() {
	const host = state.me.host;
	if (!host) return null;
	return h('section', {}, h('h3', {}, _('The directory on this machine')),
		h('p', {}, n_('%d account', '%d accounts', host.accounts ?? 0), ' · ', host.listen ?? ''),
		h('div', { class: 'answers left' }, doing(_('Invite somebody'), async () => {
			const invite = await call('createInvite', {});
			const picture = h('img', { class: 'qr', alt: _('The invitation as a QR code') });
			image(qr(invite.link)).then((url) => { if (url) picture.src = url; });
			await dialog(_('An invitation'), () => [h('p', {}, _('For one person, until %s. They type: palique join and this link.', new Intl.DateTimeFormat(language, { dateStyle: 'long' }).format(invite.expires))), invite.isLocal && h('p', { class: 'mute' }, _('It leads to this machine alone: others cannot reach it.')), picture, h('div', { class: 'link-line' }, h('code', { tabindex: 0 }, invite.link), doing(_('Copy'), () => copy(invite.link), { class: 'plain' }))]);
		}, { class: 'plain' })));
}

export async function showSettings() {
	let settings;
	try {
		settings = await call('getSettings');
	} catch (e) {
		return failed(e);
	}
	return dialog(_('Settings'), () => [
		profile(), here(), privacy(settings), devices(),
		h('section', {}, h('h3', {}, _('The account')), h('div', { class: 'answers left' }, h('button', { type: 'button', class: 'plain', onclick: passwords }, _('Change the password')), doing(state.me.account.recovery ? _('A new recovery code') : _('Make a recovery code'), recovery, { class: 'plain' }))),
		invitations(),
		h('p', { class: 'mute' }, `Palique ${state.me.version}`)], { isWide: true });
}
