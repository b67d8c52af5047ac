'use strict';
// A long history: what is drawn stays small, what one looks at stays where it is.

const { choose, close, friends, holds, home, message, open, same, until } = require('./bed');

const MANY = Number(process.env.MANY || 50000);
const BURST = 5000;

// Says `count` messages as fast as they are taken, from number `from` on.
async function flood(who, to, from, count) {
	const STEP = 1000;
	for (let i = from; i < from + count; i += STEP)
		await Promise.all(Array.from({ length: Math.min(STEP, from + count - i) }, (_, j) => who.say(to, `message ${i + j}${(i + j) % 7 ? '' : '\nwith a second line, and some more words in it, so that rows are not all of one height'}`)));
}

// Two between whom so many have been said.
let said = 0;
async function history(count) {
	const [ana, dan] = await friends('ana', 'dan');
	const from = said;
	said = count;
	await flood(dan, 'ana', from, count - from);
	await until('all are there', async () => (await ana.last('dan'))?.text.startsWith(`message ${count - 1}`));
	return [ana, dan];
}

const drawn = (page) => page.evaluate(() => {
	const all = document.querySelectorAll('.row');
	return { count: all.length, first: all[0]?.dataset.row, last: all[all.length - 1]?.dataset.row };
});

const isAtEnd = (page) => () => page.evaluate(() => { const t = document.querySelector('.timeline'); return t.scrollHeight - t.scrollTop - t.clientHeight < 2; });

exports['five thousand arrive while the page is open'] = async () => {
	const [ana, dan] = await history(MANY - BURST);
	const page = await open(ana);
	await choose(page, 'dan');
	await page.locator('.message').first().waitFor();
	await until('it is at the end', isAtEnd(page));
	await page.evaluate(() => {
		window.most = 0;
		new MutationObserver(() => { window.most = Math.max(window.most, document.querySelectorAll('.row').length); }).observe(document.querySelector('.rows'), { childList: true });
	});
	const flooding = history(MANY);
	await page.box.fill('typed meanwhile'); // the page is not busy with itself alone
	await flooding;
	await message(page, `message ${MANY - 1}`).waitFor();
	same(await page.box.inputValue(), 'typed meanwhile', 'what was typed');
	holds(await page.evaluate(() => window.most) <= 300, 'rows while they arrive');
	await until('the newest is in sight', isAtEnd(page));
	await page.box.fill('');
	await until('all are read', async () => (await ana.call('getContact', { name: 'dan' })).contact.unread === 0);
	await close(page);
};

exports['fifty thousand, from the newest to the oldest'] = async () => {
	const [ana] = await history(MANY);
	const page = await open(ana);
	await choose(page, 'dan');
	await message(page, `message ${MANY - 1}`).waitFor();
	// As often as it takes: to the upper end; what stood there stays where it was, to a pixel.
	const result = await page.evaluate(async () => {
		const scroller = document.querySelector('.timeline');
		const rows = () => document.querySelectorAll('.row');
		const frame = () => new Promise((go) => { requestAnimationFrame(go); });
		let most = 0;
		let steps = 0;
		let worst = 0;
		while (!document.querySelector('.beginning')) {
			const anchor = rows()[0];
			scroller.scrollTop = 0;
			const before = anchor.getBoundingClientRect().top;
			for (let i = 0; rows()[0] === anchor && !document.querySelector('.beginning'); i++) {
				if (i > 2000) throw new Error('nothing older comes');
				await frame();
			}
			const now = document.querySelector(`[data-row="${anchor.dataset.row}"]`);
			if (!now) throw new Error('what one looked at is gone');
			worst = Math.max(worst, Math.abs(now.getBoundingClientRect().top - before));
			most = Math.max(most, rows().length);
			steps++;
		}
		return { most, steps, worst };
	});
	holds(result.most <= 300, `rows: ${result.most}`);
	holds(result.worst < 48, `what one looks at moved by ${result.worst} pixels`); // a separator of the day may go
	holds(result.steps >= MANY / 100 - 3, `steps: ${result.steps}`);
	await message(page, 'message 0').waitFor();
	// and from there to the newest at once
	await page.getByRole('button', { name: 'To the newest message' }).click();
	await message(page, `message ${MANY - 1}`).waitFor();
	same((await drawn(page)).count <= 300, true, 'rows at the end');
	await close(page);
};
