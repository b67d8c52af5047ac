'use strict';
// screenshots.js FOLDER: pictures of the page and of the terminal for the documents, of real engines that have talked.

const fs = require('fs');
const path = require('path');
const { act, befriend, choose, close, folder, home, invite, message, open, run, until } = require('./bed');
const { picture } = require('./terminal');

const into = process.argv[2];
const kite = path.join(folder, 'kite.png');
const minutes = path.join(folder, 'Minutes of Tuesday.pdf');
const shot = (page, name) => page.screenshot({ path: path.join(into, `${name}.png`), animations: 'disabled' });

// All was read before, the image is there, the newest message is in sight.
async function atEnd(page) {
	const { who } = page;
	const name = await page.evaluate(() => document.querySelector('[aria-current]').dataset.name);
	await who.call('markRead', { conversation: name, upTo: (await who.last(name)).id });
	await page.reload(); // its address opens the conversation again
	await page.locator('.conversation-header b').first().waitFor();
	await page.locator('.picture img[src]').waitFor();
	await until('the newest is in sight', () => page.evaluate(() => { const t = document.querySelector('.timeline'); return t.scrollHeight - t.scrollTop - t.clientHeight < 2; }));
	await page.mouse.move(0, 0);
}

const person = async (name, profile) => {
	const who = await home(name).join(await invite());
	if (profile) await who.call('setProfile', profile);
	return who;
};

// Each line: who says it, what, and how it goes on with it.
async function talk(people, lines) {
	const said = new Map();
	for (const [who, text, more = {}] of lines) {
		const other = people[1 - who];
		const me = people[who];
		const replyTo = more.replyTo && said.get(more.replyTo)[who];
		const { id } = more.file ? await me.call('sendFile', { conversation: other.name, path: more.file, ...(more.alt ? { alt: more.alt } : {}), ...(text ? { caption: text } : {}) }) : await me.say(other.name, text, { ...(replyTo ? { replyTo } : {}), ...(more.buttons ? { buttons: more.buttons } : {}) });
		const there = await until(`"${text}" has arrived`, async () => { const m = await other.last(me.name); return m && (m.text ?? '') === text && (!m.file || m.file.state === 'done') && m; });
		said.set(text, who ? { 1: id, 0: there.id } : { 0: id, 1: there.id });
		if (more.reactions) await other.call('sendReaction', { id: there.id, reactions: more.reactions });
	}
}

async function english() {
	const ana = await person('ana', { title: 'Ana Reyes', status: 'here' });
	const downloads = path.join(folder, 'Downloads');
	fs.mkdirSync(downloads);
	await ana.run('settings', 'downloads', downloads);
	const ben = await person('ben', { title: 'Ben Okafor', status: 'packing' });
	const carla = await person('carla', { title: 'Carla Nunes', availability: 'away' });
	const frank = await person('frank', { title: 'Frank Weber' });
	const clock = await person('clock', { title: 'Clock', bot: true });
	const dora = await person('dora');
	await befriend(ana, frank);
	await talk([frank, ana], [[0, 'The bicycle is back in the cellar. Thank you!'], [1, 'Any time']]);
	await ana.call('markRead', { conversation: 'frank', upTo: (await ana.last('frank')).id });
	await frank.run('stop');
	await befriend(ana, clock);
	await talk([clock, ana], [[0, 'Good morning. Shall I wake you on Saturday?', { buttons: ['At seven', 'At eight', 'Not at all'] }]]);
	await befriend(ana, carla);
	await talk([carla, ana], [[0, 'The minutes of Tuesday are in the folder'], [1, 'Thank you, I will read them tonight'], [0, '', { file: minutes }], [0, 'No hurry 🙂']]);
	await ana.call('verifyContact', { name: 'carla', safety: (await ana.call('getSafety', { name: 'carla' })).digits });
	await befriend(ana, ben);
	await talk([ana, ben], [
		[1, 'Are we still on for the beach on Saturday?'],
		[0, 'Yes! The forecast says *wind all day*.', { reactions: '🎉' }],
		[1, 'Then I bring this one', { file: kite, alt: 'A red kite over the sea' }],
		[0, 'It is huge. Does it fit into the car?', { replyTo: 'Then I bring this one' }],
		[1, 'It folds. Timetable, in case the car says no: https://example.org/trains'],
		[0, 'Train at 9:40 then, I get the tickets', { reactions: '👍' }],
	]);
	await ben.call('markRead', { conversation: 'ana', upTo: (await ben.last('ana')).id });
	await dora.call('addContact', { contact: (await ana.call('getLink')).link, greeting: 'we met at the workshop' });
	await until('dora asks', async () => (await ana.call('listContacts')).contacts.some((c) => c.name === 'dora'));
	let page = await open(ana);
	await choose(page, 'ben');
	await message(page, 'get the tickets').locator('.state-read').waitFor();
	await atEnd(page);
	await shot(page, 'web-light');
	await picture(ana, 'ben', 'get the tickets', path.join(into, 'terminal.png'));
	await choose(page, 'dora');
	await page.getByText('we met at the workshop').last().waitFor();
	await shot(page, 'web-request');
	await choose(page, 'ben');
	await page.getByRole('button', { name: 'Safety number', exact: true }).first().click();
	await page.locator('dialog .qr[src]').waitFor();
	await until('the code is drawn', () => page.locator('dialog .qr').evaluate((e) => e.naturalWidth > 0));
	await shot(page, 'web-safety');
	await close(page);

	page = await open(ana, { colorScheme: 'dark' });
	await choose(page, 'ben');
	await atEnd(page);
	await act(page, 'It folds', 'Reply');
	await page.box.fill('I have asked my brother for his');
	await page.mouse.move(0, 0);
	await shot(page, 'web-dark');
	await close(page);

	page = await open(home('new'));
	await page.getByRole('heading', { name: 'Welcome to Palique' }).waitFor();
	await shot(page, 'web-welcome');
	await close(page);
}

async function spanish() {
	const eva = await person('eva', { title: 'Eva Molina' });
	const nico = await person('nico', { title: 'Nico Prado', status: 'en el tren' });
	await befriend(eva, nico);
	await talk([eva, nico], [
		[1, '¿Quedamos el sábado en la playa?'],
		[0, '¡Claro! Dicen que habrá viento', { reactions: '🎉' }],
		[1, 'Entonces llevo esta', { file: kite, alt: 'Una cometa roja sobre el mar' }],
		[0, '¿Cabe en el coche? 😄', { replyTo: 'Entonces llevo esta' }],
		[1, 'Se pliega. Salgo a las nueve y media'],
	]);
	const page = await open(eva, { locale: 'es-ES', viewport: { width: 390, height: 780 } });
	await choose(page, 'nico');
	await atEnd(page);
	await shot(page, 'web-phone-es');
	await page.emulateMedia({ colorScheme: 'dark' });
	await page.locator('.conversation-header .round').first().click();
	await page.locator('.myself').click();
	await page.locator('dialog').waitFor();
	await shot(page, 'web-phone-settings-es');
	await close(page);
}

fs.mkdirSync(into, { recursive: true });
fs.copyFileSync(path.join(__dirname, 'kite.png'), kite);
fs.writeFileSync(minutes, Buffer.alloc(212000, 'minutes '));
run([['pictures in English', english], ['pictures in Spanish', spanish]]);
