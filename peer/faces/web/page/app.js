// The page as a whole: begins the session, lays out list, conversation and composer, and says what keys do.

import { h, fill, icon, button } from './dom.js';
import { _, loadTexts, language } from './text.js';
import { openSession, connect, on, call, save, fileBytes } from './api.js';
import { line } from './safe.js';
import { avatar } from './avatar.js';
import { makeList, focusFilter, presence, shownName } from './list.js';
import { makeTimeline, showConversation, sight, jump } from './timeline.js';
import { makeComposer, showComposer, showDraft, focusComposer, answer, edit, sentImage } from './composer.js';
import { callToAct, showContact, showSafety } from './panel.js';
import { addPerson, copy } from './people.js';
import { follow } from './links.js';
import { showSettings } from './settings.js';
import { showSearch } from './search.js';
import { showWelcome, showOver } from './welcome.js';
import { beginNotifying, askToNotify } from './notify.js';
import { dialog, confirm, menu, notice, failed, closeMenu } from './modal.js';
import { makeProposals } from './proposals.js';
import { pickEmoji, quick } from './emoji.js';
import { isShowable } from './measure.js';
import * as state from './state.js';

const app = document.getElementById('app');
document.documentElement.dataset.colours = localStorage.getItem('palique-colours') ?? '';

let header, acting, own, line_;

// --- what can be done with a message ---

const attempt = (f) => f().catch(failed);

const doings = {
	shownName,
	jump,
	answer,
	toComposer: focusComposer,
	react: (m, one) => attempt(async () => {
		const ours = new Set((m.reactions?.ours ?? '').split(' ').filter(Boolean));
		if (!ours.delete(one)) ours.add(one);
		await call('sendReaction', { id: m.id, reactions: [...ours].slice(-8).join(' ') });
	}),
	pickReaction: (m, at) => {
		const list = menu(at, [...quick.map((one) => [one, null, () => doings.react(m, one), { class: 'big', 'aria-label': one }]), [_('Others'), icon('smile'), () => pickEmoji(at, (one) => doings.react(m, one)), { 'aria-label': _('Others'), title: _('Others') }]]);
		list.classList.add('across');
	},
	press: (m, words) => attempt(() => state.say(m.conversation, words, m.id)),
	file: (method, m) => attempt(() => call(method, { id: m.id })),
	save: (m) => attempt(() => save(m.id, m.file.name)),
	look: (m) => attempt(() => look(m)),
	menu: (m, at) => menu(at, [
		!m.retracted && !m.gone && [_('Reply'), icon('reply'), () => answer(m)],
		!m.retracted && !m.gone && [_('React'), icon('smile'), () => doings.pickReaction(m, at)],
		m.own && !m.retracted && !m.gone && [_('Edit'), icon('edit'), () => edit(m)],
		m.text && [_('Copy text'), icon('copy'), () => attempt(() => copy(m.text))],
		!m.retracted && !m.gone && [_('Forward'), icon('forward'), () => forward(m)],
		m.own && !m.retracted && !m.gone && [_('Delete for both'), icon('trash'), () => remove(m, false)],
		[_('Delete here'), icon('trash'), () => remove(m, true)],
		[_('Details'), icon('info'), () => details(m)],
	]),
};

async function remove(m, here) {
	const yes = await confirm(here ? _('Delete here?') : _('Delete for both?'), here ? _('It goes from this machine alone.') : _('Text and file go, on both sides; a mark stays.'), _('Delete'), { isDangerous: true });
	if (yes) attempt(() => call('deleteMessage', { id: m.id, ...(here ? { here } : {}) }));
}

function forward(m) {
	return dialog(_('Forward to'), (close) => h('ul', { class: 'plain-list' }, state.listed().filter((c) => c.state === 'mutual' || c.state === 'asked').map((c) => h('li', {}, h('button', { type: 'button', class: 'result', onclick: () => {
		close();
		attempt(async () => {
			await call('forward', { id: m.id, conversation: c.name });
			notice(_('Forwarded to %s.', shownName(c.name)));
		});
	} }, avatar(c, ...presence(c)), shownName(c.name))))));
}

function details(m) {
	const time = (t) => new Intl.DateTimeFormat(language, { dateStyle: 'full', timeStyle: 'long' }).format(t);
	const states = { queued: _('waits'), delivered: _('delivered'), read: _('read'), received: _('received') };
	const rows = [[_('Number'), m.id], [_('Written'), time(m.timestamp)], [m.own ? _('Stored') : _('Arrived'), time(m.arrivedAt)], [_('State'), states[m.state] ?? m.state], m.editedAt && [_('Edited'), time(m.editedAt)], m.file?.path && [_('File'), line(m.file.path)], m.file?.type && [_('Type'), line(m.file.type)]];
	return dialog(_('Details'), () => h('dl', { class: 'details' }, rows.filter(Boolean).map(([a, b]) => [h('dt', {}, a), h('dd', { dir: 'auto' }, b)])));
}

