// One message as an element, and what of it changes later without drawing all of it anew.

import { h, fill, icon, button } from './dom.js';
import { _, n_, clock, moment, bytes, duration } from './text.js';
import { paragraphs, line, isEmojiOnly } from './safe.js';
import { image } from './api.js';

const states = {
	queued: ['clock', () => _('Waits until it can be delivered')],
	held: ['warn', () => _('Held back: the contact shows another key')],
	proposed: ['clock', () => _('Proposed; waits for you')],
	delivered: ['tick', () => _('Delivered')],
	read: ['ticks', () => _('Read')],
};

function stateIcon(m) {
	const [name, words] = states[m.state] ?? states.queued;
	return h('span', { class: `state state-${m.state}`, title: words() }, icon(name, words()));
}

function meta(m) {
	return h('div', { class: 'meta' },
		m.forwarded && h('span', {}, _('forwarded')),
		m.edited && h('span', { title: m.editedAt ? moment(m.editedAt) : null }, _('edited')),
		m.expiresAt || m.life ? h('span', { title: m.expiresAt ? _('Disappears: %s', moment(m.expiresAt)) : _('Disappears %s after it was read', duration(m.life)) }, icon('timer', _('Disappears')), m.expiresAt ? ` ${shortly(m.expiresAt)}` : '') : null,
		h('time', { datetime: new Date(m.timestamp).toISOString(), title: moment(m.timestamp) }, clock(m.timestamp)),
		m.own && stateIcon(m));
}

// How long it still stands, in little room.
function shortly(expires) {
	const left = Math.max(0, expires - Date.now()) / 1000;
	return left < 90 ? _('< 2 min') : left < 5400 ? _('%d min', Math.round(left / 60)) : left < 129600 ? _('%d h', Math.round(left / 3600)) : _('%d d', Math.round(left / 86400));
}

function quote(m, doings) {
	if (m.replyMissing) return h('div', { class: 'quote' }, _('Answers a message that is not here'));
	const q = m.quote;
	if (!q) return null;
	let words = q.begins || '';
	if (q.retracted) words = _('(deleted)');
	else if (q.gone) words = _('(not kept any more)');
	else if (q.kind === 'file' && !words) words = q.name ?? _('a file');
	return h('button', { type: 'button', class: 'quote', onclick: () => doings.jump(m.replyTo) },
		h('b', {}, q.ours ? _('You') : doings.shownName(m.conversation)), h('span', { dir: 'auto' }, line(words)));
}

function reactions(m, doings) {
	if (!m.reactions) return null;
	const all = new Map();
	for (const [whose, text] of Object.entries(m.reactions))
		for (const one of text.split(' ').filter(Boolean)) all.set(one, { ...all.get(one), [whose]: true });
	if (!all.size) return null;
	return h('div', { class: 'reactions' }, [...all].map(([one, by]) => {
		const who = [by.ours && _('You'), by.theirs && doings.shownName(m.conversation)].filter(Boolean).join(', ');
		return h('button', { type: 'button', class: 'reaction', 'aria-pressed': by.ours ? 'true' : 'false', title: who, 'aria-label': `${line(one)}: ${who}`, onclick: () => doings.react(m, one) }, line(one), by.ours && by.theirs ? ' 2' : '');
	}));
}

// --- files ---

function fileState(m) {
	const f = m.file;
	const of = f.size ? `${bytes(f.done ?? 0)} / ${bytes(f.size)}` : bytes(f.size ?? 0);
	switch (f.state) {
	case 'offered': return m.own ? _('Offered; not fetched yet') : bytes(f.size);
	case 'waiting': return _('Waits for the other side');
	case 'running': return [of, f.rate ? `${bytes(f.rate)}/s` : '', f.secondsLeft ? _('%s left', duration(f.secondsLeft)) : ''].filter(Boolean).join(' · ');
	case 'paused': return `${_('Paused')} · ${of}`;
	case 'stopped': return `${_('Paused by the other side')} · ${of}`;
	case 'checking': return _('Checking');
	case 'done': return m.own ? `${bytes(f.size)} · ${_('arrived')}` : bytes(f.size);
	case 'cancelled': return _('Cancelled');
	default: return f.reason ? line(f.reason) : _('Failed');
	}
}

