// What others have written, as nodes: text only. Control, bidirectional and invisible characters are
// written out; links are shown as they are; *bold*, _italic_ and `code` keep their marks (XEP-0393).

import { h } from './dom.js';

const hidden = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u202a-\u202e\u2028\u2029\u2060-\u206f\u3164\ufe00-\ufe0d\ufeff\uffa0\ufff0-\ufffb]|[\u{e0000}-\u{e007f}]|[\u{e0100}-\u{e01ef}]|\p{Cs}|\p{Co}/gu;
const isHidden = new RegExp(hidden.source, 'u'); // without a place where it goes on
// joiners are letters' business in many scripts, and hold emoji together
const joins = /[\p{L}\p{M}\p{Extended_Pictographic}\p{Emoji_Modifier}\ufe0f]/u;
const link = /\b(?:https?:\/\/|palique:)[^\s<>"'`\u0000-\u001f]*[^\s<>"'`.,;:!?)\]}\u0000-\u001f]/giu;
const mark = /(?<![\p{L}\p{N}*_`])(?:\*(?=\S)[^*\n]{1,1000}?(?<=\S)\*|_(?=\S)[^_\n]{1,1000}?(?<=\S)_|`[^`\n]{1,1000}?`)(?![\p{L}\p{N}*_`])/gu;

const ELEMENTS_MAX = 500; // of one text: behind them all is text alone, so that a page of hostile ones has a bound

const named = (c) => `U+${c.codePointAt(0).toString(16).toUpperCase().padStart(4, '0')}`;

const written = (text) => text.replace(hidden, (c, at, all) => (isJoiner(c, at, all) ? c : `<${named(c)}>`));

// One line for a name, a title, an attribute: hidden characters written out, as text.
export const line = (text) => written(String(text ?? '').replace(/\s+/gu, ' '));

function isJoiner(c, at, all) {
	if (c !== '\u200d' && c !== '\u200c') return false;
	const before = [...all.slice(Math.max(0, at - 2), at)].at(-1) ?? '';
	const behind = String.fromCodePoint(all.codePointAt(at + 1) ?? 32);
	return joins.test(before) && joins.test(behind);
}

// `room.left`: elements that may still be made.
function plain(into, text, room) {
	let from = 0;
	for (const found of text.matchAll(hidden)) {
		if (isJoiner(found[0], found.index, text)) continue;
		if (--room.left < 0) break;
		into.append(text.slice(from, found.index), h('span', { class: 'hidden-character' }, named(found[0])));
		from = found.index + found[0].length;
	}
	into.append(written(text.slice(from)));
}

function marked(into, text, room) {
	let from = 0;
	for (const found of text.matchAll(mark)) {
		if (--room.left < 0) break;
		plain(into, text.slice(from, found.index), room);
		const element = h({ '*': 'strong', _: 'em', '`': 'code' }[found[0][0]]);
		plain(element, found[0], room);
		into.append(element);
		from = found.index + found[0].length;
	}
	plain(into, text.slice(from), room);
}

// A link leads where it says: its text is its address. Addresses with hidden characters are none.
function linked(into, text, room) {
	let from = 0;
	for (const found of text.matchAll(link)) {
		const target = found[0];
		if (isHidden.test(target) || !URL.canParse?.(target)) continue;
		if (--room.left < 0) break;
		marked(into, text.slice(from, found.index), room);
		into.append(h('a', { href: target, target: '_blank', rel: 'noopener noreferrer nofollow' }, target));
		from = found.index + target.length;
	}
	marked(into, text.slice(from), room);
}

// The paragraphs of a message. Each line finds its own direction.
export function paragraphs(text) {
	const room = { left: ELEMENTS_MAX };
	return String(text ?? '').split('\n').map((one) => {
		const p = h('p', { dir: 'auto' });
		linked(p, one, room);
		if (!one) p.append(h('br'));
		return p;
	});
}

// Where a search has found something, between U+0002 and U+0003.
export function snippet(text) {
	return text.split(/(\u0002[^\u0003]*\u0003?)/u).map((part) => {
		if (!part.startsWith('\u0002')) return line(part);
		return h('mark', {}, line(part.replace(/[\u0002\u0003]/gu, '')));
	});
}

// Whether there is nothing but a few emoji: shown large.
export function isEmojiOnly(text) {
	const bare = text.replace(/\s/gu, '');
	return bare.length > 0 && bare.length < 30 && /^(?:\p{Extended_Pictographic}|\p{Emoji_Modifier}|\p{Regional_Indicator}|\u200d|\ufe0f|\u20e3)+$/u.test(bare)
		&& /\p{Extended_Pictographic}|\p{Regional_Indicator}/u.test(bare) && [...new Intl.Segmenter().segment(bare)].length <= 4;
}
