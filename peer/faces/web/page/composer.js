// Where one writes: text, what it answers, files that were dropped or pasted. Each conversation keeps its draft.

import { h, fill, icon, button } from './dom.js';
import { _, bytes } from './text.js';
import { line } from './safe.js';
import { call, notify, upload } from './api.js';
import { dialog, failed, field, menu, notice } from './modal.js';
import { pickEmoji } from './emoji.js';
import { shownName } from './list.js';
import * as state from './state.js';

const TEXT_MAX = 16384; // bytes, of the engine

let input, banner, send, uploads, chooser, box;
const sentImages = new Map(); // message -> File: the engine needs its copy no longer than until it was fetched
const SENT_IMAGES_MAX = 50;
let underway = 0; // uploads
let commands; // of a bot
let typedAt = 0;

export function makeComposer() {
	input = h('textarea', { rows: 1, placeholder: _('Write a message'), 'aria-label': _('Write a message'), enterkeyhint: 'send', dir: 'auto', oninput, onkeydown, onpaste });
	banner = h('div', { class: 'banner', hidden: true });
	uploads = h('div', { class: 'uploads' });
	chooser = h('input', { type: 'file', multiple: true, hidden: true, tabindex: -1, 'aria-hidden': 'true', onchange: () => {
		offer([...chooser.files]);
		chooser.value = '';
	} });
	commands = button(_('Commands of the bot'), 'bot', showCommands, { hidden: true, 'aria-haspopup': 'menu' });
	send = button(_('Send'), 'send', submit, { class: 'round send' });
	box = h('form', { class: 'composer', onsubmit: (e) => { e.preventDefault(); submit(); } }, uploads, banner,
		h('div', { class: 'composer-line' },
			button(_('Attach files'), 'clip', () => chooser.click()), chooser, commands, input,
			button(_('Emoji'), 'smile', (e) => pickEmoji(e.currentTarget, insert)), send));
	drops();
	addEventListener('beforeunload', (e) => { if (underway) e.preventDefault(); });
	return box;
}

export const focusComposer = () => input.focus({ preventScroll: true });

// Who asks, or is blocked, is not written to: there is nothing to write in.
export function showComposer(contact) {
	box.hidden = !state.current || ['requests', 'blocked'].includes(contact?.state);
	commands.hidden = !contact?.commands?.length;
	if (!box.hidden) grow();
}


// Another conversation: its draft comes, and what stood here is kept with the one before.
export function showDraft() {
	const c = state.open();
	if (!c) return;
	input.value = c.draft;
	grow();
	drawBanner();
}

function grow() {
	input.style.height = 'auto';
	input.style.height = `${Math.min(input.scrollHeight, innerHeight / 3)}px`;
	send.classList.toggle('ready', Boolean(input.value.trim()));
}

function oninput() {
	const c = state.open();
	c.draft = input.value;
	grow();
	if (Date.now() - typedAt > 4000 && input.value) {
		typedAt = Date.now();
		notify('sendTyping', { conversation: c.name });
	}
}

function insert(text) {
	input.setRangeText(text, input.selectionStart, input.selectionEnd, 'end');
	oninput();
	focusComposer();
}

function onkeydown(e) {
	const c = state.open();
	const isTouch = matchMedia('(pointer: coarse) and (hover: none)').matches;
	if (e.key === 'Enter' && !e.shiftKey && !e.isComposing && (!isTouch || e.ctrlKey)) {
		e.preventDefault();
		submit();
	} else if (e.key === 'Escape' && (c.answering || c.editing)) {
		stop();
		e.stopPropagation();
	} else if (e.key === 'ArrowUp' && !input.value && !e.altKey) {
		const last = c.messages.findLast((m) => m.own && m.text && !m.retracted && !m.gone);
		if (last) {
			edit(last);
			e.preventDefault();
		}
	}
}

async function submit() {
	const c = state.open();
	const text = input.value.trim();
	if (!c || !text) return;
	if (new TextEncoder().encode(text).length > TEXT_MAX) return failed({ message: _('This message is too long: at most %s fit. Send the rest as another one, or as a file.', bytes(TEXT_MAX)) });
	const { answering, editing } = c;
	c.draft = '';
	c.answering = c.editing = null;
	showDraft();
	typedAt = 0;
	try {
		if (editing) await call('editMessage', { id: editing.id, text });
		else await state.say(c.name, text, answering?.id);
		if (c.hasNewer) await state.newest(c.name);
	} catch (e) {
		// what was written is never lost
		c.draft = c.draft || text;
		c.answering ??= answering;
		c.editing ??= editing;
		if (state.current === c.name) showDraft();
		failed(e);
	}
}

// What a bot says that it understands: chosen, it stands in the field, to be completed and sent.
function showCommands() {
	menu(commands, state.contacts.get(state.current).commands.slice(0, 32).map((one) => [[h('b', {}, line(one.name)), ' ', h('span', { class: 'mute' }, line(one.about))], null, () => {
		input.value = `${line(one.name)} `;
		oninput();
		focusComposer();
	}]));
}

// --- answering and editing ---

export function answer(m) {
	const c = state.open();
	if (c.editing) c.draft = '';
	c.answering = m;
	c.editing = null;
	showDraft();
	focusComposer();
}

