'use strict';
// All that two people do, each in a page of theirs, in one language and in the other: join, add, accept, chat, reply,
// react, edit, an image, a file with an interruption, search, a second device.

const crypto = require('crypto');
const fs = require('fs');
const path = require('path');
const { PASSWORD, act, bytesOf, choose, close, folder, give, hash, home, invite, isAt, isOpen, look, message, open, press, same, until, words, write } = require('./bed');

const MEDIA = { type: 'image/png', bytes: fs.readFileSync(path.join(__dirname, 'kite.png')) };

// In the page of an engine that has no account yet.
async function join(name, options) {
	const page = await open(home(name), options);
	const _ = await words(page);
	await page.getByRole('button', { name: _('I have an invitation') }).click();
	await page.getByLabel(_('Invitation, or the link of a directory')).fill(await invite());
	await page.getByLabel(_('Your name')).fill(name);
	await page.getByLabel(_('A password')).fill(PASSWORD);
	await press(page, _('Join'));
	await page.locator('.side').waitFor();
	return page;
}

async function login(name, of, options) {
	const page = await open(home(name), options);
	const _ = await words(page);
	const { account } = await home(of).call('status');
	await page.getByRole('button', { name: _('I have an account already') }).click();
	await page.getByLabel(_('Your name and directory')).fill(`${of}@${account.directory}`);
	await page.getByLabel(_('Password'), { exact: true }).fill('not this one');
	await press(page, _('Log in'));
	await page.locator('.form-error').waitFor();
	await look(page, `${options.locale}: log in`);
	await page.getByLabel(_('Password'), { exact: true }).fill(PASSWORD);
	await press(page, _('Log in'));
	await page.locator('.side').waitFor();
	return page;
}

async function journey(one, two, options) {
	const a = await join(one, options);
	const _ = await words(a);
	const lookAt = (page, what) => look(page, `${options.locale}: ${what}`);
	const b = await join(two, options);
	await lookAt(b, 'nobody yet');

	// add, accept
	await press(a, _('Add somebody'));
	await a.getByLabel(_('Name or contact link')).fill(two);
	await press(a, _('Add'));
	await a.getByText(_('%s was asked and has not answered yet.', two)).waitFor();
	await lookAt(a, 'asked');
	await choose(b, one);
	await b.getByText(_('%s wants to talk with you.', one)).waitFor();
	await lookAt(b, 'asks');
	await press(b, _('Accept'));
	await a.locator('.conversation-header .presence-on').waitFor();

	// chat, reply, react, edit
	await write(a, 'ocho o nueve 🎈');
	await message(b, 'ocho o nueve').waitFor();
	await message(a, 'ocho o nueve').locator('.state-read').waitFor();
	await act(b, 'ocho o nueve', _('Reply'));
	await lookAt(b, 'answering');
	await write(b, 'nueve');
	await message(a, 'nueve').last().locator('.quote', { hasText: 'ocho o nueve' }).waitFor();
	await act(b, 'ocho o nueve', _('React'));
	await b.getByRole('menuitem', { name: '👍' }).click();
	await message(a, 'ocho o nueve').locator('.reaction', { hasText: '👍' }).waitFor();
	await act(a, 'ocho o nueve', _('Edit'));
	await lookAt(a, 'editing');
	await a.box.fill('a las nueve 🎈');
	await a.box.press('Enter');
	await message(b, 'a las nueve').getByText(_('edited')).waitFor();

	// an image
	await give(a, 'drop', [{ name: 'kite.png', ...MEDIA }]);
	await a.getByLabel(_('What it shows (for who cannot see it)')).fill('cometa');
	await lookAt(a, 'files to send');
	await press(a, _('Send'));
	await b.getByAltText('cometa').click();
	await until('the image is shown whole', () => b.locator('img.full').evaluate((e) => e.naturalWidth === 640));
	await lookAt(b, 'image');
	await b.keyboard.press('Escape');

	// a file whose line breaks in the midst
	const bytes = crypto.randomBytes(9 << 20);
	const film = path.join(folder, `film-${one}.bin`);
	fs.writeFileSync(film, bytes);
	let puts = 0;
	b.expected.push(/ERR_FAILED.*\/upload\//);
	await b.route('**/upload/**', (route) => (route.request().method() === 'PUT' && ++puts === 2 ? route.abort() : route.continue()));
	await b.locator('.composer input[type=file]').setInputFiles(film);
	await press(b, _('Send'));
	const saved = a.locator('.message', { hasText: `film-${one}.bin` }).getByRole('button', { name: _('Save a copy') });
	await saved.waitFor();
	await lookAt(a, 'files');
	const saving = a.waitForEvent('download');
	await saved.click();
	same(hash(await bytesOf(await saving)), hash(bytes), 'the file');
	same(puts, 4, 'pieces that were sent, the broken one among them');

	// search
	await a.bringToFront();
	await a.keyboard.press('Control+Shift+F');
	await a.getByLabel(_('Words to find')).fill('las nueve');
	await a.locator('.result mark').first().waitFor();
	await lookAt(a, 'search');
	await a.keyboard.press('Enter');
	await a.keyboard.press('Enter');
	await isAt(a, 'a las nueve');

	// a second device: it gets what was said, and both say and hear the same
	const c = await login(`${one}2`, one, options);
	await a.locator('.myself').click();
	await a.locator('dialog .plain-list li').nth(1).waitFor();
	same(await a.locator('dialog .plain-list li').count(), 2, 'devices');
	await press(a, _('Give it the history'));
	await lookAt(a, 'devices');
	await a.keyboard.press('Escape');
	await choose(c, two);
	await message(c, 'a las nueve').waitFor();
	await write(c, 'desde el otro');
	await message(a, 'desde el otro').waitFor();
	await message(b, 'desde el otro').waitFor();
	await isOpen(b, one);
	await write(b, 'para los dos');
	for (const page of [a, c]) await message(page, 'para los dos').waitFor();
	await lookAt(c, 'second device');
	for (const page of [a, b, c]) await close(page);
	for (const name of [one, two, `${one}2`]) await home(name).run('stop');
}

exports['a journey in English'] = () => journey('uma', 'leo', { locale: 'en-GB' });
exports['a journey in Spanish'] = () => journey('ines', 'raul', { locale: 'es-MX', colorScheme: 'dark' });
