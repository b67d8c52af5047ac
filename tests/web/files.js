'use strict';
// Images and files, and what happens when the line, the page or the engine ends in the midst of one.

const fs = require('fs');
const path = require('path');
const crypto = require('crypto');
const { bytesOf, choose, close, folder, friends, give, hash, holds, look, message, open, press, same, until } = require('./bed');

// What browsers say of a server that is gone.
const LOST = /WebSocket|Failed to load resource|ERR_CONNECTION|can’t establish a connection/;
const png = () => fs.readFileSync(path.join(__dirname, 'kite.png'));

const arrived = (who, from, name) => until(`${who.name} has ${name}`, async () => {
	const { messages } = await who.call('getMessages', { conversation: from });
	const m = messages.findLast((one) => one.file?.name === name);
	return m?.file.state === 'done' && fs.existsSync(m.file.path) && m;
});

exports['images, dropped and pasted'] = async () => {
	const [ana, ben] = await friends('ana', 'ben');
	const page = await open(ana);
	await choose(page, 'ben');
	await give(page, 'drop', [{ name: 'kite.png', type: 'image/png', bytes: png() }, { name: 'notes <b>.txt', type: 'text/plain', bytes: Buffer.from('some notes') }]);
	await page.locator('dialog .offer').nth(1).waitFor();
	await page.getByLabel('What it shows').fill('a kite over the sea');
	await page.getByLabel('A few words with it').fill('look at this');
	await look(page, 'files to send');
	await press(page, 'Send');
	await page.locator('dialog').waitFor({ state: 'detached' });
	const one = await arrived(ben, 'ana', 'kite.png');
	same(hash(fs.readFileSync(one.file.path)), hash(png()), 'the image that arrived');
	same(one.file.alt, 'a kite over the sea', 'its description');
	same(one.text, 'look at this', 'its caption');
	same(fs.readFileSync((await arrived(ben, 'ana', 'notes <b>.txt')).file.path, 'utf8'), 'some notes', 'the notes');
	await page.locator('.message.own .picture img[src^="blob:"]').waitFor();
	await page.getByAltText('a kite over the sea').click();
	await page.locator('dialog img.full[src^="blob:"]').waitFor();
	await until('the whole image is shown', () => page.locator('img.full').evaluate((e) => e.naturalWidth === 640));
	await look(page, 'image');
	await page.keyboard.press('Escape');

	await page.box.focus();
	await give(page, 'paste', [{ name: 'image.png', type: 'image/png', bytes: png() }]);
	await page.locator('dialog .offer').waitFor();
	await page.keyboard.press('Enter'); // the button to send has the focus
	const pasted = await until('the pasted one is there', async () => { const m = await ben.last('ana'); return m.file?.name.startsWith('pasted-') && m.file.state === 'done' && m; });
	same(hash(fs.readFileSync(pasted.file.path)), hash(png()), 'the pasted image');

	// theirs: small first, whole when looked at; and saved
	const mine = path.join(folder, 'wind.png');
	fs.writeFileSync(mine, png());
	await ben.call('sendFile', { conversation: 'ana', path: mine, alt: 'wind' });
	await page.getByAltText('wind').waitFor();
	await arrived(ana, 'ben', 'wind.png');
	await page.getByAltText('wind').click();
	await until('theirs is shown whole', () => page.locator('img.full').evaluate((e) => e.naturalWidth === 640).catch(() => false));
	const saving = page.waitForEvent('download');
	await press(page, 'Save a copy');
	same(hash(await bytesOf(await saving)), hash(png()), 'the copy that was saved');
	await page.keyboard.press('Escape');

	// sizes are read from headers, of whatever the browser itself can make
	const wrong = await page.evaluate(async () => {
		const { isShowable, sizeOf } = await import('/assets/measure.js');
		const all = [];
		for (const [type, quality, alpha, sides] of [['image/png', 1, 0.5, [[321, 7], [30001, 2]]], ['image/jpeg', 0.8, 1, [[321, 7], [30001, 2]]], ['image/webp', 0.8, 1, [[321, 7], [16383, 2]]], ['image/webp', 0.8, 0.5, [[321, 7]]]])
			for (const [width, height] of sides) {
				const canvas = Object.assign(document.createElement('canvas'), { width, height });
				const draw = canvas.getContext('2d');
				draw.fillStyle = `rgb(200 30 90 / ${alpha})`;
				draw.fillRect(0, 0, width, height - 1);
				const blob = await new Promise((done) => { canvas.toBlob(done, type, quality); });
				const got = await sizeOf(blob);
				if (blob.type !== type || got?.[0] !== width || got[1] !== height || await isShowable(blob) !== (width <= 30000)) all.push([type, quality, alpha, width, got]);
				if (await isShowable(blob.slice(0, 20)) || await isShowable(new Blob(['<svg>', blob]))) all.push([type, 'cut, or something else']);
			}
		// the kind without loss, which it does not make: 321 by 7
		const bits = 320 | (6 << 14);
		const lossless = new Blob([new TextEncoder().encode('RIFF----WEBPVP8L----'), new Uint8Array([0x2f, bits & 255, (bits >> 8) & 255, (bits >> 16) & 255, bits >> 24, 0, 0, 0, 0, 0])]);
		if (`${await sizeOf(lossless)}` !== '321,7') all.push(['lossless', await sizeOf(lossless)]);
		return JSON.stringify(all);
	});
	same(wrong, '[]', 'sizes that are wrong');

	// small as a file, more than the memory as pixels: it is not decoded
	const vast = png();
	vast.writeUInt32BE(29000, 16);
	vast.writeUInt32BE(29000, 20);
	await page.route('**/image/*', (route) => route.fulfill({ body: vast, contentType: 'image/png' }));
	await page.getByAltText('wind').click();
	await page.getByText('It is too large to be shown whole here.').waitFor();
	holds(await page.locator('img.full').evaluate((e) => e.naturalWidth <= 320), 'the small one is shown');
	await page.keyboard.press('Escape');
	await page.unrouteAll();

	// a picture of oneself
	await page.locator('.myself').click();
	await page.locator('dialog input[type=file]').setInputFiles({ name: 'me.png', mimeType: 'image/png', buffer: png() });
	await until('ben sees the picture', async () => (await ben.call('getContact', { name: 'ana' })).contact.hasPicture);
	await page.locator('dialog .avatar img[src^="blob:"]').waitFor();
	await page.keyboard.press('Escape');
	await close(page);
};