export function edit(m) {
	const c = state.open();
	c.editing = m;
	c.answering = null;
	c.draft = m.text;
	showDraft();
	focusComposer();
}

function stop() {
	const c = state.open();
	if (c.editing) c.draft = '';
	c.answering = c.editing = null;
	showDraft();
}

function drawBanner() {
	const c = state.open();
	const m = c.answering ?? c.editing;
	banner.hidden = !m;
	if (!m) return;
	fill(banner, icon(c.editing ? 'edit' : 'reply'),
		h('div', {}, h('b', {}, c.editing ? _('Edit the message') : _('Answer to %s', m.own ? _('yourself') : shownName(m.conversation))), h('div', { class: 'mute one-line', dir: 'auto' }, line(m.text || m.file?.name || ''))),
		button(_('Cancel'), 'close', stop));
}

// --- files ---

function onpaste(e) {
	const files = [...e.clipboardData.files];
	if (!files.length) return;
	e.preventDefault();
	offer(files.map((f) => (f.name === 'image.png' ? new File([f], `${_('pasted')}-${new Date().toISOString().slice(0, 19).replaceAll(':', '')}.png`, { type: f.type }) : f)));
}

function drops() {
	let depth = 0;
	const veil = h('div', { class: 'veil', hidden: true }, h('div', {}, icon('clip'), _('Let go to send it')));
	document.body.append(veil);
	const has = (e) => state.open() && e.dataTransfer?.types.includes('Files');
	const end = () => {
		depth = 0;
		veil.hidden = true;
	};
	addEventListener('dragenter', (e) => { if (has(e)) { depth++; veil.hidden = false; } });
	addEventListener('dragleave', () => { if (--depth <= 0) end(); });
	addEventListener('dragover', (e) => e.preventDefault());
	addEventListener('drop', (e) => {
		e.preventDefault();
		end();
		if (!has(e)) return;
		const folders = [...e.dataTransfer.items].map((item) => item.webkitGetAsEntry?.()).filter((entry) => entry?.isDirectory);
		const names = new Set(folders.map((entry) => entry.name));
		if (folders.length) notice(_('A browser gives no folders away. In a terminal a folder goes as a whole: %s', `palique send ${state.current} -f ${line(folders[0].name)}`), { isError: true });
		offer([...e.dataTransfer.files].filter((file) => !names.has(file.name)));
	});
}

// Shown before it goes: what it is, to whom, and with which words.
async function offer(files) {
	const c = state.open();
	if (!c || !files.length) return;
	const name = c.name;
	const caption = h('input', { type: 'text', maxlength: 4000, autocomplete: 'off' });
	const rows = files.slice(0, 100).map((file) => {
		const alt = file.type.startsWith('image/') ? h('input', { type: 'text', maxlength: 900, autocomplete: 'off' }) : null;
		const preview = alt && file.size < 32e6 ? h('img', { src: URL.createObjectURL(file), alt: '' }) : icon('file');
		return { file, alt, preview, row: h('div', { class: 'offer' }, h('div', { class: 'offer-picture' }, preview), h('div', { class: 'offer-words' }, h('b', { class: 'one-line' }, line(file.name)), h('div', { class: 'mute' }, bytes(file.size)), alt && field(_('What it shows (for who cannot see it)'), alt))) };
	});
	const yes = await dialog(_('Send to %s', shownName(name)), (close) => h('form', { onsubmit: (e) => { e.preventDefault(); close(true); } },
		rows.map((r) => r.row),
		field(_('A few words with it'), caption),
		h('div', { class: 'answers' }, h('button', { type: 'submit', class: 'main', autofocus: true }, _('Send')))));
	for (const { preview } of rows) if (preview.src) URL.revokeObjectURL(preview.src);
	if (!yes) return;
	const replyTo = c.answering?.id;
	if (replyTo) stop();
	for (const [i, { file, alt }] of rows.entries()) sendOne(name, file, alt?.value.trim(), i ? '' : caption.value.trim(), i ? null : replyTo);
	focusComposer();
}

async function sendOne(name, file, alt, caption, replyTo) {
	const stopper = new AbortController();
	underway++;
	const bar = h('progress', { max: file.size || 1, value: 0, 'aria-label': line(file.name) });
	const one = h('div', { class: 'upload' }, icon('clip'), h('span', { class: 'one-line' }, line(file.name)), bar, button(_('Cancel'), 'close', () => stopper.abort()));
	uploads.append(one);
	try {
		const spool = await upload(file, (done) => { bar.value = done; }, stopper.signal);
		const { id } = await call('sendFile', { conversation: name, spool, name: file.name, ...(file.type ? { type: file.type } : {}), ...(alt ? { alt } : {}), ...(caption ? { caption } : {}), ...(replyTo ? { replyTo } : {}) });
		if (file.type.startsWith('image/')) {
			sentImages.set(id, file);
			if (sentImages.size > SENT_IMAGES_MAX) sentImages.delete(sentImages.keys().next().value);
		}
	} catch (e) {
		if (e.name !== 'AbortError') failed(Object.assign(e, { message: `${line(file.name)}: ${e.message || _('the line to the engine is lost')}`, kind: 'io' }));
	} finally {
		underway--;
		one.remove();
	}
}

export const sentImage = (id) => sentImages.get(id);
