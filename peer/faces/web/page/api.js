// The line to the engine: a session, one WebSocket that speaks the local API, and what HTTP is for:
// uploads, files, images.

let key = localStorage.getItem('palique-key');
let socket = null;
let number = 0;
let lastEvent = null;
let waitBefore = 250;
const calls = new Map(); // id -> {resolve, reject}
const listeners = new Map(); // event -> [function]

export class ApiError extends Error {
	constructor(error) {
		super(error.message);
		this.kind = error.data?.kind ?? 'io';
		this.hint = error.data?.hint ?? '';
	}
}

export function on(event, f) {
	if (!listeners.has(event)) listeners.set(event, []);
	listeners.get(event).push(f);
}

function tell(event, params) {
	for (const f of listeners.get(event) ?? []) f(params);
}

const headers = () => ({ 'X-Palique-Key': key });

// Trades the token of the address for a session. False: there is none, and `palique web` must be typed.
export async function openSession() {
	const token = new URLSearchParams(location.hash.slice(1)).get('t');
	if (!token) return Boolean(key);
	const rest = new URLSearchParams(location.hash.slice(1));
	rest.delete('t');
	history.replaceState(null, '', rest.size ? `/#${rest}` : '/');
	const answer = await fetch('/session', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ token }) });
	if (!answer.ok) return Boolean(key);
	key = (await answer.json()).key;
	localStorage.setItem('palique-key', key);
	return true;
}

export async function endSession() {
	await fetch('/session/end', { method: 'POST', headers: headers() }).catch(() => {});
	localStorage.removeItem('palique-key');
	location.reload();
}

// Connects, and again whenever the line breaks: nothing is lost, events are resumed behind the last.
export function connect(language) {
	socket = new WebSocket(`ws://${location.host}/socket`, ['palique', `palique.${key}`]);
	let isOpen = false;
	socket.onopen = async () => {
		isOpen = true;
		waitBefore = 250;
		try {
			await call('setLanguage', { language });
			await call('subscribe', lastEvent ? { since: lastEvent } : {}).then((r) => { lastEvent ??= r.lastEventId; });
			tell('open');
		} catch {
			socket.close();
		}
	};
	socket.onmessage = (m) => {
		const o = JSON.parse(m.data);
		if (o.method) {
			if (o.params?.eventId) lastEvent = o.params.eventId;
			tell(o.method, o.params);
			tell('*', o);
			return;
		}
		const waiting = calls.get(o.id);
		calls.delete(o.id);
		if (o.error) waiting?.reject(new ApiError(o.error));
		else waiting?.resolve(o.result);
	};
	socket.onclose = async () => {
		for (const waiting of calls.values()) waiting.reject(new ApiError({ message: '', data: { kind: 'closed' } }));
		calls.clear();
		if (isOpen) tell('lost');
		const end = isOpen ? null : await ending();
		if (end) return tell('over', end);
		setTimeout(() => connect(language), waitBefore);
		waitBefore = Math.min(waitBefore * 2, 5000);
	};
}

// Whether the session itself is gone (the engine has ended, and begun again perhaps), not the line alone.
async function ending() {
	try {
		return (await fetch('/session', { headers: headers() })).status === 401 ? { isStopped: false } : null;
	} catch {
		return waitBefore >= 2000 ? { isStopped: true } : null; // nobody listens there any more
	}
}

export function call(method, params = {}) {
	return new Promise((resolve, reject) => {
		if (socket?.readyState !== WebSocket.OPEN) return reject(new ApiError({ message: '', data: { kind: 'closed' } }));
		const id = ++number;
		calls.set(id, { resolve, reject });
		socket.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
	});
}

export function notify(method, params = {}) {
	if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ jsonrpc: '2.0', method, params }));
}

// --- images ---

const images = new Map(); // path -> promise of an object URL
const IMAGES_MAX = 300;

// The address of an image of the engine's ('/thumbnail/17'), or null where there is none.
export function image(path) {
	let found = images.get(path);
	if (!found) {
		found = fetch(path, { headers: headers() }).then(async (answer) => (answer.ok ? URL.createObjectURL(await answer.blob()) : null)).catch(() => null);
		images.set(path, found);
		if (images.size > IMAGES_MAX) {
			const [oldest, promise] = images.entries().next().value;
			images.delete(oldest);
			promise.then((url) => url && URL.revokeObjectURL(url));
		}
	}
	return found;
}

export function forgetImage(path) {
	images.delete(path);
}

// --- files ---

export const UPLOAD_PIECE = 4 << 20;

// Writes a file of this machine's into a spool of the engine's, piece by piece: what is there already is
// not sent again when the line breaks. `progress` is told (done, size). Returns the spool.
export async function upload(file, progress, signal) {
	const { spool } = await call('newSpool');
	let done = 0;
	let failures = 0;
	while (done < file.size) {
		if (signal?.aborted) throw new DOMException('', 'AbortError');
		try {
			const answer = await fetch(`/upload/${spool}?offset=${done}`, { method: 'PUT', headers: headers(), body: file.slice(done, done + UPLOAD_PIECE), signal });
			if (!answer.ok) throw new ApiError({ message: (await answer.text()).slice(0, 300), data: { kind: answer.status === 507 ? 'full' : 'io' } });
			done = (await answer.json()).length;
			failures = 0;
			progress(done, file.size);
		} catch (e) {
			if (e.name === 'AbortError' || e.kind === 'full' || ++failures > 20) throw e;
			await new Promise((wake) => { setTimeout(wake, Math.min(250 << failures, 5000)); });
			const there = await fetch(`/upload/${spool}`, { headers: headers() }).catch(() => null);
			if (there?.ok) done = (await there.json()).length;
		}
	}
	return spool;
}

// Has the browser save a file that is here: by a ticket, since a navigation carries no key.
export async function save(id, name) {
	const answer = await fetch(`/ticket/${id}`, { method: 'POST', headers: headers() });
	if (!answer.ok) throw new ApiError({ message: (await answer.text()).slice(0, 300), data: { kind: 'not-found' } });
	const a = document.createElement('a');
	a.href = `/file/${(await answer.json()).ticket}`;
	a.download = name;
	a.click();
}

export const fileBytes = (id) => fetch(`/image/${id}`, { headers: headers() });
export const qr = (text) => `/qr?${new URLSearchParams({ text })}`;