// An image in full, where it is here; else as small as it came.
async function look(m) {
	const img = h('img', { class: 'full', alt: m.file.alt ? line(m.file.alt) : line(m.file.name) });
	let whole = sentImage(m.id) ?? null;
	if (!whole && m.file.path && (m.own || m.file.state === 'done')) {
		const answer_ = await fileBytes(m.id);
		whole = answer_.ok ? await answer_.blob() : null;
	}
	const isTooLarge = whole && !await isShowable(whole);
	if (isTooLarge) whole = null;
	img.src = whole ? URL.createObjectURL(whole) : document.querySelector(`[data-row="${CSS.escape(m.id)}"] .picture img`)?.src ?? '';
	await dialog(line(m.file.name), () => [img, isTooLarge && h('p', { class: 'mute' }, _('It is too large to be shown whole here.')), m.file.alt && h('p', { dir: 'auto' }, line(m.file.alt)), m.file.path && h('div', { class: 'answers' }, h('button', { type: 'button', class: 'plain', onclick: () => doings.save(m) }, icon('download'), _('Save a copy')))], { isWide: true, onclose: () => { if (whole) URL.revokeObjectURL(img.src); } });
}

// --- the frame ---

function layout() {
	const menuButton = button(_('Menu'), 'more', (e) => menu(e.currentTarget, [
		[_('Settings'), icon('settings'), showSettings],
		[_('Search'), icon('search'), search],
		[_('Keys'), icon('info'), showKeys],
	]), { 'aria-haspopup': 'menu' });
	own = h('button', { type: 'button', class: 'myself', onclick: showSettings });
	header = h('header', { class: 'conversation-header' });
	acting = h('div', {});
	line_ = h('div', { class: 'line', role: 'status', hidden: true });
	fill(app, h('h1', { class: 'for-readers' }, 'Palique'), line_,
		h('nav', { class: 'side', 'aria-label': _('Conversations') },
			h('header', {}, own, button(_('Search messages'), 'search', search), button(_('Add somebody'), 'plus', () => addPerson()), menuButton),
			makeList(go, () => addPerson())),
		h('section', { class: 'main', 'aria-label': _('Conversation') }, header, acting, makeTimeline(doings), makeProposals(), makeComposer(),
			h('div', { class: 'nobody' }, h('img', { src: '/assets/icon.svg', alt: '', class: 'logo' }), h('h2', {}, _('Choose a conversation, or add somebody.')), keyList(keys().filter(([key]) => ['Ctrl+K', 'Ctrl+Shift+F', 'Alt+↑ / Alt+↓'].includes(key))))));
	drawMe();
	drawLine();
	drawHeader();
}

const search = () => showSearch(async (m) => {
	await go(m.conversation);
	await jump(m.id);
}, state.current);

function drawMe() {
	if (!own || !state.me.account) return;
	const p = state.me.profile ?? {};
	const isOn = state.me.account.state === 'online';
	const kind = !isOn ? 'off' : p.invisible ? 'off' : { away: 'away', busy: 'busy' }[p.availability] ?? 'on';
	const words = !isOn ? _('not at the directory') : p.invisible ? _('invisible') : { away: _('away'), busy: _('busy') }[p.availability] ?? _('online');
	fill(own, avatar({ ...p, name: state.me.account.name, isMe: true }, kind, words), h('b', { dir: 'auto' }, line(p.title || state.me.account.name)));
	own.title = _('Settings');
}

function drawLine() {
	if (!line_) return;
	const trouble = !state.isOnline ? _('The line to the engine is lost. Trying again …') : state.me.account?.trouble;
	line_.hidden = !trouble;
	fill(line_, trouble ? icon('warn') : null, trouble || '');
}

function drawHeader() {
	const name = state.current;
	app.dataset.view = name ? 'conversation' : 'list';
	const c = name ? state.contacts.get(name) : null;
	fill(acting);
	if (!name) return fill(header);
	const hadFocus = header.contains(document.activeElement) ? [...header.querySelectorAll('button')].indexOf(document.activeElement) : -1;
	const [kind, words] = presence(c);
	const under = c?.typing ? _('types …') : [words, c?.status && line(c.status)].filter(Boolean).join(' · ');
	fill(header,
		button(_('Back'), 'back', () => go(null), { class: 'round only-narrow' }),
		h('button', { type: 'button', class: 'who-button', onclick: () => c && showContact(name), title: _('About %s', shownName(name)) },
			avatar(c ?? { name }, kind, words), h('span', { class: 'entry' }, h('b', { dir: 'auto' }, shownName(name)), h('span', { class: c?.typing ? 'accent' : 'mute' }, under))),
		c?.timer?.seconds ? h('span', { class: 'mute', title: _('Messages disappear') }, icon('timer', _('Messages disappear'))) : null,
		c?.state === 'mutual' && button(c.verified ? _('Safety number: verified') : _('Safety number'), 'shield', () => showSafety(name), { class: c.verified ? 'round good' : 'round' }),
		button(_('Search here'), 'search', search));
	if (hadFocus >= 0) header.querySelectorAll('button')[hadFocus]?.focus();
	const asks = c && callToAct(c);
	if (asks) acting.append(asks);
	showComposer(c);
}

