// What the page knows: contacts, conversations, messages, and which of it is looked at. Fed by answers and
// by events; who draws listens to `watch`.

import { call, notify, on } from './api.js';

export const PAGE = 100; // messages asked for at a time
export const WINDOW = 300; // messages of one conversation kept, and drawn, at a time

export const me = { account: null, profile: null, settings: null, host: null };
export const contacts = new Map(); // name -> Contact
export const conversations = new Map(); // name -> Conversation
export let current = null; // name of the conversation that is open
export let isOnline = false; // whether the line to the engine is up

const watchers = new Map();

// Topics: 'me', 'contacts', 'contact' (name), 'messages' (name, {kind, ...}), 'current', 'line', 'devices'
// Returns what ends it.
export function watch(topic, f) {
	if (!watchers.has(topic)) watchers.set(topic, new Set());
	watchers.get(topic).add(f);
	return () => watchers.get(topic).delete(f);
}

function changed(topic, ...what) {
	for (const f of watchers.get(topic) ?? []) f(...what);
}

// messages: a window of the conversation, oldest first; what lies before and behind it is fetched when it is needed.
function conversation(name) {
	if (!conversations.has(name))
		conversations.set(name, { name, messages: [], byId: new Map(), last: null, isWhole: false, hasOlder: true, hasNewer: false, isFollowed: true, isLoading: false, draft: '', answering: null, editing: null, firstUnread: null });
	return conversations.get(name);
}

export const open = () => (current ? conversation(current) : null);

// --- what the engine says ---

export async function refresh() {
	const status = await call('status');
	me.account = status.account;
	me.profile = status.profile ?? null;
	me.host = status.host ?? null;
	me.defaultDirectory = status.defaultDirectory ?? '';
	me.version = status.version;
	changed('me');
	if (me.account.state === 'none' || me.account.state === 'joining') return;
	const list = (await call('listContacts')).contacts;
	contacts.clear();
	for (const contact of list) contacts.set(contact.name, contact);
	await Promise.all([...list.map(loadLast), refreshProposals()]);
	changed('contacts');
}

export let proposals = []; // what programs would like to say, and waits for a person

async function refreshProposals() {
	proposals = (await call('listProposals').catch(() => null))?.proposals ?? [];
	changed('proposals');
	changed('contacts');
}

async function loadLast(contact) {
	const [last] = (await call('getMessages', { conversation: contact.name, limit: 1 }).catch(() => ({ messages: [] }))).messages;
	const c = conversation(contact.name);
	c.last = last ?? null;
}

async function refreshContact(name) {
	try {
		contacts.set(name, (await call('getContact', { name })).contact);
	} catch {
		contacts.delete(name);
	}
	changed('contact', name);
	changed('contacts');
}

// Several events of one moment ask once.
const due = new Set();
function refreshSoon(name) {
	if (due.has(name)) return;
	due.add(name);
	setTimeout(() => {
		due.delete(name);
		refreshContact(name);
	}, 60);
}

// In the order of the newest message; who asks or is asked and never said anything comes behind.
export function listed() {
	const time = (c) => conversations.get(c.name)?.last?.arrivedAt ?? 0;
	return [...contacts.values()].filter((c) => c.state !== 'blocked').sort((a, b) => (b.state === 'requests') - (a.state === 'requests') || time(b) - time(a) || a.name.localeCompare(b.name));
}

// --- messages ---

// Whether there are others beyond an answer to who asked for `wanted`: long ones may be too many for one.
const isFull = (answer, wanted) => answer.messages.length === wanted || answer.more === true;

function take(c, list) {
	c.messages = list;
	c.byId = new Map(list.map((m) => [m.id, m]));
}

export async function openConversation(name) {
	current = name;
	changed('current');
	if (!name) return;
	const c = conversation(name);
	if (!c.isWhole) await newest(name);
	else if (!contacts.get(name)?.unread) c.firstUnread = null;
}

// The newest page, in place of whatever is there.
export async function newest(name) {
	const c = conversation(name);
	const unread = contacts.get(name)?.unread ?? 0;
	const answer = await call('getMessages', { conversation: name, limit: PAGE });
	const { messages } = answer;
	take(c, messages);
	c.isWhole = true;
	c.hasNewer = false;
	c.hasOlder = isFull(answer, PAGE);
	c.last = messages.at(-1) ?? null;
	const theirs = messages.filter((m) => !m.own);
	c.firstUnread = unread > 0 && unread <= theirs.length ? theirs.at(-unread).id : null;
	changed('messages', name, { kind: 'all' });
}

