// What programs of ours would like to say in our name: nothing of it goes before a person has said so.

import { h, fill, icon } from './dom.js';
import { _, lately } from './text.js';
import { call } from './api.js';
import { line, paragraphs } from './safe.js';
import { dialog, doing } from './modal.js';
import * as state from './state.js';

async function change(one) {
	const text = h('textarea', { class: 'words-field', rows: 5, 'aria-label': _('Words'), dir: 'auto', value: one.text });
	const yes = await dialog(_('Other words'), (close) => h('form', { onsubmit: (e) => e.preventDefault() }, text,
		h('div', { class: 'answers' }, doing(_('Send'), async () => {
			await call('approveProposal', { id: one.id, text: text.value.trim() });
			close(true);
		}, { type: 'submit' }))));
	return yes;
}

// What it is an answer to, which goes with it.
function answered(id) {
	const words = h('p', { class: 'mute' }, _('in answer to message %s', id));
	call('getMessage', { id }).then(({ message: m }) => fill(words, _('in answer to: %s', line(m.text || m.file?.name || '…').slice(0, 200))), () => {});
	return words;
}

function row(one) {
	return h('div', { class: 'asking proposal' },
		h('div', {}, h('p', { class: 'mute' }, icon('bot'), ' ', _('%s would like to say in your name:', line(one.bot)), ' ', h('time', {}, lately(one.timestamp ?? Date.now()))),
			one.replyTo && answered(one.replyTo),
			h('div', { class: 'text' }, paragraphs(one.text)),
			one.buttons?.length && h('p', { class: 'mute' }, _('with the buttons: %s', one.buttons.map((words) => `[${line(words)}]`).join(' ')))),
		h('div', { class: 'answers' },
			doing(_('Send it'), () => call('approveProposal', { id: one.id })),
			doing(_('Other words'), () => change(one), { class: 'plain' }),
			doing(_('No'), () => call('rejectProposal', { id: one.id }), { class: 'plain' })));
}

// Those of the conversation that is open; a place that draws itself.
export function makeProposals() {
	const place = h('div', { class: 'proposals', role: 'group', 'aria-label': _('Proposals of programs'), hidden: true });
	const draw = () => {
		const list = state.proposals.filter((one) => one.conversation === state.current);
		place.hidden = !list.length;
		fill(place, list.slice(0, 5).map(row));
	};
	state.watch('proposals', draw);
	state.watch('current', draw);
	return place;
}
