'use strict';
// The first minute, in the browser alone: host, join by invitation; a second device: journey.js

const { PASSWORD, choose, close, home, invite, look, open, press, same, holds, until, write } = require('./bed');

exports['host in the browser'] = async () => {
	const page = await open(home('hanna'));
	await page.getByRole('heading', { name: 'Welcome to Palique' }).waitFor();
	await look(page, 'welcome');
	await page.getByRole('button', { name: 'Begin here, and invite others' }).click();
	await look(page, 'welcome host');
	await page.getByLabel('Your name').fill('hanna');
	await page.getByLabel('A password').fill(PASSWORD);
	await press(page, 'Begin');
	await page.getByRole('heading', { name: 'You are there' }).waitFor();
	const link = await page.locator('.link-line code').textContent();
	await page.locator('.qr[src^="blob:"], .qr[src^="/qr"]').waitFor();
	await look(page, 'welcome hosted');
	await press(page, 'To the chats');
	await page.getByText('No conversations yet').waitFor();
	await look(page, 'nobody yet');

	// whoever is invited joins in another browser, by the link, with a name and a password
	const guest = await open(home('gil'), { url: (await home('gil').call('openWeb', { link })).url });
	same(await guest.getByLabel('Invitation, or the link of a directory').inputValue(), link, 'the link of the invitation');
	await guest.getByLabel('Your name').fill('Gil!');
	await guest.getByLabel('A password').fill(PASSWORD);
	await press(guest, 'Join');
	holds(await guest.getByLabel('Your name').evaluate((e) => !e.validity.valid), 'a name that is none is refused by the form');
	await guest.getByLabel('Your name').fill('hanna');
	await press(guest, 'Join');
	await guest.getByText('that name is taken').waitFor();
	await look(guest, 'welcome name taken');
	await guest.getByLabel('Your name').fill('gil');
	await press(guest, 'Join');
	await guest.locator('.side').waitFor();
	await press(guest, 'Add somebody');
	await guest.getByLabel('Name or contact link').fill('hanna');
	await press(guest, 'Add');
	await guest.getByText('hanna was asked and has not answered yet.').waitFor();
	await look(guest, 'asked');
	await choose(page, 'gil');
	await page.getByText('gil wants to talk with you.').waitFor();
	await press(page, 'Accept');
	await guest.locator('[data-name="hanna"] .presence-on').waitFor();
	await write(guest, 'from nothing to a talk');
	await page.getByText('from nothing to a talk').first().waitFor();
	await guest.locator('.message.own .state-read').waitFor();
	await close(guest);
	await close(page);
	await home('gil').run('stop');
	await home('hanna').run('stop');
};

exports['join in Spanish, on a telephone'] = async () => {
	const page = await open(home('eva'), { locale: 'es-ES', viewport: { width: 390, height: 780 }, colorScheme: 'dark' });
	await page.getByRole('heading', { name: 'Bienvenido' }).or(page.getByRole('heading', { name: 'Palique' })).first().waitFor();
	same(await page.locator('html').getAttribute('lang'), 'es', 'the language');
	await look(page, 'es welcome');
	await page.locator('button.choice').first().click();
	await page.locator('input[type=text]').first().fill(await invite());
	await page.locator('input[autocomplete=username]').fill('eva');
	await page.locator('input[type=password]').fill(PASSWORD);
	await look(page, 'es join');
	await page.locator('button[type=submit]').click();
	await page.locator('.side').waitFor();
	await look(page, 'es nobody yet');
	await until('eva is at the directory', async () => (await home('eva').call('status')).account.state === 'online');
	await close(page);
};