exports['an upload whose line breaks goes on'] = async () => {
	const [ana, ben] = await friends('ana', 'ben');
	const bytes = crypto.randomBytes(18 << 20);
	await ben.call('setSettings', { acceptUpTo: 1 << 30 });
	const film = path.join(folder, 'film.bin');
	fs.writeFileSync(film, bytes);
	const page = await open(ana);
	await choose(page, 'ben');
	let puts = 0;
	page.expected.push(/ERR_FAILED.*\/upload\//);
	await page.route('**/upload/**', (route) => {
		if (route.request().method() === 'PUT' && ++puts === 3) return route.abort();
		return route.continue();
	});
	await page.locator('.composer input[type=file]').setInputFiles(film);
	await page.locator('dialog .offer').waitFor();
	await press(page, 'Send');
	const m = await arrived(ben, 'ana', 'film.bin');
	same(hash(fs.readFileSync(m.file.path)), hash(bytes), 'the film');
	same(puts, 6, 'pieces that were sent'); // 4 MiB each: five, and the one that was cut off
	await page.unrouteAll();

	// in the midst of one the page asks before it goes
	await page.route('**/upload/**', () => {}); // never answered
	await page.locator('.composer input[type=file]').setInputFiles(film);
	await page.locator('dialog .offer').waitFor();
	await press(page, 'Send');
	await page.locator('.upload').waitFor();
	await look(page, 'upload');
	const asked = page.waitForEvent('dialog');
	await page.evaluate(() => { setTimeout(() => location.reload()); });
	await (await asked).dismiss();
	await page.locator('.upload').getByRole('button', { name: 'Cancel' }).click();
	await page.locator('.upload').waitFor({ state: 'detached' });
	await close(page);
};

exports['a fetch goes on after the page and the engine have ended'] = async () => {
	const [ana, ben] = await friends('ana', 'ben');
	const bytes = crypto.randomBytes(1 << 20);
	const large = path.join(folder, 'large.bin');
	fs.writeFileSync(large, Buffer.concat(Array(200).fill(bytes)));
	const { pid } = await ben.call('status');
	let page = await open(ana);
	await choose(page, 'ben');
	await ana.call('setSettings', { acceptUpTo: 0 });
	await ben.call('sendFile', { conversation: 'ana', path: large, caption: 'a large one' });
	const one = message(page, 'a large one');
	await one.getByRole('button', { name: 'Fetch the file' }).click();
	// in the midst of it ben's machine stands still: so it stays in the midst
	for (;;) {
		const { state, done } = (await ana.last('ben')).file;
		holds(state !== 'done', 'it can be caught before it is whole');
		if (state === 'running' && done > 0) break;
	}
	process.kill(pid, 'SIGSTOP');
	try {
		// the page is loaded anew: it shows how far it is
		await page.reload();
		await choose(page, 'ben');
		await one.locator('progress').waitFor();
		await page.box.fill('not sent yet');
		await ana.kill();
		page.expected.push(LOST);
		await page.getByText('The line to the engine is lost').waitFor();
		await page.getByRole('heading', { name: 'Palique has ended on this machine' }).waitFor();
		await page.getByText('palique web', { exact: true }).waitFor();
		await page.getByText('not sent yet').waitFor(); // nothing that was written is lost
		await look(page, 'the engine has ended');
		await close(page);
	} finally {
		process.kill(pid, 'SIGCONT');
	}
	page = await open(ana);
	await choose(page, 'ben');
	const m = await arrived(ana, 'ben', 'large.bin');
	same(hash(fs.readFileSync(m.file.path)), hash(fs.readFileSync(large)), 'the large file');
	await message(page, 'a large one').getByRole('button', { name: 'Save a copy' }).waitFor();
	holds(!await message(page, 'a large one').locator('progress').count(), 'no bar is left');
	await look(page, 'files');

	// what is taken back is not to be had any more
	await ben.call('sendFile', { conversation: 'ana', path: large, caption: 'a mistake' });
	await message(page, 'a mistake').getByRole('button', { name: 'Fetch the file' }).waitFor();
	await ben.call('cancelFile', { id: (await ben.last('ana')).id });
	await message(page, 'a mistake').getByText('the other side has withdrawn it').waitFor();
	same(await message(page, 'a mistake').locator('.file-actions button').count(), 0, 'what can be done with it');
	await close(page);

	// another engine: the page of the one before has no session
	page = await open(ana);
	await page.locator('.side').waitFor();
	page.expected.push(LOST);
	await ana.call('closeWeb');
	await page.getByText('palique web', { exact: true }).waitFor();
	await look(page, 'no session');
	await close(page);
};
