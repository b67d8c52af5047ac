// Notifications of the browser, while nobody looks at the page.

import { _ } from './text.js';
import { line } from './safe.js';
import { shownName } from './list.js';
import * as state from './state.js';

const KEY = 'palique-notifies';
export const notifies = () => localStorage.getItem(KEY) !== 'no' && 'Notification' in window;
export const setNotifies = (on) => localStorage.setItem(KEY, on ? 'yes' : 'no');
export const askToNotify = async () => 'Notification' in window && (Notification.permission === 'granted' || await Notification.requestPermission() === 'granted');

function show(title, body, tag, onclick) {
	if (!notifies() || Notification.permission !== 'granted' || (document.visibilityState === 'visible' && document.hasFocus())) return;
	const one = new Notification(title, { body, tag, icon: '/assets/icon.svg' });
	one.onclick = () => {
		window.focus();
		onclick();
		one.close();
	};
}

export function beginNotifying(open) {
	state.me.notifies = () => notifies() && Notification.permission === 'granted';
	state.watch('received', (p) => show(shownName(p.conversation), line(p.message.text || p.message.file?.name || '').slice(0, 160), p.conversation, () => open(p.conversation)));
	state.watch('asked', (event, p) => show(p.name, event === 'keyChanged' ? _('shows another key') : _('wants to talk with you'), `${event}-${p.name}`, () => open(p.name)));
	const title = () => {
		const unread = [...state.contacts.values()].reduce((sum, c) => sum + (c.unread ?? 0), 0);
		document.title = unread ? `(${unread}) Palique` : 'Palique';
	};
	state.watch('contacts', title);
}