function fileActions(m, doings) {
	const f = m.file;
	const acts = [];
	const isBack = f.state === 'failed' && f.error === 'expired'; // who offered it has taken it back
	if (!m.own && !isBack && ['offered', 'paused', 'stopped', 'cancelled', 'failed'].includes(f.state)) acts.push(button(f.state === 'offered' ? _('Fetch the file') : _('Go on'), f.state === 'offered' ? 'download' : 'play', () => doings.file('acceptFile', m)));
	if (m.own && f.state === 'paused') acts.push(button(_('Go on'), 'play', () => doings.file('acceptFile', m)));
	if (['running', 'waiting'].includes(f.state) || (m.own && f.state === 'offered')) acts.push(button(_('Pause'), 'pause', () => doings.file('pauseFile', m)));
	if (['running', 'waiting', 'paused', 'stopped'].includes(f.state) || (m.own && f.state === 'offered')) acts.push(button(_('Cancel'), 'close', () => doings.file('cancelFile', m)));
	if (!f.folder && f.path && (m.own || f.state === 'done')) acts.push(button(_('Save a copy'), 'download', () => doings.save(m)));
	return acts;
}

function progress(m) {
	const f = m.file;
	if (!['running', 'paused', 'stopped', 'checking'].includes(f.state) || !f.size) return null;
	const part = Math.floor((100 * (f.done ?? 0)) / f.size);
	return h('progress', { max: 100, value: part, 'aria-label': _('%s: %d %% are here', line(f.name), part) });
}

function thumbnail(m, doings) {
	const f = m.file;
	if (!f.hasThumbnail) return null;
	const width = f.width || 4;
	const height = f.height || 3;
	const img = h('img', { alt: f.alt ? line(f.alt) : _('Image without a description: %s', line(f.name)), decoding: 'async' });
	const frame = h('button', { type: 'button', class: 'picture', onclick: () => doings.look(m) }, img);
	// its room is known before it is there, so that nothing jumps
	frame.style.setProperty('--ratio', `${Math.min(Math.max(width / height, 0.4), 2.6)}`);
	frame.style.setProperty('--wide', `${Math.min(width, 360)}px`);
	image(`/thumbnail/${m.id}`).then((url) => { if (url) img.src = url; });
	return frame;
}

// What kind of file it is, by its name, as long as that is short.
function kindOf(f) {
	const ending = !f.folder && /\.([a-z0-9]{1,4})$/i.exec(f.name ?? '')?.[1];
	return ending ? ending.toUpperCase() : icon(f.folder ? 'folder' : 'file');
}

function file(m, doings) {
	const f = m.file;
	return h('div', { class: 'file', 'data-state': f.state },
		thumbnail(m, doings),
		h('div', { class: 'file-line' },
			h('span', { class: 'file-icon', 'aria-hidden': 'true' }, kindOf(f)),
			h('div', { class: 'file-words' },
				h('div', { class: 'file-name', dir: 'auto', title: line(f.name) }, line(f.name)),
				h('div', { class: 'file-state' }, f.folder && f.files !== undefined ? `${n_('%d file', '%d files', f.files)} · ` : '', fileState(m))),
			h('div', { class: 'file-actions' }, fileActions(m, doings))),
		progress(m));
}

// --- text ---

const FOLDED_FROM = 60; // lines: sixteen thousand of them fit into a message, and a hundred of those into a page
const FOLDED_TO = 40;

