'use strict';
// bench.js: figures of the page and of the terminal's face, medians, each beside the other: how soon there is something
// to see, what it weighs, 5,000 messages arriving while it is open, scrolling through 50,000.

const fs = require('fs');
const { begin, befriend, choose, close, home, invite, message, open, run, until } = require('./bed');
const terminal = require('./terminal');

const MANY = Number(process.env.MANY || 50000);
const BURST = 5000;
const RUNS = 5;
const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];
const at = (list, part) => [...list].sort((a, b) => a - b)[Math.min(list.length - 1, Math.floor(list.length * part))];
const line = (what, value) => console.log(`${what.padEnd(62)} ${value}`);

async function flood(who, to, from, count) {
	for (let i = from; i < from + count; i += 1000)
		await Promise.all(Array.from({ length: Math.min(1000, from + count - i) }, (_, j) => who.say(to, `message ${i + j}: some words that somebody may say to somebody else`)));
}

async function residentOf(who) {
	const { pid } = await who.call('status');
	return Number(/VmRSS:\s*(\d+)/.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024;
}

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

async function page() {
	ana = await home('ana').join(await invite());
	ben = await home('ben').join(await invite());
	await befriend(ana, ben);
	await begin();
	const bare = await residentOf(ana);
	await flood(ben, 'ana', 0, MANY - BURST);
	await until('all are there', async () => (await ana.last('ben'))?.text.startsWith(`message ${MANY - BURST - 1}:`));
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
	line(`web: a conversation of ${MANY - BURST} messages opened`, `${(performance.now() - opened).toFixed(0)} ms`);
	await page.locator('.composer textarea').focus();
	let memory = await heapOf(page);
	line('web: memory of the page', `${memory.heap.toFixed(1)} MiB, ${memory.nodes} nodes`);
	line('web: memory of the engine: without pages, with one', `${bare.toFixed(1)}, ${(await residentOf(ana)).toFixed(1)} MiB`);

	await page.evaluate(() => { const t = document.querySelector('.timeline'); t.scrollTop = t.scrollHeight; });
	await watchFrames(page);
	const burst = performance.now();
	await flood(ben, 'ana', MANY - BURST, BURST);
	await message(page, `message ${MANY - 1}:`).waitFor();
	const took = performance.now() - burst;
	let gaps = await page.evaluate(() => { const all = window.gaps; window.gaps = null; return all; });
	line(`web: ${BURST} messages said, delivered and shown in an open page`, `${(took / 1000).toFixed(1)} s, ${(BURST / took * 1000).toFixed(0)}/s`);
	line('web: frames meanwhile: median, 95 of 100, the longest', `${median(gaps).toFixed(0)}, ${at(gaps, 0.95).toFixed(0)}, ${Math.max(...gaps).toFixed(0)} ms`);

	await watchFrames(page);
	const steps = await page.evaluate(async () => {
		const scroller = document.querySelector('.timeline');
		let count = 0;
		for (; !document.querySelector('.beginning'); count++) {
			scroller.scrollTop -= 900; // as a hand on a wheel
			await new Promise((go) => { requestAnimationFrame(go); });
		}
		return count;
	});
	gaps = await page.evaluate(() => { const all = window.gaps; window.gaps = null; return all; });
	line(`web: scrolled through ${MANY} by ${steps} steps; frames: median, 95 of 100, longest`, `${median(gaps).toFixed(0)}, ${at(gaps, 0.95).toFixed(0)}, ${Math.max(...gaps).toFixed(0)} ms`);
	memory = await heapOf(page);
	line('web: memory of the page after that', `${memory.heap.toFixed(1)} MiB, ${memory.nodes} nodes`);
	await close(page);
}

// Through tmux, which is asked for what it shows: a question takes some milliseconds itself.
async function terminals() {
	const times = [];
	for (let i = 0; i < RUNS; i++) {
		const began = performance.now();
		terminal.begin(ana);
		await until('the list is there', () => terminal.screen().includes('ben'));
		times.push(performance.now() - began);
		if (i < RUNS - 1) terminal.end();
	}
	const asked = performance.now();
	terminal.screen();
	line(`terminal: palique to the list of conversations (${RUNS} runs); of it tmux`, `${median(times).toFixed(0)} ms; ${(performance.now() - asked).toFixed(0)} ms`);
	const pid = terminal.tmux('display-message', '-p', '#{pane_pid}').trim();
	const resident = () => (Number(/VmRSS:\s*(\d+)/.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024).toFixed(1);
	line('terminal: memory of the face, with the list', `${resident()} MiB`);
	terminal.tmux('send-keys', '-l', 'ben');
	terminal.tmux('send-keys', 'Enter');
	await until('the newest is there', () => terminal.screen().includes(`message ${MANY - 1}:`));
	const burst = performance.now();
	await flood(ben, 'ana', MANY, BURST);
	await until('all are shown', () => terminal.screen().includes(`message ${MANY + BURST - 1}:`));
	const took = performance.now() - burst;
	line(`terminal: ${BURST} messages said, delivered and shown`, `${(took / 1000).toFixed(1)} s, ${(BURST / took * 1000).toFixed(0)}/s`);
	const began = performance.now();
	let presses = 0;
	await until('the first one is there', () => {
		if (/message 0:/.test(terminal.screen())) return true;
		terminal.tmux('send-keys', '-N', '20', 'PPage');
		presses += 20;
		return false;
	});
	line(`terminal: scrolled through ${MANY + BURST} by ${presses} times PgUp`, `${((performance.now() - began) / 1000).toFixed(1)} s`);
	line('terminal: memory of the face after that', `${resident()} MiB`);
	terminal.end();
}

run([['the page', page], ['the terminal', terminals]]);
