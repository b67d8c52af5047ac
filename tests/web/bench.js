'use strict';
// bench.js: figures of the page and of the terminal's face, medians, each beside the other: how soon there is something
// to see of a conversation of MANY messages, what it weighs, 5,000 more arriving while it is open, scrolling through all.

const fs = require('fs');
const { LIMIT, begin, befriend, choose, close, home, invite, message, open, run, until } = require('./bed');
const terminal = require('./terminal');

const MANY = Number(process.env.MANY || 50000);
const BURST = 5000;
const RUNS = 5;
const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];
const at = (list, part) => [...list].sort((a, b) => a - b)[Math.min(list.length - 1, Math.floor(list.length * part))];
const line = (what, value) => console.log(`${what.padEnd(62)} ${value}`);

// MiB of a process, and of somebody's engine.
const residentOf = (pid) => Number(/VmRSS:\s*(\d+)/.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024;
const engineOf = async (who) => residentOf((await who.call('status')).pid);

async function heapOf(page) {
	const tools = await page.context().newCDPSession(page);
	await tools.send('HeapProfiler.collectGarbage');
	await tools.send('Performance.enable');
	const { metrics } = await tools.send('Performance.getMetrics');
	const of = (name) => metrics.find((m) => m.name === name).value;
	await tools.detach();
	return { heap: of('JSHeapUsedSize') / 1048576, nodes: of('Nodes') };
}

// Gaps between frames while `f` runs in the page.
const watchFrames = (page) => page.evaluate(() => {
	window.gaps = [];
	let last = performance.now();
	const tick = (now) => {
		if (!window.gaps) return;
		window.gaps.push(now - last);
		last = now;
		requestAnimationFrame(tick);
	};
	requestAnimationFrame((now) => { last = now; requestAnimationFrame(tick); });
});

let ana, ben;
let said = 0;

// `count` more messages; `follow` waits until the last of them is where it is wanted.
async function flood(count, follow) {
	const end = said + count;
	const began = performance.now();
	for (; said < end; said = Math.min(said + 1000, end))
		await Promise.all(Array.from({ length: Math.min(1000, end - said) }, (_, i) => ben.say('ana', `message ${said + i}: some words that somebody may say to somebody else`)));
	await follow(`message ${end - 1}:`);
	return performance.now() - began;
}

const speed = (took) => `${(took / 1000).toFixed(1)} s, ${(BURST / took * 1000).toFixed(0)}/s`;

async function page() {
	ana = await home('ana').join(await invite());
	ben = await home('ben').join(await invite());
	await befriend(ana, ben);
	await begin();
	const newest = async () => (await ana.last('ben'))?.text ?? 'nothing';
	await flood(MANY, (last) => until(`"${last}" with ana`, async () => (await newest()).startsWith(last), newest));
	const bare = await engineOf(ana);
	const times = [];
	const words = [];
	for (let i = 0; i < RUNS; i++) {
		const began = performance.now();
		const page = await open(ana);
		await page.locator('[data-name="ben"]').waitFor();
		times.push(performance.now() - began);
		words.push(await page.evaluate(async () => {
			while (!document.querySelector('[data-name]')) await new Promise(requestAnimationFrame);
			return performance.now();
		}));
		await close(page);
	}
	line(`web: palique web, a new profile, to the list of conversations (${RUNS} runs)`, `${median(times).toFixed(0)} ms`);
	line('web: of it in the page, from its address to the list', `${median(words).toFixed(0)} ms`);

	const page = await open(ana);
	const opened = performance.now();
	await choose(page, 'ben');
	await page.locator('.message').last().waitFor();
	line(`web: a conversation of ${said} messages opened`, `${(performance.now() - opened).toFixed(0)} ms`);
	await page.locator('.composer textarea').focus();
	let memory = await heapOf(page);
	line('web: memory of the page', `${memory.heap.toFixed(1)} MiB, ${memory.nodes} nodes`);
	line('web: memory of the engine: without pages, with one', `${bare.toFixed(1)}, ${(await engineOf(ana)).toFixed(1)} MiB`);

	await page.evaluate(() => { const t = document.querySelector('.timeline'); t.scrollTop = t.scrollHeight; });
	await watchFrames(page);
	const took = await flood(BURST, (last) => message(page, last).waitFor());
	let gaps = await page.evaluate(() => { const all = window.gaps; window.gaps = null; return all; });
	line(`web: ${BURST} messages said, delivered and shown in an open page`, speed(took));
	line('web: frames meanwhile: median, 95 of 100, the longest', `${median(gaps).toFixed(0)}, ${at(gaps, 0.95).toFixed(0)}, ${Math.max(...gaps).toFixed(0)} ms`);

	await watchFrames(page);
	const steps = await page.evaluate(async (limit) => {
		const scroller = document.querySelector('.timeline');
		let count = 0;
		let top;
		let end;
		for (; scroller.scrollTop > 0 || !document.querySelector('.beginning'); count++) {
			scroller.scrollTop -= 900; // as a hand on a wheel
			await new Promise((go) => { requestAnimationFrame(go); });
			const now = document.querySelector('.message')?.textContent;
			if (now !== top) end = performance.now() + limit;
			if (performance.now() > end) throw new Error(`never: what is above "${now}", in ${count} steps`);
			top = now;
		}
		return count;
	}, LIMIT);
	gaps = await page.evaluate(() => { const all = window.gaps; window.gaps = null; return all; });
	line(`web: scrolled through ${said} by ${steps} steps; frames: median, 95 of 100, longest`, `${median(gaps).toFixed(0)}, ${at(gaps, 0.95).toFixed(0)}, ${Math.max(...gaps).toFixed(0)} ms`);
	memory = await heapOf(page);
	line('web: memory of the page after that', `${memory.heap.toFixed(1)} MiB, ${memory.nodes} nodes`);
	await close(page);
}

// Through tmux, which is asked for what it shows: a question takes some milliseconds itself.
const shows = (words) => until(`"${words}" in the terminal`, () => terminal.screen().includes(words), terminal.screen);

async function terminals() {
	const times = [];
	let face;
	for (let i = 0; i < RUNS; i++) {
		if (i) await terminal.end();
		const began = performance.now();
		face = terminal.begin(ana);
		await shows('ben');
		times.push(performance.now() - began);
	}
	const asked = performance.now();
	terminal.screen();
	line(`terminal: palique to the list of conversations (${RUNS} runs); of it tmux`, `${median(times).toFixed(0)} ms; ${(performance.now() - asked).toFixed(0)} ms`);
	line('terminal: memory of the face, with the list', `${residentOf(face).toFixed(1)} MiB`);
	terminal.tmux('send-keys', '-l', 'ben');
	terminal.tmux('send-keys', 'Enter');
	await shows(`message ${said - 1}:`);
	line(`terminal: ${BURST} messages said, delivered and shown`, speed(await flood(BURST, shows)));
	const began = performance.now();
	let presses = 0;
	let now = terminal.screen();
	while (!now.includes('message 0:')) {
		const before = now;
		let asked = 0;
		await until('what is above, in the terminal', () => {
			if (asked++ % 50 === 0) { // again where older ones were on their way; not always, or it would never draw
				terminal.tmux('send-keys', '-N', '20', 'PPage');
				presses += 20;
			}
			now = terminal.screen();
			return now !== before;
		}, terminal.screen);
	}
	line(`terminal: scrolled through ${said} by ${presses} times PgUp`, `${((performance.now() - began) / 1000).toFixed(1)} s`);
	line('terminal: memory of the face after that', `${residentOf(face).toFixed(1)} MiB`);
	await terminal.end();
}

if (!Number.isSafeInteger(MANY) || MANY < 1) throw new Error(`MANY is ${process.env.MANY}: it is a number of messages, 1 or more`);
run([['the page', page], ['the terminal', terminals]]);