function text(m) {
	const lines = m.text.split('\n');
	const isFolded = lines.length > FOLDED_FROM;
	const element = h('div', { class: isEmojiOnly(m.text) ? 'text only-emoji' : 'text' }, paragraphs(isFolded ? lines.slice(0, FOLDED_TO).join('\n') : m.text));
	if (isFolded) {
		const more = lines.length - FOLDED_TO;
		element.append(h('button', { type: 'button', class: 'plain', onclick: () => {
			const message = element.closest('.message');
			fill(element, paragraphs(m.text));
			reachable(message).focus();
		} }, n_('Show %d more line', 'Show %d more lines', more)));
	}
	return element;
}

// --- the whole ---

function body(m, doings) {
	if (m.retracted) return h('div', { class: 'text mute' }, m.own ? _('You deleted this message') : _('This message was deleted'));
	if (m.gone) return h('div', { class: 'text mute' }, _('This message has disappeared'));
	if (m.kind === 'unknown') return h('div', { class: 'text mute' }, _('Something that needs a newer version of Palique'));
	return [
		m.file && file(m, doings),
		m.text && text(m),
		m.buttons?.length && h('div', { class: 'buttons' }, m.buttons.map((words) => h('button', { type: 'button', class: 'plain', onclick: () => doings.press(m, words) }, line(words)))),
	];
}

// An image fills its bubble; a few emoji alone need none.
function looksOf(m) {
	if (m.retracted || m.gone) return 'bubble';
	if (m.file?.hasThumbnail) return m.text || m.buttons?.length ? 'bubble with-picture' : 'bubble with-picture without-words';
	return m.text && isEmojiOnly(m.text) && !m.file && !m.bot && !m.quote && !m.replyMissing && !m.buttons?.length ? 'bubble bare' : 'bubble';
}

// Tab goes to one message at a time: what is in the others is reached by the arrows.
export function reachable(element) {
	const isHere = element.classList.contains('is-focus');
	for (const one of element.querySelectorAll('button, a')) one.tabIndex = isHere ? 0 : -1;
	return element;
}

export function draw(m, doings) {
	const who = m.own ? _('You') : doings.shownName(m.conversation);
	return reachable(h('article', { class: `message ${m.own ? 'own' : 'theirs'}`, 'data-id': m.id, tabindex: -1, 'aria-label': _('%s, %s', who, clock(m.timestamp)) },
		m.missing ? h('div', { class: 'missing' }, icon('warn'), n_('%d message before this one is missing and was asked for', '%d messages before this one are missing and were asked for', m.missing)) : null,
		h('div', { class: looksOf(m) },
			m.bot && h('div', { class: 'bot' }, icon('bot'), _('bot %s', line(m.bot))),
			quote(m, doings), body(m, doings), meta(m)),
		reactions(m, doings),
		h('div', { class: 'tools' },
			!m.retracted && !m.gone && button(_('React'), 'smile', (e) => doings.pickReaction(m, e.currentTarget)),
			button(_('Reply'), 'reply', () => doings.answer(m)),
			button(_('More'), 'more', (e) => doings.menu(m, e.currentTarget), { 'aria-haspopup': 'menu' }))));
}

// How long those that disappear still stand.
export function redrawTime(element, m) {
	if (m.expiresAt) element.querySelector('.meta')?.replaceWith(meta(m));
}

// A state alone: the rest stays as it is, with what the person has marked in it.
export function redrawState(element, m) {
	element.querySelector('.meta .state')?.replaceWith(stateIcon(m));
}

export function redrawFile(element, m, doings) {
	const old = element.querySelector('.file');
	if (!old) return;
	const words = old.querySelector('.file-state');
	const bar = old.querySelector('progress');
	const isSame = old.dataset.state === m.file.state;
	old.dataset.state = m.file.state;
	words.textContent = fileState(m);
	const fresh = progress(m);
	if (bar && fresh) bar.value = fresh.value;
	else if (bar) bar.remove();
	else if (fresh) old.append(fresh);
	if (!isSame) {
		const actions = old.querySelector('.file-actions');
		const hadFocus = actions.contains(document.activeElement);
		fill(actions, fileActions(m, doings));
		reachable(element);
		if (hadFocus) (actions.querySelector('button') ?? element).focus();
	}
}
