'use strict';
// A walk through all views as it is done by others: in Spanish, in the dark, on a telephone; by the keyboard alone;
// with notifications. axe-core finds nothing in any of them.

const { act, choose, close, friends, holds, isAt, isOpen, look, message, open, openMenu, same, shot, until, words, write } = require('./bed');

exports['every view in Spanish, in the dark, on a telephone'] = async () => {
	const [ana, ben] = await friends('ana', 'ben');
	const page = await open(ana, { locale: 'es-ES', colorScheme: 'dark', viewport: { width: 390, height: 780 } });
	await page.locator('[data-name="ben"]').waitFor();
	await look(page, 'es list');
	await page.locator('[data-name="ben"]').click();
	await ben.say('ana', '¿Quedamos a las ocho? 😀');
	await message(page, 'a las ocho').waitFor();
	await look(page, 'es conversation');
	same(await page.locator('.side').isVisible(), false, 'on a telephone there is one thing at a time');
	await act(page, 'a las ocho', 'Responder');
	await look(page, 'es answering');
	await write(page, 'Sí, en la plaza');
	await message(page, 'en la plaza').locator('.quote').waitFor();
	const _ = await words(page);
	const button = (name) => page.getByRole('button', { name, exact: true }).first();
	const escape = () => page.keyboard.press('Escape');
	await openMenu(page, 'en la plaza');
	await look(page, 'es menu of a message');
	await escape();
	await act(page, 'en la plaza', _('React'));
	await look(page, 'es reactions to choose');
	await escape();
	for (const name of ['Edit', 'Details', 'Forward', 'Delete for both']) {
		await act(page, 'en la plaza', _(name));
		await look(page, `es ${name.toLowerCase()}`);
		await escape();
	}
	await button('Número de seguridad').or(page.locator('.conversation-header .good')).first().click();
	await page.locator('.digits').waitFor();
	await look(page, 'es safety number');
	await page.keyboard.press('Escape');
	await page.locator('.who-button').click();
	await look(page, 'es about');
	await page.keyboard.press('Escape');
	await button('Emojis').click();
	await look(page, 'es emoji');
	await page.keyboard.press('Escape');
	await button('Atrás').click();
	await page.locator('.side').waitFor(); // back to the list
	await button('Buscar mensajes').click();
	await page.locator('dialog input[type=search]').fill('plaza');
	await page.locator('.result mark').waitFor();
	await look(page, 'es search');
	await page.keyboard.press('Escape');
	await page.locator('.myself').click();
	await look(page, 'es settings');
	for (const name of ['Change the password', 'Blocked contacts', 'Log this browser out']) {
		await button(_(name)).click();
		await look(page, `es ${name.toLowerCase()}`);
		await escape();
	}
	await escape();
	await button(_('Menu')).click();
	await page.getByRole('menuitem', { name: _('Keys') }).click();
	await look(page, 'es keys');
	await escape();
	await button('Añadir a alguien').click();
	await page.locator('dialog .qr[src]').waitFor();
	await look(page, 'es add');
	// what the engine says is in Spanish, too
	await page.getByLabel('Nombre o enlace de contacto').fill('¿quién?');
	await page.locator('dialog button[type=submit]').click();
	const english = await ana.call('addContact', { contact: '¿quién?' }).catch((e) => e.message.replace(/^ana: addContact: /, ''));
	const told = await page.locator('.form-error').textContent();
	holds(told.trim() && told.trim() !== english, `an error is told in Spanish: ${told}`);
	await look(page, 'es error');
	await page.keyboard.press('Escape');
	holds(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'nothing is wider than the telephone');
	await close(page);
};

// Nothing is wider than the window, or out of it, or only to be had by scrolling sideways (WCAG 2.2, 1.4.10).
async function fits(page, what) {
	const wrong = await page.evaluate(() => {
		const name = (e) => `${e.tagName} ${e.className} ${e.getAttribute('aria-label') ?? ''}: ${e.textContent.slice(0, 40)}`;
		const top = [...document.querySelectorAll('dialog[open]')].at(-1) ?? document.body;
		const shown = [...top.querySelectorAll('*')].filter((e) => e.checkVisibility({ visibilityProperty: true }) && !e.closest('.for-readers'));
		const scrolls = shown.filter((e) => e.scrollWidth > e.clientWidth + 1 && ['auto', 'scroll'].includes(getComputedStyle(e).overflowX));
		const outside = shown.filter((e) => e.matches('button, input, textarea, select, a')).filter((e) => {
			const { left, right } = e.getBoundingClientRect();
			return right > left && (left < -1 || right > innerWidth + 1);
		});
		return [document.documentElement.scrollWidth > innerWidth && 'the page', ...scrolls.map(name), ...outside.map(name)].filter(Boolean);
	});
	holds(!wrong.length, `${what} fits: ${wrong.join('; ')}`);
	await shot(page, what.replaceAll(/\W+/g, '-'));
}