// A page around one message, wherever it stands.
export async function around(name, id) {
	const c = conversation(name);
	const [before, there, behind] = await Promise.all([
		call('getMessages', { conversation: name, limit: PAGE / 2, before: id }),
		call('getMessage', { id }),
		call('getMessages', { conversation: name, limit: PAGE, after: id }),
	]);
	take(c, [...before.messages, there.message, ...behind.messages]);
	c.isWhole = true;
	c.hasOlder = isFull(before, PAGE / 2);
	c.hasNewer = isFull(behind, PAGE);
	changed('messages', name, { kind: 'all' });
}

export async function older(name) {
	const c = conversation(name);
	if (!c.hasOlder || c.isLoading || !c.messages.length) return;
	c.isLoading = true;
	const first = c.messages[0].id;
	try {
		const answer = await call('getMessages', { conversation: name, limit: PAGE, before: first });
		const { messages } = answer;
		if (c.messages[0]?.id !== first) return;
		c.hasOlder = isFull(answer, PAGE);
		let all = [...messages, ...c.messages];
		const dropped = Math.max(0, all.length - WINDOW);
		if (dropped) {
			all = all.slice(0, WINDOW);
			c.hasNewer = true;
		}
		take(c, all);
		changed('messages', name, { kind: 'older', count: messages.length, dropped });
	} finally {
		c.isLoading = false;
	}
}

export async function newer(name) {
	const c = conversation(name);
	if (!c.hasNewer || c.isLoading || !c.messages.length) return;
	c.isLoading = true;
	const last = c.messages.at(-1).id;
	try {
		const answer = await call('getMessages', { conversation: name, limit: PAGE, after: last });
		const { messages } = answer;
		if (c.messages.at(-1)?.id !== last) return;
		c.hasNewer = isFull(answer, PAGE);
		let all = [...c.messages, ...messages];
		const dropped = Math.max(0, all.length - WINDOW);
		if (dropped) {
			all = all.slice(dropped);
			c.hasOlder = true;
		}
		take(c, all);
		changed('messages', name, { kind: 'newer', count: messages.length, dropped });
	} finally {
		c.isLoading = false;
	}
}

// New ones come in bursts: they are collected and drawn once a frame.
let arrived = new Map(); // name -> [message]

function arrive(message) {
	const name = message.conversation;
	// a page that is hidden draws no frames
	if (!arrived.size) document.hidden ? setTimeout(settle, 250) : requestAnimationFrame(settle);
	if (!arrived.has(name)) arrived.set(name, []);
	arrived.get(name).push(message);
}

function settle() {
	if (!arrived.size) return;
	const all = arrived;
	arrived = new Map();
	for (const [name, list] of all) {
		const c = conversation(name);
		c.last = list.at(-1);
		if (!c.isWhole || c.hasNewer) {
			changed('messages', name, { kind: 'elsewhere', count: list.length });
			continue;
		}
		const fresh = list.filter((m) => !c.byId.has(m.id));
		const before = c.messages.length;
		if (before + fresh.length > WINDOW && !c.isFollowed) {
			// what one reads further up stays; these are fetched when one comes down
			c.hasNewer = true;
			changed('messages', name, { kind: 'elsewhere', count: fresh.length });
			continue;
		}
		take(c, [...c.messages, ...fresh].slice(-WINDOW));
		const count = Math.min(fresh.length, c.messages.length); // of them that are in the window
		const dropped = before + count - c.messages.length;
		if (dropped) c.hasOlder = true;
		changed('messages', name, { kind: 'arrived', messages: fresh, count, dropped });
	}
	changed('contacts');
}

// Another state of one that may be here.
function replace(message) {
	const c = conversations.get(message.conversation);
	if (!c) return;
	if (c.last?.id === message.id) c.last = message;
	const at = c.messages.findIndex((m) => m.id === message.id);
	if (at < 0) return;
	c.messages[at] = message;
	c.byId.set(message.id, message);
	changed('messages', c.name, { kind: 'changed', message });
}

function fromEvent(p, own) {
	return { id: p.id, conversation: p.conversation, own, timestamp: p.timestamp, arrivedAt: p.arrivedAt ?? p.timestamp, state: own ? 'queued' : 'received', ...p.message };
}

// Whether a person has this conversation before them at this moment.
export const isSeen = (name) => name === current && document.visibilityState === 'visible' && document.hasFocus();

