'use strict';
// What the tests of the page share: engines of people, a browser, pages that are watched for complaints, and
// waiting for facts. Everything is begun in a folder that the script around it removes.

const { chromium, firefox } = require('playwright-core');
const { spawn, execFile } = require('child_process');
const crypto = require('crypto');
const fs = require('fs');
const path = require('path');
const readline = require('readline');

const bin = path.resolve(process.env.PALIQUE_BIN);
const folder = process.env.PALIQUE_FOLDER;
const axe = fs.readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
const PASSWORD = 'correct horse battery staple';
const LIMIT = (process.env.PALIQUE_PATIENCE || 60) * 1000; // ms until a fact that does not come is a failure

// Waits until `f` gives something that is true, and returns it. Where that never comes, `instead` says what is there.
async function until(what, f, instead) {
	const end = Date.now() + LIMIT;
	for (;;) {
		const found = await f();
		if (found) return found;
		if (Date.now() > end) throw new Error(`never: ${what}${instead ? `; there is: ${await instead()}` : ''}`);
		await new Promise((wake) => { setTimeout(wake, 20); });
	}
}

function same(got, wanted, what) {
	if (got !== wanted) throw new Error(`${what}: ${JSON.stringify(got)} instead of ${JSON.stringify(wanted)}`);
}

function holds(fact, what) {
	if (!fact) throw new Error(`not so: ${what}`);
}

// Or it only waits for somebody to take note of its end.
function hasEnded(pid) {
	try {
		return /\) [XZ]/.test(fs.readFileSync(`/proc/${pid}/stat`, 'utf8'));
	} catch {
		return true;
	}
}

const hash = (bytes) => crypto.createHash('sha256').update(bytes).digest('hex');

// --- engines ---

const homes = new Map();

process.once('SIGTERM', () => process.exit(143)); // what was begun is ended at exit

class Home {
	constructor(name) {
		this.name = name;
		this.path = path.join(folder, `home-${name}`);
		this.events = [];
		this.waiting = [];
		if (!fs.existsSync(this.path)) {
			fs.mkdirSync(this.path, { mode: 0o700 });
			fs.writeFileSync(path.join(this.path, 'peer.conf'), 'listen = 127.0.0.1:0\n');
		}
		this.got = path.join(folder, `got-${name}`);
		fs.mkdirSync(this.got, { recursive: true });
		if (!homes.has(name)) homes.set(name, this);
	}

	// A command of the program; what it prints.
	run(...words) {
		return new Promise((resolve, reject) => {
			const child = execFile(path.join(bin, 'palique'), ['--home', this.path, ...words], { env: { ...process.env, LANGUAGE: 'en' }, timeout: LIMIT }, (error, out, err) => (error ? reject(new Error(`${this.name}: palique ${words.join(' ')}: ${out}${err}${error.killed ? 'never ended' : ''}`)) : resolve(out)));
			child.stdin.on('error', () => {}); // some read nothing
			child.stdin.end(this.input ?? '');
			this.input = null;
		});
	}

