// Languages: the page's part of the one catalogue. _('...') is what xgettext looks for.

const known = ['en', 'es'];
let catalogue = {};
export let language = 'en';

function pick() {
	const chosen = localStorage.getItem('palique-language');
	if (known.includes(chosen)) return chosen;
	for (const wish of navigator.languages ?? [navigator.language]) {
		const code = wish.slice(0, 2).toLowerCase();
		if (known.includes(code)) return code;
	}
	return 'en';
}

export async function loadTexts() {
	language = pick();
	document.documentElement.lang = language;
	if (language === 'en') return;
	const answer = await fetch(`/texts/${language}`);
	if (answer.ok) catalogue = await answer.json();
}

export function setLanguage(code) {
	localStorage.setItem('palique-language', code);
	location.reload();
}

function put(text, values) {
	let i = 0;
	return text.replace(/%(?:(\d+)\$)?[sd%]/g, (what, place) =>
		what === '%%' ? '%' : String(values[place ? place - 1 : i++]));
}

// _('%s is online', name)
export function _(text, ...values) {
	const found = catalogue[text];
	return put((Array.isArray(found) ? found[0] : found) || text, values);
}

// n_('%d message', '%d messages', n): both languages have one form for 1 and one for the others
export function n_(one, many, n, ...values) {
	const found = catalogue[one];
	const text = Array.isArray(found) ? found[n === 1 ? 0 : 1] : '';
	return put(text || (n === 1 ? one : many), values.length ? values : [n]);
}

const formats = new Map();

function format(kind, options) {
	if (!formats.has(kind)) formats.set(kind, new Intl.DateTimeFormat(language, options));
	return formats.get(kind);
}

export const clock = (t) => format('clock', { hour: '2-digit', minute: '2-digit' }).format(t);
export const moment = (t) => format('moment', { dateStyle: 'full', timeStyle: 'medium' }).format(t);
const weekday = (t) => format('weekday', { weekday: 'short' }).format(t);
const short = (t) => format('short', { day: 'numeric', month: 'short' }).format(t);
const far = (t) => format('far', { dateStyle: 'medium' }).format(t);

const midnight = (t) => new Date(t).setHours(0, 0, 0, 0);
export const isSameDay = (a, b) => midnight(a) === midnight(b);
const daysAgo = (t) => Math.round((midnight(Date.now()) - midnight(t)) / 86400000);

export function day(t) {
	const ago = daysAgo(t);
	if (ago === 0) return _('Today');
	if (ago === 1) return _('Yesterday');
	return format('day', { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' }).format(t);
}

// As a list shows it, in little room.
export function lately(t) {
	const ago = daysAgo(t);
	if (ago <= 0) return clock(t);
	if (ago < 7) return weekday(t);
	return ago < 300 ? short(t) : far(t);
}

export function bytes(n) {
	let unit = 0;
	for (; n >= 1000 && unit < 4; unit++) n /= 1000;
	const digits = unit && n < 10 ? 1 : 0;
	return `${new Intl.NumberFormat(language, { maximumFractionDigits: digits }).format(n)} ${[_('bytes'), 'kB', 'MB', 'GB', 'TB'][unit]}`;
}

export function duration(seconds) {
	if (seconds < 60) return n_('%d second', '%d seconds', Math.ceil(seconds));
	if (seconds < 3600) return n_('%d minute', '%d minutes', Math.round(seconds / 60));
	if (seconds < 86400) return n_('%d hour', '%d hours', Math.round(seconds / 3600));
	return n_('%d day', '%d days', Math.round(seconds / 86400));
}