on('receive', (p) => {
	arrive(fromEvent(p, false));
	const contact = contacts.get(p.conversation);
	// from here on it is new to who comes back
	if (!contact?.unread && !isSeen(p.conversation)) conversation(p.conversation).firstUnread = p.id;
	if (contact) {
		contact.unread = (contact.unread ?? 0) + 1;
		contact.typing = false;
	}
	changed('received', p);
});
on('sent', (p) => arrive(fromEvent(p, true)));
on('delivery', (p) => {
	settle(); // it may speak of one that came in this very moment
	const c = conversations.get(p.conversation);
	if (!c) return;
	const order = { queued: 0, delivered: 1, read: 2 };
	const upTo = BigInt(p.upTo);
	const better = (m) => m.own && order[m.state] < order[p.state] && BigInt(m.id) <= upTo;
	// with several devices it speaks of those of one alone: the engine knows which
	const touched = c.messages.filter(better);
	if (c.last && better(c.last) && !p.otherDevice) c.last.state = p.state; // often one of them
	if (p.otherDevice) {
		for (const m of touched) call('getMessage', { id: m.id }).then((r) => replace(r.message)).catch(() => {});
		return;
	}
	for (const m of touched) {
		m.state = p.state;
		changed('messages', c.name, { kind: 'state', message: m });
	}
	changed('contacts');
});
on('changed', (p) => {
	settle();
	if (p.message) return replace({ ...p.message, conversation: p.conversation });
	const c = conversations.get(p.conversation);
	if (!c?.byId.has(p.id)) return;
	c.byId.delete(p.id);
	c.messages = c.messages.filter((m) => m.id !== p.id);
	changed('messages', c.name, { kind: 'gone', id: p.id });
});
on('transferProgress', (p) => {
	if (p.eventId) settle();
	const c = conversations.get(p.conversation);
	const m = c?.byId.get(p.id);
	if (!m?.file) return;
	const { id, conversation: name, own, eventId, ...file } = p;
	for (const key of ['rate', 'secondsLeft', 'error', 'reason']) delete m.file[key];
	Object.assign(m.file, file);
	changed('messages', c.name, { kind: 'file', message: m });
	// its small image is made, or checked, a moment after the message
	if (!m.file.hasThumbnail && m.file.type?.startsWith('image/') && p.eventId) call('getMessage', { id }).then((r) => { if (r.message.file?.hasThumbnail) replace(r.message); }).catch(() => {});
});
on('read', (p) => {
	const contact = contacts.get(p.conversation);
	if (contact) contact.unread = p.unread;
	changed('contacts');
});
on('typing', (p) => {
	const contact = contacts.get(p.conversation);
	if (contact) contact.typing = p.typing;
	changed('contact', p.conversation);
	changed('contacts');
});
for (const event of ['presence', 'connection', 'contactRequest', 'keyChanged', 'contact', 'profile', 'missing', 'timer'])
	on(event, (p) => {
		const name = p.name ?? p.conversation;
		if (event === 'profile' && p.own) {
			me.profile = p.profile;
			return changed('me');
		}
		if (p.contact) {
			contacts.set(name, p.contact);
			changed('contact', name);
			changed('contacts');
		} else refreshSoon(name);
		if (event === 'contactRequest' || event === 'keyChanged') changed('asked', event, p);
	});
on('account', () => call('status').then((s) => { me.account = s.account; changed('me'); }).catch(() => {}));
on('devices', (p) => changed('devices', p.devices));
on('warning', (p) => changed('notice', p, true));
on('notice', (p) => changed('notice', p, false));
on('history', (p) => {
	if (!p.over) return;
	for (const c of conversations.values()) c.isWhole = false;
	refresh().then(() => current && newest(current));
});
for (const event of ['proposal', 'proposalSettled']) on(event, () => refreshProposals());
on('open', async () => {
	isOnline = true;
	await refresh();
	changed('line');
});
on('lost', () => {
	isOnline = false;
	looked = null;
	changed('line');
});

// --- what the person does ---

export function markRead(name, id) {
	const contact = contacts.get(name);
	if (!contact?.unread) return;
	contact.unread = 0;
	notify('markRead', { conversation: name, upTo: id });
	changed('contacts');
}

let looked = null;
export function looking(conversation) {
	const now = JSON.stringify({ ...(conversation ? { conversation } : {}), notifies: me.notifies?.() ?? false });
	if (now === looked || !isOnline) return;
	looked = now;
	notify('looking', JSON.parse(now));
}

export async function say(name, text, replyTo) {
	await call('send', { conversation: name, text, ...(replyTo ? { replyTo } : {}) });
}