// What has the focus is in sight, and nothing lies upon it (2.4.11).
const obscured = (page) => page.evaluate(() => {
	const e = document.activeElement;
	if (e === document.body) return null;
	const { left, top, right, bottom } = e.getBoundingClientRect();
	const points = [[0.5, 0.5], [0.1, 0.1], [0.9, 0.9], [0.1, 0.9], [0.9, 0.1]].map(([x, y]) => document.elementFromPoint(left + (right - left) * x, top + (bottom - top) * y));
	return points.some((at) => at && (e.contains(at) || at.contains(e) || e.labels?.[0]?.contains(at))) ? null : `${e.tagName} ${e.className} ${e.getAttribute('aria-label') ?? ''} ${e.textContent.slice(0, 40)}`;
});

async function inSight(page, what) {
	let hidden;
	await until('', async () => !(hidden = await obscured(page))).catch(() => { throw new Error(`${what}: what has the focus is out of sight: ${hidden}`); });
}

exports['small windows, large letters, no colours of ours, no motion'] = async () => {
	const [ana, ben] = await friends('ana', 'ben');
	await ben.say('ana', `a line that has no place to break: ${'https://example.org/'.padEnd(120, 'x')}`);
	const page = await open(ana, { viewport: { width: 320, height: 256 } });
	const key = (name) => page.keyboard.press(name);
	const walk = async (what) => {
		await fits(page, `${what}: the list`);
		await choose(page, 'ben');
		await message(page, 'no place to break').first().waitFor();
		await fits(page, `${what}: a conversation`);
		holds(await page.box.isVisible() && (await page.locator('.timeline').boundingBox()).height > 40, `${what}: there is room to read and to write`);
		await message(page, 'no place to break').first().focus();
		await key('Enter');
		await page.locator('.menu').waitFor();
		await fits(page, `${what}: a menu`);
		await key('Escape');
		await page.getByRole('button', { name: 'Emoji', exact: true }).click();
		await fits(page, `${what}: emoji`);
		await key('Escape');
		await page.locator('.conversation-header').getByRole('button', { name: /^Safety number/ }).click();
		await page.locator('.digits').waitFor();
		await fits(page, `${what}: safety number`);
		await key('Escape');
		await page.locator('.who-button').click();
		await fits(page, `${what}: about`);
		await key('Escape');
		if (await page.getByRole('button', { name: 'Back', exact: true }).isVisible()) await page.getByRole('button', { name: 'Back', exact: true }).click();
		await page.locator('.myself').click();
		await page.locator('dialog .plain-list li').first().waitFor();
		await fits(page, `${what}: settings`);
		// all the way through by Tab: what has the focus is always in sight
		for (let i = 0; i < 40; i++) {
			await key('Tab');
			await inSight(page, what);
		}
		await key('Escape');
	};
	await walk('320 by 256'); // 1280 by 1024 at 400 %
	await page.setViewportSize({ width: 640, height: 512 });
	await page.evaluate(() => { document.documentElement.style.fontSize = '200%'; });
	await walk('letters twice as large');
	await page.setViewportSize({ width: 1280, height: 800 });
	await page.evaluate(() => { document.documentElement.style.fontSize = ''; });

	// colours of the system's: what was told by ours is still told
	await page.emulateMedia({ forcedColors: 'active' });
	await choose(page, 'ben');
	await shot(page, 'forced-colours');
	await page.locator('.myself').click();
	const toggles = await page.locator('input[role=switch]').evaluateAll((all) => all.map((e) => [e.checked, getComputedStyle(e).backgroundColor, getComputedStyle(e, '::after').backgroundColor]));
	for (const [, ground, knob] of toggles) holds(ground !== knob, `a switch has a knob: ${ground}`);
	await shot(page, 'forced-colours-settings');
	await key('Escape');
	await page.emulateMedia({ forcedColors: 'none' });

	// who wishes no motion sees none
	await page.locator('.row .quote, .row').last().scrollIntoViewIfNeeded();
	const moving = await page.evaluate(() => {
		document.querySelector('.row').classList.add('found');
		return document.getAnimations().filter((one) => one.effect.getComputedTiming().activeDuration > 1).length;
	});
	same(moving, 0, 'animations');
	await close(page);
};

