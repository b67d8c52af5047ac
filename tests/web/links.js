'use strict';
// palique: links that lead into the page, by who has no account and by who has one; and which language it speaks.

const { PASSWORD, close, directory, friends, holds, home, invite, look, open, person, press, same } = require('./bed');

exports['links lead where they say'] = async () => {
	const [ana, ben] = await friends('ana', 'ben');
	const gus = await person('gus');
	const linkOf = async (who) => (await who.call('getLink')).link;
	const at = async (name, link, options = {}) => open(home(name), { url: (await home(name).call('openWeb', { link })).url, ...options });
	const reset = async (name) => (await directory('user', 'passwd-reset', name)).split('\n').find((one) => one.startsWith('palique:'));

	// who has no account: a person's link waits until there is one
	let page = await at('new', await linkOf(ben));
	await page.getByText('To add ben@').waitFor();
	await look(page, 'welcome with a link to a person');
	await page.getByRole('button', { name: 'I have an invitation' }).click();
	same(await page.getByLabel('Invitation, or the link of a directory').inputValue(), '', 'a person is no invitation');
	await page.getByLabel('Invitation, or the link of a directory').fill(await invite());
	await page.getByLabel('Your name').fill('newcomer');
	await page.getByLabel('A password').fill(PASSWORD);
	await press(page, 'Join');
	await page.getByLabel('Name or contact link').waitFor();
	same(await page.getByLabel('Name or contact link').inputValue(), await linkOf(ben), 'who is to be added');
	await close(page);

	// one that sets a new password: used once, and then the name is known where one logs in; there the words on paper open it
	const { words } = await gus.call('createRecoveryCode');
	page = await at('forgetful', await reset('gus'));
	await page.getByRole('heading', { name: 'A new password' }).waitFor();
	await look(page, 'welcome with a new password');
	await page.getByLabel('The new one').fill('another horse, another battery');
	await press(page, 'Change');
	await page.getByText('The password of gus is changed.').first().waitFor();
	holds((await page.getByLabel('Your name and directory').inputValue()).startsWith('gus@'), 'who logs in');
	await page.getByLabel('Password', { exact: true }).fill('another horse, another battery');
	await press(page, 'Log in');
	await page.getByText('the vault is sealed with an older password').waitFor();
	await press(page, 'With the recovery code');
	await page.getByLabel('The twelve words').fill(words.split(' ').reverse().join(' '));
	await page.getByLabel('A new password').fill(PASSWORD);
	await look(page, 'welcome with the recovery code');
	await press(page, 'Log in');
	await page.getByRole('alert').waitFor();
	await page.getByLabel('The twelve words').fill(words);
	await press(page, 'Log in');
	await page.locator('.myself').getByText('gus').waitFor();
	await close(page);

	// who has an account: an invitation is for others; a new password can be for this one
	page = await at('ana', await invite());
	await page.getByText('It is for somebody who has no account yet.').waitFor();
	await look(page, 'a link to a directory');
	await close(page);
	page = await at('ana', await reset('gus'));
	await page.getByLabel('The new one').fill(PASSWORD);
	await look(page, 'a link to a new password');
	await press(page, 'Change');
	await page.getByText('The password of gus is changed.').first().waitFor();
	await page.locator('dialog').waitFor({ state: 'detached' });
	await close(page);

	// the language is that of the browser, by its order; or what is chosen
	page = await open(ana, { locale: 'fr-FR' });
	same(await page.locator('html').getAttribute('lang'), 'en', 'a language that we do not have');
	await page.locator('.myself').click();
	await page.getByLabel('Language').selectOption('es');
	await page.locator('html[lang=es]').waitFor();
	await page.getByText('Elige una conversación').first().waitFor();
	await close(page);
	for (const name of ['new', 'forgetful']) await home(name).run('stop');
};
