// The conversation that is open: a window of its messages, fetched as one scrolls. What is older stands
// outside of the live region; what arrives is told to who listens.

import { h, fill, icon, say } from './dom.js';
import { _, n_, day, isSameDay } from './text.js';
import { draw, reachable, redrawState, redrawFile, redrawTime } from './message.js';
import * as state from './state.js';
import { line } from './safe.js';

const NEAR = 1200; // pixels from an end of what is here at which more is fetched

let scroller, rows, bottom, doings;
let shown = null; // conversation whose rows are drawn
let atBottom = true;
let missed = 0;

export function makeTimeline(given) {
	doings = { ...given, jump };
	rows = h('div', { class: 'rows', role: 'group', 'aria-label': _('Messages') });
	scroller = h('div', { class: 'timeline', tabindex: 0, role: 'region', 'aria-label': _('What was said'), onscroll, onkeydown }, rows);
	bottom = h('button', { type: 'button', class: 'to-bottom', hidden: true, onclick: toBottom }, icon('down'), h('span', {}));
	state.watch('messages', onMessages);
	setInterval(() => {
		for (const m of state.open()?.messages ?? []) if (m.expiresAt) withRow(m.id, (r) => redrawTime(r.querySelector('.message'), m));
	}, 30000);
	const resized = new ResizeObserver(() => { if (atBottom && !state.open()?.hasNewer) pin(); });
	resized.observe(scroller);
	resized.observe(rows);
	return h('div', { class: 'timeline-frame' }, scroller, bottom);
}

export function showConversation(name) {
	shown = name;
	missed = 0;
	atBottom = true;
	fill(rows);
	drawBottom();
	const c = state.open();
	if (c?.isWhole) drawAll(c);
}

function separators(c, m, before) {
	const list = [];
	if (!before || !isSameDay(before.timestamp, m.timestamp)) list.push(h('div', { class: 'day', role: 'separator' }, h('span', {}, day(m.timestamp))));
	if (m.id === c.firstUnread) list.push(h('div', { class: 'unread-line', role: 'separator' }, h('span', {}, _('New messages'))));
	return list;
}

function row(c, at) {
	const m = c.messages[at];
	const before = c.messages[at - 1];
	const element = draw(m, doings);
	if (before && before.own === m.own && m.timestamp - before.timestamp < 180000 && !m.missing) element.classList.add('follows');
	return h('div', { class: 'row', 'data-row': m.id }, separators(c, m, before), element);
}

function drawAll(c) {
	const list = c.messages.map((_m, at) => row(c, at));
	fill(rows, c.hasOlder ? null : beginning(c), list);
	const unread = rows.querySelector('.unread-line');
	if (unread && !c.target) unread.scrollIntoView({ block: 'center' });
	else if (!c.hasNewer && !c.target) pin();
	onscroll();
}

function beginning(c) {
	return h('div', { class: 'beginning' }, icon('shield'), h('p', {}, _('This is where your conversation with %s begins.', doings.shownName(c.name))),
		h('p', { class: 'mute' }, _('Messages go straight from your machine to theirs, encrypted. No server reads along.')));
}

function onMessages(name, what) {
	if (name === shown) keepFocus(() => show(state.open(), what));
}

// Rows are drawn anew and go: who is at one by the keyboard stays at it, or at its neighbour.
function keepFocus(change) {
	const at = document.activeElement.closest('.row');
	if (!at || !rows.contains(at)) return change();
	const beside = [at, at.nextElementSibling, at.previousElementSibling].map((r) => r?.dataset.row);
	change();
	if (rows.contains(document.activeElement)) return;
	const still = beside.find((id) => id && find(id));
	if (still) focusMessage(find(still).querySelector('.message'));
	else scroller.focus({ preventScroll: true });
}

function show(c, what) {
	switch (what.kind) {
	case 'all': return drawAll(c);
	case 'older': return keepPlace(() => {
		drop(what.dropped, true);
		const list = c.messages.slice(0, what.count).map((_m, at) => row(c, at));
		rows.querySelector('.beginning')?.remove();
		rows.prepend(...(c.hasOlder ? [] : [beginning(c)]), ...list);
		if (c.messages[what.count]) replaceRow(c, what.count);
	});
	case 'newer': return keepPlace(() => {
		const from = c.messages.length - what.count;
		drop(what.dropped, false);
		rows.append(...c.messages.slice(from).map((_m, at) => row(c, from + at)));
	});
	case 'arrived': return arrive(c, what);
	case 'elsewhere':
		missed += what.count;
		return drawBottom();
	case 'changed': return replaceRow(c, c.messages.indexOf(what.message));
	case 'state': return withRow(what.message.id, (r) => redrawState(r.querySelector('.message'), what.message));
	case 'file': return withRow(what.message.id, (r) => redrawFile(r.querySelector('.message'), what.message, doings));
	case 'gone': return withRow(what.id, (r) => r.remove());
	}
}

const find = (id) => rows.querySelector(`[data-row="${CSS.escape(id)}"]`);
function withRow(id, f) {
	const found = find(id);
	if (found) f(found);
}

function replaceRow(c, at) {
	const m = c.messages[at];
	withRow(m?.id ?? '', (old) => {
		old.replaceWith(row(c, at));
		if (atBottom) pin();
	});
}