let visits = 0;

export async function go(name) {
	const mine = ++visits;
	closeMenu();
	history.replaceState(null, '', name ? `/#${encodeURIComponent(name)}` : '/');
	header.parentElement.ariaBusy = 'true';
	showConversation(name);
	await state.openConversation(name).catch(failed);
	if (mine !== visits) return; // another one was chosen meanwhile
	drawHeader();
	showDraft();
	if (state.open()?.isWhole) showConversation(name);
	if (name && matchMedia('(hover: hover)').matches) focusComposer();
	header.parentElement.ariaBusy = null;
	sight();
}

// --- keys ---

const keys = () => [
	['Ctrl+K', _('find a conversation')], ['Alt+↑ / Alt+↓', _('the conversation before, the next one')], ['Ctrl+Shift+F', _('search messages')], ['Ctrl+U', _('attach files')],
	[_('↑ in an empty field'), _('edit the last message')], [_('Shift+Tab, then ↑ ↓ Enter'), _('from message to message; what can be done with it')], ['Shift+Enter', _('a new line')], ['Esc', _('back, or cancel')],
];

const keyList = (list) => h('dl', { class: 'details keys' }, list.map(([key, words]) => [h('dt', {}, h('kbd', {}, key)), h('dd', {}, words)]));

function showKeys() {
	return dialog(_('Keys'), () => keyList(keys()));
}

addEventListener('keydown', (e) => {
	if (document.querySelector('dialog[open]') || !state.isOnline) return;
	const isCtrl = e.ctrlKey || e.metaKey;
	if (isCtrl && e.shiftKey && e.key.toLowerCase() === 'f') search();
	else if (isCtrl && e.key === 'k') focusFilter();
	else if (isCtrl && e.key === 'u') document.querySelector('.composer input[type=file]')?.click();
	else if (e.altKey && (e.key === 'ArrowUp' || e.key === 'ArrowDown')) {
		const names = state.listed().map((c) => c.name);
		const to = names[names.indexOf(state.current) + (e.key === 'ArrowUp' ? -1 : 1)];
		if (to) go(to);
	} else if (e.key === '?' && !e.target.closest('input, textarea, select')) showKeys();
	else if (e.key === 'Escape' && state.current && matchMedia('(max-width: 720px)').matches) go(null);
	else return;
	e.preventDefault();
});

// --- from the first moment on ---

let isLaidOut = false;

async function begin() {
	if (isLaidOut) return drawLine();
	if (state.me.account.state === 'none') return showWelcome(app, begin2);
	isLaidOut = true;
	layout();
	followAddress();
	addEventListener('hashchange', followAddress);
	addEventListener('pointerdown', () => { askToNotify().catch(() => {}); }, { once: true });
}

// The address names a conversation, or a link to somebody; a new token begins a new session.
function followAddress() {
	const words = new URLSearchParams(location.hash.slice(1));
	if (words.has('t')) return location.reload();
	let wanted = '';
	try {
		wanted = decodeURIComponent(location.hash.slice(1));
	} catch {
		// no name
	}
	// What was clicked on the desktop is about somebody.
	if (words.has('chat')) {
		history.replaceState(null, '', '/');
		wanted = words.get('chat');
	}
	if (words.has('link')) {
		history.replaceState(null, '', '/');
		follow(words.get('link'));
	} else if (state.contacts.has(wanted) && wanted !== state.current) go(wanted);
}

// A link to a person leads nowhere in a browser: here it is asked whether they shall be added.
addEventListener('click', (e) => {
	const a = e.target.closest?.('a[href^="palique:" i]');
	if (!a || !isLaidOut) return;
	e.preventDefault();
	follow(a.getAttribute('href'));
});

async function begin2() {
	await state.refresh();
	await begin();
}

state.watch('me', () => { drawMe(); drawLine(); });
state.watch('line', () => (state.isOnline ? begin() : drawLine()));
state.watch('contact', (name) => { if (name === state.current) drawHeader(); });
state.watch('contacts', () => { if (isLaidOut && state.current) drawHeaderSoon(); });
state.watch('notice', (p, isWarning) => notice(p.name ? `${shownName(p.name)} ${line(p.detail)}` : line(p.detail), { isError: isWarning }));
document.addEventListener('visibilitychange', sight);
addEventListener('focus', sight);
addEventListener('blur', sight);
on('over', ({ isStopped }) => showOver(app, isStopped));
beginNotifying(go);

let drawn = '';
function drawHeaderSoon() {
	const now = JSON.stringify(state.contacts.get(state.current) ?? null);
	if (now === drawn) return;
	drawn = now;
	drawHeader();
}

await loadTexts();
if (await openSession()) connect(language);
else showOver(app);
