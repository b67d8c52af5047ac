'use strict';
// A walk through all views as it is done by others: in Spanish, in the dark, on a telephone; by the keyboard alone;
// with notifications. axe-core finds nothing in any of them.

const { act, choose, close, friends, holds, isOpen, look, message, open, same, until, write } = require('./bed');

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
	const button = (name) => page.getByRole('button', { name, exact: true }).first();
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
	same(await page.locator('.side').isVisible(), true, 'back to the list');
	await button('Buscar mensajes').click();
	await page.locator('dialog input[type=search]').fill('plaza');
	await page.locator('.result mark').waitFor();
	await look(page, 'es search');
	await page.keyboard.press('Escape');
	await page.locator('.myself').click();
	await look(page, 'es settings');
	await page.keyboard.press('Escape');
	await button('Añadir a alguien').click();
	await page.locator('dialog .qr[src]').waitFor();
	await look(page, 'es add');
	// what the engine says is in Spanish, too
	await page.getByLabel('Nombre o enlace de contacto').fill('¿quién?');
	await page.locator('dialog button[type=submit]').click();
	holds(/[a-záéíóúñ]/.test(await page.locator('.form-error').textContent()), 'an error is told');
	await look(page, 'es error');
	await page.keyboard.press('Escape');
	holds(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'nothing is wider than the telephone');
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
	await until('ben has both lines', async () => (await ben.last('ana')).text === 'by keys\ntwo lines');
	same(await at(), 'Write a message', 'the focus after sending');
	await message(page, 'two lines').waitFor();
	// back to the timeline, to the message, its menu: reply
	await key('Shift+Tab');
	for (let i = 0; i < 6 && !(await page.evaluate(() => document.activeElement.matches('.timeline'))); i++) await key('Shift+Tab');
	await key('ArrowUp');
	holds((await page.evaluate(() => document.activeElement.textContent)).includes('by keys'), 'the newest message has the focus');
	// drawn anew, it keeps it
	await ben.call('sendReaction', { id: (await ben.last('ana')).id, reactions: '🎈' });
	await message(page, 'two lines').locator('.reaction').waitFor();
	holds((await page.evaluate(() => document.activeElement.textContent)).includes('by keys'), 'it keeps the focus');
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
	await until('the message found has the focus', () => page.evaluate(() => document.activeElement.textContent.includes('to myself')));
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
		if (here === 'body' && seen.size > 5) break;
		seen.add(here);
		await key('Tab');
	}
	for (const one of ['Search messages', 'Add somebody', 'Menu', 'Find a conversation', 'Attach files', 'Write a message', 'Send']) holds([...seen].some((words) => words.includes(one)), `Tab reaches: ${one}`);
	await close(page);
};

exports['notifications, and the line that is lost'] = async () => {
	const [ana, ben] = await friends('ana', 'ben');
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
	await until('ben has it', async () => (await ben.last('ana')).text === 'said without a line');
	await close(again);
};