function drop(count, fromEnd) {
	const all = rows.querySelectorAll(':scope > .row');
	for (let i = 0; i < count; i++) all[fromEnd ? all.length - 1 - i : i].remove();
}

// Whatever is drawn above: what one looks at stays where it is.
function keepPlace(change) {
	const top = scroller.getBoundingClientRect().top;
	let anchor = null;
	for (const r of rows.children) {
		if (r.getBoundingClientRect().bottom > top) {
			anchor = r.dataset.row;
			break;
		}
	}
	const before = anchor ? find(anchor).getBoundingClientRect().top : 0;
	change();
	const still = anchor && find(anchor);
	if (still) scroller.scrollTop += still.getBoundingClientRect().top - before;
}

function arrive(c, { messages, count, dropped }) {
	const wasAtBottom = atBottom;
	const from = c.messages.length - count;
	const change = () => {
		drop(dropped, false);
		for (const old of rows.querySelectorAll('.unread-line')) if (old.closest('.row').dataset.row !== c.firstUnread) old.remove();
		rows.append(...c.messages.slice(from).map((_m, at) => row(c, from + at)));
	};
	if (wasAtBottom) change();
	else keepPlace(change);
	const theirs = messages.filter((m) => !m.own);
	if (wasAtBottom || messages.some((m) => m.own && m.state === 'queued')) pin();
	if (!atBottom) missed += theirs.length;
	if (theirs.length === 1) say(_('%s: %s', doings.shownName(c.name), line(theirs[0].text || theirs[0].file?.name || '').slice(0, 300)));
	else if (theirs.length) say(n_('%d new message', '%d new messages', theirs.length));
	drawBottom();
	sight();
}

// The newest in sight; but what came while nobody looked is not passed by.
function pin() {
	scroller.scrollTop = scroller.scrollHeight;
	const unread = document.hidden ? rows.querySelector('.unread-line') : null;
	const over = unread ? scroller.getBoundingClientRect().top - unread.getBoundingClientRect().top : 0;
	if (over > 0) scroller.scrollTop -= over;
	atBottom = over <= 0;
	const c = state.open();
	if (c) c.isFollowed = atBottom;
}

async function toBottom() {
	missed = 0;
	if (state.open()?.hasNewer) await state.newest(shown);
	pin();
	drawBottom();
	sight();
}

function drawBottom() {
	bottom.hidden = atBottom && !state.open()?.hasNewer;
	bottom.lastChild.textContent = missed ? n_('%d new message', '%d new messages', missed) : '';
	bottom.setAttribute('aria-label', missed ? n_('To %d new message', 'To %d new messages', missed) : _('To the newest message'));
}

let frame = 0;
function onscroll() {
	if (frame) return;
	frame = requestAnimationFrame(() => {
		frame = 0;
		const c = state.open();
		if (!c) return;
		const left = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight;
		atBottom = left < 40 && !c.hasNewer;
		c.isFollowed = atBottom;
		if (atBottom) missed = 0;
		drawBottom();
		if (scroller.scrollTop < NEAR) state.older(c.name).catch(() => {});
		if (left < NEAR) state.newer(c.name).catch(() => {});
		sight();
	});
}

// What is on the screen while the person looks at this page is read. The engine is told, too, what is looked
// at, so that the desktop does not notify of it.
export function sight() {
	const c = state.open();
	const isLooking = c && state.isSeen(c.name);
	state.looking(isLooking ? c.name : undefined);
	if (!isLooking || !atBottom) return;
	const last = c.messages.findLast((m) => !m.own);
	if (last) state.markRead(c.name, last.id);
}

export async function jump(id) {
	const name = shown;
	const c = state.open();
	if (!id || !c) return;
	if (!c.byId.has(id)) {
		c.target = id;
		try {
			await state.around(name, id);
		} finally {
			c.target = null;
		}
	}
	withRow(id, (r) => {
		r.scrollIntoView({ block: 'center' });
		r.classList.add('found');
		setTimeout(() => r.classList.remove('found'), 2500);
		focusMessage(r.querySelector('.message'));
	});
}

// --- by keyboard: up and down from message to message, Enter for what can be done with it ---

function focusMessage(element) {
	for (const old of rows.querySelectorAll('.message.is-focus')) {
		old.classList.remove('is-focus');
		old.tabIndex = -1;
		reachable(old);
	}
	if (!element) return;
	element.classList.add('is-focus');
	element.tabIndex = 0;
	reachable(element);
	element.focus({ preventScroll: true });
	element.scrollIntoView({ block: 'nearest' });
}

function onkeydown(e) {
	const all = [...rows.querySelectorAll('.message')];
	const at = all.indexOf(document.activeElement);
	const to = { ArrowUp: at < 0 ? all.length - 1 : at - 1, ArrowDown: at + 1, Home: 0, End: all.length - 1 }[e.key];
	if (e.altKey || e.ctrlKey || e.metaKey) return;
	if (to !== undefined && (e.target === scroller || at >= 0)) {
		if (all[to]) focusMessage(all[to]);
		else if (to >= all.length) doings.toComposer();
		e.preventDefault();
	} else if (e.key === 'Enter' && at >= 0) {
		doings.menu(state.open().byId.get(all[at].dataset.id), all[at].querySelector('.tools button:last-child'));
		e.preventDefault();
	} else if (e.key === 'Escape') doings.toComposer();
}