exports['by the keyboard alone'] = async () => {
	const [ana, ben] = await friends('ana', 'ben', 'cai'); // one more, to go to and back
	const page = await open(ana);
	await page.locator('[data-name="ben"]').waitFor();
	const key = (name) => page.keyboard.press(name);
	const at = () => page.evaluate(() => { const e = document.activeElement; return e.getAttribute('aria-label') || e.textContent.trim().slice(0, 60); });
	await key('Control+k');
	await page.keyboard.type('be');
	await key('Enter');
	await until('one can write', async () => await at() === 'Write a message');
	await page.keyboard.type('by keys');
	await key('Shift+Enter');
	await page.keyboard.type('two lines');
	await key('Enter');
	await until('ben has both lines', async () => (await ben.last('ana'))?.text === 'by keys\ntwo lines');
	same(await at(), 'Write a message', 'the focus after sending');
	await message(page, 'two lines').waitFor();
	// back to the timeline, to the message, its menu: reply
	await key('Shift+Tab');
	for (let i = 0; i < 6 && !(await page.evaluate(() => document.activeElement.matches('.timeline'))); i++) await key('Shift+Tab');
	await key('ArrowUp');
	await isAt(page, 'by keys');
	// drawn anew, it keeps it
	await ben.call('sendReaction', { id: (await ben.last('ana')).id, reactions: '🎈' });
	await message(page, 'two lines').locator('.reaction').waitFor();
	await isAt(page, 'by keys');
	await key('Enter');
	await page.locator('.menu').waitFor();
	await key('Enter'); // the first: reply
	await page.keyboard.type('to myself');
	await key('Enter');
	await message(page, 'to myself').locator('.quote').waitFor();
	await key('Control+Shift+f');
	await page.keyboard.type('myself');
	await page.locator('.result mark', { hasText: /^myself$/ }).first().waitFor();
	await key('ArrowDown');
	await key('Enter');
	await isAt(page, 'to myself');
	await key('Escape');
	await until('back in the field', async () => await at() === 'Write a message');
	await key('Alt+ArrowDown');
	await until('another conversation', () => page.evaluate(() => document.querySelector('[aria-current="true"]')?.dataset.name !== 'ben'));
	await key('Alt+ArrowUp');
	await isOpen(page, 'ben');
	// every control that Tab reaches is seen to have the focus, and Tab comes around
	await page.locator('.myself').focus();
	const seen = new Set();
	for (let i = 0; i < 60; i++) {
		const here = await page.evaluate(() => {
			const e = document.activeElement;
			const style = getComputedStyle(e);
			const own = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0;
			const around = e.closest('.composer-line') && getComputedStyle(e.closest('.composer-line')).boxShadow !== 'none';
			return e === document.body ? 'body' : `${own || around ? '' : 'UNSEEN '}${e.tagName} ${e.className} ${e.getAttribute('aria-label') ?? ''}`;
		});
		holds(!here.startsWith('UNSEEN'), `the focus is seen: ${here}`);
		await inSight(page, 'wide');
		if (here === 'body' && seen.size > 5) break;
		seen.add(here);
		await key('Tab');
	}
	for (const one of ['Search messages', 'Add somebody', 'Menu', 'Find a conversation', 'Attach files', 'Write a message', 'Send']) holds([...seen].some((words) => words.includes(one)), `Tab reaches: ${one}`);
	await close(page);
};