	// The local API, by a line of its own that hears all events.
	async call(method, params = {}) {
		if (!this.rpc) {
			const rpc = spawn(path.join(bin, 'palique'), ['--home', this.path, 'rpc'], { stdio: ['pipe', 'pipe', 'ignore'] });
			this.rpc = rpc;
			this.number = 0;
			this.calls = new Map();
			rpc.stdin.on('error', () => {});
			rpc.on('exit', () => {
				if (this.rpc === rpc) this.rpc = null;
				for (const c of this.calls.values()) {
					clearTimeout(c.patience);
					c.reject(new Error(`${this.name}: ${c.method}: the engine is gone`));
				}
			});
			readline.createInterface({ input: rpc.stdout }).on('line', (line) => {
				const o = JSON.parse(line);
				if (o.method) return this.events.push(o);
				const c = this.calls.get(o.id);
				this.calls.delete(o.id);
				clearTimeout(c.patience);
				if (o.error) c.reject(Object.assign(new Error(`${this.name}: ${c.method}: ${o.error.message}`), { kind: o.error.data?.kind }));
				else c.resolve(o.result);
			});
			if (method !== 'version') await this.call('subscribe');
		}
		return new Promise((resolve, reject) => {
			const id = ++this.number;
			const patience = setTimeout(() => reject(new Error(`${this.name}: ${method}: never answered`)), LIMIT);
			this.calls.set(id, { resolve, reject, method, patience });
			this.rpc.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`);
		});
	}

	say = (conversation, text, more = {}) => this.call('send', { conversation, text, ...more });
	last = async (conversation) => (await this.call('getMessages', { conversation, limit: 1 })).messages[0];

	async join(invite) {
		this.input = `${PASSWORD}\n`;
		await this.run('join', invite, '--name', this.name, '--password-fd', '0', '--no-input');
		await this.run('settings', 'downloads', this.got);
		return this;
	}

	// Ends the engine as a power cut would.
	async kill() {
		const { pid } = await this.call('status');
		process.kill(pid, 'SIGKILL');
		await until('the engine is gone', () => hasEnded(pid));
		this.rpc?.kill();
		this.rpc = null;
	}
}

const home = (name) => homes.get(name) ?? new Home(name);

// A command of the directory's operator; what it prints.
function directory(command, ...words) {
	return new Promise((resolve, reject) => {
		execFile(path.join(bin, 'palique-directory'), [command, '--data', path.join(folder, 'directory'), ...words], (error, out, err) => (error ? reject(new Error(out + err)) : resolve(out)));
	});
}

const invite = async () => (await directory('invite')).split('\n')[0];

// Each part may be run alone: who is there already joins no second time.
const joined = new Map();
function person(name) {
	if (!joined.has(name)) joined.set(name, invite().then((link) => home(name).join(link)));
	return joined.get(name);
}

async function friends(...names) {
	const all = [];
	for (const name of names) all.push(await person(name));
	for (const other of all.slice(1)) {
		const { contacts } = await all[0].call('listContacts');
		if (contacts.find((c) => c.name === other.name)?.state !== 'mutual') await befriend(all[0], other);
	}
	return all;
}

// Both have each other and are connected.
async function befriend(a, b) {
	await a.call('addContact', { contact: b.name });
	await b.call('addContact', { contact: a.name });
	for (const [x, y] of [[a, b], [b, a]]) await until(`${x.name} sees ${y.name}`, async () => (await x.call('getContact', { name: y.name })).contact.online);
}

// --- pages ---

let browser = null;

// Chromium; with FIREFOX=/usr/bin/firefox-esr that one, by WebDriver BiDi.
async function begin() {
	const env = { ...process.env, HOME: folder }; // what it saves goes away with the folder
	// without a mouse or a telephone it would take itself for neither; motion cannot be switched off later on
	const firefoxUserPrefs = { 'ui.primaryPointerCapabilities': 6, 'ui.allPointerCapabilities': 6, 'ui.prefersReducedMotion': 1 };
	if (process.env.FIREFOX) browser ??= await firefox.launch({ channel: 'moz-firefox', executablePath: process.env.FIREFOX, firefoxUserPrefs, env });
	else browser ??= await chromium.launch({ env, executablePath: process.env.CHROMIUM || '/usr/bin/chromium', args: ['--no-sandbox', '--disable-dev-shm-usage', '--force-color-profile=srgb', '--font-render-hinting=none'] });
	return browser;
}

// A page of somebody's engine, in a browser profile of its own. What it complains of is a failure in the end.
async function open(who, options = {}) {
	const { locale = 'en-US', colorScheme = 'light', viewport = { width: 1280, height: 800 }, permissions = ['clipboard-read', 'clipboard-write'], url, reducedMotion = 'reduce' } = options;
	await begin();
	const context = await browser.newContext({ locale, colorScheme, viewport, reducedMotion, acceptDownloads: true, timezoneId: 'UTC', ...options.context });
	const page = await context.newPage();
	page.setDefaultTimeout(LIMIT);
	page.complaints = [];
	page.expected = [];
	const complain = (words) => {
		if (!page.expected.some((one) => one.test(words))) page.complaints.push(words);
	};
	page.on('console', (m) => { if (['error', 'warning'].includes(m.type())) complain(`console: ${m.text()} ${m.location()?.url ?? ''}`); });
	page.on('pageerror', (e) => complain(`error: ${e.stack}`));
	page.on('crash', () => complain('the page has crashed'));
	await context.addInitScript(() => { addEventListener('securitypolicyviolation', (e) => { console.error(`blocked by CSP: ${e.violatedDirective} ${e.blockedURI}`); }); });
	page.url_ = url ?? (await who.run('web', '--no-open')).trim();
	const { origin } = new URL(page.url_);
	if (process.env.FIREFOX) await context.addInitScript(() => { Document.prototype.hasFocus = () => true; }); // as Chromium is told, of each page
	else await context.grantPermissions(permissions, { origin });
	await page.goto(page.url_);
	page.who = who;
	page.colours = colorScheme;
	page.box = page.locator('.composer textarea');
	return page;
}

// The bytes that a page has had the browser save.
async function bytesOf(download) {
	const failure = await download.failure();
	if (failure) throw new Error(`not saved: ${failure}`);
	return fs.readFileSync(process.env.FIREFOX ? path.join(folder, 'Downloads', download.suggestedFilename()) : await download.path());
}

async function close(page) {
	const { complaints } = page;
	await page.context().close();
	if (complaints.length) throw new Error(`the page complains:\n${complaints.join('\n')}`);
}

// Nothing that axe-core knows of is wrong with what is shown, by WCAG 2.2 AA and what is good practice besides;
// nor with its colours where the other ones are wished: of what is light, since what is dark is there in light, too.
const checked = [];
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
const COLOURS = ['color-contrast', 'link-in-text-block'];
async function accessible(page, what) {
	if (!await page.evaluate(() => Boolean(globalThis.axe))) await page.evaluate(`${axe};0`);
	await wrong(page, what, { type: 'tag', values: TAGS });
	checked.push(what);
	if (page.colours === 'dark') return;
	await page.emulateMedia({ colorScheme: 'dark' });
	await wrong(page, `${what}, in the dark`, { type: 'rule', values: COLOURS });
	await page.emulateMedia({ colorScheme: page.colours });
}

async function wrong(page, what, runOnly) {
	const { violations } = await page.evaluate((rules) => {
		const dialogs = document.querySelectorAll('dialog[open]');
		// what lies below a dialog on a dialog cannot be reached: axe-core does not know it
		return axe.run(dialogs.length > 1 ? [...dialogs].at(-1) : document, { resultTypes: ['violations'], runOnly: rules });
	}, runOnly);
	if (violations.length) throw new Error(`axe-core on ${what}: ${violations.map((v) => `${v.id}: ${v.help}: ${v.nodes.slice(0, 3).map((n) => `${n.target} ${n.html.slice(0, 160)} ${[...n.any, ...n.all, ...n.none].map((x) => x.message).join('; ').slice(0, 200)}`).join(' | ')}`).join('\n')}`);
}

const shots = process.env.PALIQUE_SHOTS;
async function shot(page, name) {
	if (shots) await page.screenshot({ path: path.join(shots, `${name}.png`) });
}

// Looks at a view: nothing wrong by axe-core; a picture where they are wanted.
async function look(page, what) {
	await accessible(page, what);
	await shot(page, what.replaceAll(' ', '-'));
}

const message = (page, text) => page.locator('.message', { has: page.locator('.text', { hasText: text }) });

// A button, of the dialog where one is open.
async function press(page, name) {
	const where = page.locator('dialog[open]').last().or(page.locator('body:not(:has(dialog[open]))'));
	await where.getByRole('button', { name, exact: true }).first().click();
}

// What a person drops onto the page, or pastes into the field.
async function give(page, how, files) {
	await page.evaluate(([kind, list]) => {
		const data = new DataTransfer();
		for (const { name, type, bytes } of list) data.items.add(new File([Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0))], name, { type }));
		const pasted = new ClipboardEvent('paste', { bubbles: true, cancelable: true });
		Object.defineProperty(pasted, 'clipboardData', { value: data });
		if (kind === 'paste') document.activeElement.dispatchEvent(pasted);
		else for (const event of ['dragenter', 'dragover', 'drop']) document.body.dispatchEvent(new DragEvent(event, { dataTransfer: data, bubbles: true, cancelable: true }));
	}, [how, files.map((f) => ({ ...f, bytes: f.bytes.toString('base64') }))]);
}

// What the page says in its language where English would say this.
async function words(page) {
	const language = await page.locator('html').getAttribute('lang');
	const texts = language === 'en' ? {} : await page.evaluate((code) => fetch(`/texts/${code}`).then((r) => r.json()), language);
	return (text, ...values) => {
		if (language !== 'en' && !texts[text]) throw new Error(`not in ${language}: ${text}`);
		return (texts[text] ?? text).replaceAll('%s', () => values.shift());
	};
}

// It is the message with these words that the keyboard is at.
const isAt = (page, text) => until(`the focus is at "${text}"`, () => page.evaluate((wanted) => document.activeElement.matches('.message') && document.activeElement.textContent.includes(wanted), text));

// A tool of a message, by the mouse: what is drawn anew may move the message from under it; then it goes there again.
async function openMenu(page, text, tool = /^(More|Más)$/) {
	const m = message(page, text).last();
	await until(`the menu of "${text}"`, async () => {
		await m.hover();
		await m.locator('.tools').getByRole('button', { name: tool }).click({ timeout: 2000 }).catch(() => {});
		return page.locator('.menu[role=menu]').isVisible();
	});
}

// One of the doings of a message's menu.
async function act(page, text, name) {
	await openMenu(page, text);
	await page.getByRole('menuitem', { name, exact: true }).click();
}

async function write(page, text) {
	await page.box.fill(text);
	await page.box.press('Enter');
}

async function choose(page, name) {
	await page.locator(`[data-name="${name}"]`).click();
	await isOpen(page, name);
}

// It is that conversation which stands there, whole.
async function isOpen(page, name) {
	await page.locator(`[data-name="${name}"][aria-current="true"]`).waitFor({ state: 'attached' });
	await page.locator('section.main:not([aria-busy])').waitFor();
}

// --- what the parts do, one after the other ---

async function run(parts) {
	let bad = false;
	for (const [name, part] of parts) {
		const began = Date.now();
		try {
			await part();
			console.log(`ok: ${name} (${((Date.now() - began) / 1000).toFixed(1)} s)`);
		} catch (e) {
			bad = true;
			console.log(`FAILED: ${name}: ${e.stack}`);
			for (const context of browser?.contexts() ?? [])
				for (const page of context.pages()) {
					if (page.complaints?.length) console.log(`  ${page.who.name}'s page: ${page.complaints.join('\n  ')}`);
					if (shots) await page.screenshot({ path: path.join(shots, `failed-${page.who?.name}.png`) }).catch(() => {});
					await context.close().catch(() => {});
				}
		}
	}
	await browser?.close();
	for (const one of homes.values()) one.rpc?.kill();
	if (!bad) console.log(`browser: ${checked.length} views without a violation`);
	process.exitCode = bad ? 1 : 0;
}

module.exports = { LIMIT, PASSWORD, accessible, act, befriend, begin, bin, bytesOf, choose, close, directory, folder, friends, give, hasEnded, hash, holds, home, invite, isAt, isOpen, look, message, open, openMenu, person, press, run, same, shot, until, words, write };