exports['notifications, and the line that is lost'] = async () => {
	const [ana, ben] = await friends('ana', 'ben', 'cai');
	const page = await open(ana, { permissions: ['notifications'] });
	await page.locator('[data-name="ben"]').waitFor();
	await page.evaluate(() => {
		window.told = [];
		window.Notification = class extends EventTarget {
			static permission = 'granted';
			constructor(title, options) { super(); window.told.push([title, options.body, options.tag]); window.lastOne = this; }
			close() {}
		};
		Object.defineProperty(document, 'hasFocus', { value: () => false, configurable: true });
	});
	await ben.say('ana', 'are you <there>?');
	await until('it is told', () => page.evaluate(() => window.told.length === 1));
	same(JSON.stringify(await page.evaluate(() => window.told[0])), JSON.stringify(['ben', 'are you <there>?', 'ben']), 'the notification');
	await page.evaluate(() => { delete document.hasFocus; window.lastOne.onclick(); });
	await message(page, 'are you <there>?').waitFor();
	// not of what one looks at
	await until('it is read', async () => (await ana.call('getContact', { name: 'ben' })).contact.unread === 0);
	await ben.say('ana', 'you are');
	await message(page, 'you are').waitFor();
	same(await page.evaluate(() => window.told.length), 1, 'notifications');

	// what came while the page was hidden stands behind a line, and the line is in sight to who comes back
	const turn = (isAway) => page.evaluate((away) => {
		if (away) {
			Object.defineProperty(document, 'hidden', { value: true, configurable: true });
			Object.defineProperty(document, 'visibilityState', { value: 'hidden', configurable: true });
		} else {
			delete document.hidden;
			delete document.visibilityState;
		}
		document.dispatchEvent(new Event('visibilitychange'));
	}, isAway);
	await turn(true);
	for (let i = 0; i < 30; i++) await ben.say('ana', `meanwhile ${i}.`);
	await message(page, 'meanwhile 29.').waitFor({ state: 'attached' });
	same(await page.locator('.unread-line').count(), 1, 'lines');
	await page.locator('.row', { has: page.locator('.unread-line') }).getByText('meanwhile 0.').waitFor();
	await turn(false);
	await until('the line is in sight', () => page.locator('.unread-line').evaluate((e) => e.getBoundingClientRect().top >= document.querySelector('.timeline').getBoundingClientRect().top - 1));
	holds((await ana.call('getContact', { name: 'ben' })).contact.unread > 0, 'what is below is not read yet');
	await page.getByRole('button', { name: /^To (the newest|\d+ new)/ }).click();
	await until('all are read', async () => (await ana.call('getContact', { name: 'ben' })).contact.unread === 0);
	// of another conversation, too: opened again it begins at what is new
	await choose(page, 'cai');
	await ben.say('ana', 'while you were with cai');
	await page.locator('[data-name="ben"] .badge').waitFor();
	await choose(page, 'ben');
	await page.locator('.row', { has: page.locator('.unread-line') }).getByText('while you were with cai').waitFor();
	same(await page.locator('.unread-line').count(), 1, 'lines');

	// a click on the desktop: its address opens that conversation, in a new tab or in the one that is open
	const clicked = async (name) => `${(await ana.call('openWeb')).url}&chat=${name}`;
	const fresh = await open(ana, { url: await clicked('ben') });
	await isOpen(fresh, 'ben');
	await fresh.goto(await clicked('cai'));
	await isOpen(fresh, 'cai');
	await close(fresh);

	// the line is cut, and comes back: nothing is lost, nothing is there twice
	await close(page);
	const again = await open(ana);
	await choose(again, 'ben');
	again.expected.push(/WebSocket/);
	let cut = null;
	let isDown = false;
	await again.routeWebSocket(/\/socket$/, (socket) => {
		if (isDown) return socket.close();
		cut = socket;
		socket.connectToServer();
	});
	await again.reload();
	await choose(again, 'ben');
	await message(again, 'you are').waitFor();
	isDown = true;
	await cut.close({ code: 1001 });
	await again.getByText('The line to the engine is lost').waitFor();
	await look(again, 'line lost');
	await write(again, 'said without a line');
	await again.getByRole('alert').waitFor();
	same(await again.box.inputValue(), 'said without a line', 'what was written is kept');
	await ben.say('ana', 'said meanwhile');
	isDown = false;
	await message(again, 'said meanwhile').waitFor();
	same(await message(again, 'said meanwhile').count(), 1, 'how often it is there');
	await again.box.press('Enter');
	await until('ben has it', async () => (await ben.last('ana'))?.text === 'said without a line');
	await close(again);
};
