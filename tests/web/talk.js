'use strict';
// Two people talk; what one does in the page the other's engine knows, and the other way round.

const { accessible, act, befriend, choose, close, friends, holds, isAt, isOpen, look, message, open, openMenu, person, press, same, until, write } = require('./bed');

// A program of ana's, on a line of its own that may do no more than its token.
async function program(of, rights) {
	const { token } = await of.call('createBot', rights);
	const bot = new of.constructor(of.name);
	await bot.call('version');
	await bot.call('authenticate', { token });
	return bot;
}

exports['talk both ways'] = async () => {
	const ana = await person('ana');
	const ben = await person('ben');
	const page = await open(ana);
	await press(page, 'Add somebody');
	await page.locator('dialog .qr[src]').waitFor();
	await look(page, 'add somebody');
	await page.getByLabel('Name or contact link').fill('nobody-of-that-name');
	await press(page, 'Add');
	await isOpen(page, 'nobody-of-that-name');
	await page.getByText('nobody-of-that-name was asked and has not answered yet.').waitFor();

	// ben asks by link, with a greeting
	await ben.call('addContact', { contact: (await ana.call('getLink')).link, greeting: 'we met on Monday <b>' });
	await choose(page, 'ben');
	await page.getByText('“we met on Monday <b>”').waitFor();
	await look(page, 'asks');
	await press(page, 'Accept');
	await page.locator('.conversation-header .presence-on').waitFor();

	await ben.say('ana', 'hello ana, *this* is https://example.org/x?y=1.');
	await message(page, 'hello ana').waitFor();
	same(await page.locator('.message a').getAttribute('href'), 'https://example.org/x?y=1', 'the link');
	same(await page.locator('.message strong').textContent(), '*this*', 'what is marked');
	await until('ben hears that ana has read it', async () => (await ben.last('ana'))?.state === 'read');
	await write(page, 'hola ben');
	await until('ben has it', async () => (await ben.last('ana'))?.text === 'hola ben');
	await message(page, 'hola ben').locator('.state-delivered').waitFor();
	const last = await ben.last('ana');
	await ben.call('markRead', { conversation: 'ana', upTo: last.id });
	await message(page, 'hola ben').locator('.state-read').waitFor();

	// reply, react, edit, delete
	await act(page, 'hello ana', 'Reply');
	await write(page, 'an answer');
	await message(page, 'an answer').locator('.quote').getByText('hello ana').waitFor();
	same((await until('ben has the answer', async () => { const m = await ben.last('ana'); return m.text === 'an answer' && m; })).quote.ours, true, 'the answer is to what ben said');
	await openMenu(page, 'hello ana', 'React');
	await look(page, 'reactions to choose');
	await page.getByRole('menuitem', { name: '👍' }).click();
	const reactions = async (text) => (await ben.call('getMessages', { conversation: 'ana' })).messages.find((m) => m.text.includes(text)).reactions;
	await until('ben sees the reaction', async () => (await reactions('hello ana'))?.theirs === '👍');
	await ben.call('sendReaction', { id: last.id, reactions: '🎉 ❤️' });
	await message(page, 'hola ben').getByText('🎉').waitFor();
	await message(page, 'hello ana').locator('.reaction').click(); // and takes it back
	await until('ben sees none', async () => !(await reactions('hello ana'))?.theirs);
	await page.box.press('ArrowUp'); // edits the last one
	same(await page.box.inputValue(), 'an answer', 'what is edited');
	await page.box.fill('another answer');
	await look(page, 'editing');
	await page.box.press('Enter');
	await message(page, 'another answer').getByText('edited').waitFor();
	await until('ben sees the edit', async () => (await ben.last('ana'))?.text === 'another answer');
	await write(page, 'a slip');
	await message(page, 'a slip').waitFor();
	await openMenu(page, 'a slip');
	await look(page, 'menu of a message');
	await page.keyboard.press('Escape');
	await act(page, 'a slip', 'Delete for both');
	await look(page, 'delete for both');
	await page.locator('dialog .danger').click();
	await page.getByText('You deleted this message').waitFor();
	await until('ben sees that it is gone', async () => (await ben.last('ana'))?.retracted);

	// ben edits and deletes
	const { id } = await ben.say('ana', 'first words');
	await message(page, 'first words').waitFor();
	await ben.call('editMessage', { id, text: 'second words' });
	await message(page, 'second words').waitFor();
	await ben.call('deleteMessage', { id });
	await page.getByText('This message was deleted').waitFor();
	await act(page, 'hello ana', 'Details');
	await look(page, 'details');
	await page.keyboard.press('Escape');
	await act(page, 'hello ana', 'Copy text');
	await until('it is copied', async () => await page.evaluate(() => navigator.clipboard.readText()) === 'hello ana, *this* is https://example.org/x?y=1.');

	// typing is seen, and goes
	await ben.call('sendTyping', { conversation: 'ana' });
	await page.locator('.conversation-header', { hasText: 'types …' }).waitFor();
	await ben.call('sendTyping', { conversation: 'ana', typing: false });
	await page.locator('.conversation-header', { hasText: 'online' }).waitFor();

	// forwarded to a third one; a name of their own; unread ones in the list
	const cai = await person('cai');
	await befriend(ana, cai);
	await page.locator('[data-name="cai"]').waitFor();
	await act(page, 'hello ana', 'Forward');
	await page.locator('dialog .result', { hasText: 'cai' }).waitFor();
	await look(page, 'forward');
	await page.locator('dialog .result', { hasText: 'cai' }).click();
	await until('cai has it', async () => (await cai.last('ana'))?.forwarded);
	await cai.call('setProfile', { title: 'Caitlin O’Neill', status: 'on the train', availability: 'away' });
	await page.locator('[data-name="cai"]', { hasText: 'Caitlin O’Neill' }).waitFor();
	for (const text of ['one', 'two', 'three']) await cai.say('ana', text);
	await page.locator('[data-name="cai"] .badge', { hasText: '3' }).waitFor();
	await until('the title says it', async () => (await page.title()) === '(3) Palique');
	await choose(page, 'cai');
	await page.locator('.unread-line').waitFor();
	await until('cai hears that they are read', async () => (await cai.last('ana'))?.state === 'read');
	await until('the title says nothing', async () => (await page.title()) === 'Palique');

	// a draft stays with its conversation
	await page.box.fill('not sent yet');
	await choose(page, 'ben');
	same(await page.box.inputValue(), '', 'the draft of the other one');
	await page.locator('[data-name="cai"]', { hasText: 'not sent yet' }).waitFor();
	await choose(page, 'cai');
	same(await page.box.inputValue(), 'not sent yet', 'the draft');
	await page.box.fill('');
	await close(page);
};

exports['search, safety, settings'] = async () => {
	const [ana, ben, cai] = await friends('ana', 'ben', 'cai');
	await Promise.all(Array.from({ length: 400 }, (_, i) => cai.say('ana', `number ${i}${i === 7 ? ' with a nightingale' : ''}`)));
	await until('all have arrived', async () => (await ana.last('cai'))?.text === 'number 399');
	const page = await open(ana);
	await choose(page, 'cai');
	await page.keyboard.press('Control+Shift+F');
	await page.getByLabel('Words to find').fill('nighting');
	await page.locator('.result mark').waitFor();
	same(await page.locator('.result mark').textContent(), 'nightingale', 'what is found');
	await look(page, 'search');
	await page.keyboard.press('Enter');
	await page.keyboard.press('Enter');
	await message(page, 'nightingale').waitFor();
	await isAt(page, 'nightingale');
	await page.getByRole('button', { name: 'To the newest message' }).click();
	await message(page, 'number 399').waitFor();

	await choose(page, 'ben');
	// safety numbers are the same on both sides
	await press(page, 'Safety number');
	const digits = (await page.locator('.digits').textContent()).replace(/\s/g, '');
	same(digits, (await ben.call('getSafety', { name: 'ana' })).digits, 'the safety number');
	await page.locator('dialog .qr[src]').waitFor();
	await look(page, 'safety number');
	await press(page, 'They are the same');
	await until('ben is verified', async () => (await ana.call('getContact', { name: 'ben' })).contact.verified);
	await page.locator('[data-name="ben"]').getByLabel('verified').waitFor();

	await page.locator('.who-button').click();
	await look(page, 'about');
	await page.locator('dialog').getByLabel('Messages disappear').selectOption('3600');
	await until('the wish is there', async () => (await ben.call('getContact', { name: 'ana' })).contact.timer.theirs === 3600);
	await ben.call('setTimer', { conversation: 'ana', seconds: 3600 });
	await page.getByText('Messages disappear 1 hour after').waitFor();
	await page.keyboard.press('Escape');
	await ben.say('ana', 'this one goes');
	await message(page, 'this one goes').getByLabel('Disappears').waitFor();
	await page.locator('.who-button').click();
	await page.locator('dialog').getByLabel('Messages disappear').selectOption('0');
	await until('no wish', async () => (await ana.call('getContact', { name: 'ben' })).contact.timer.ours === 0);
	await page.keyboard.press('Escape');

	await page.locator('.myself').click();
	await look(page, 'settings');
	await page.getByLabel('Status line').fill('here & now');
	await press(page, 'Save');
	await until('ben sees the status', async () => (await ben.call('getContact', { name: 'ana' })).contact.status === 'here & now');
	await page.getByLabel('Availability').selectOption('busy');
	await until('ben sees busy', async () => (await ben.call('getContact', { name: 'ana' })).contact.availability === 'busy');
	await page.getByLabel('Colours').selectOption('dark');
	await accessible(page, 'settings, dark');
	await page.getByLabel('Colours').selectOption('');
	await press(page, 'Change the password');
	await look(page, 'password');
	await page.keyboard.press('Escape');
	await press(page, 'Blocked contacts');
	await look(page, 'blocked');
	await page.keyboard.press('Escape');
	await press(page, 'Make a recovery code');
	await press(page, 'Make it');
	await page.locator('.words li').nth(11).waitFor();
	await look(page, 'recovery code');
	await press(page, 'I have written it down');
	await page.keyboard.press('Escape');
	await press(page, 'Menu');
	await look(page, 'menu');
	await page.getByRole('menuitem', { name: 'Keys' }).click();
	await look(page, 'keys');
	await page.keyboard.press('Escape');
	await press(page, 'Emoji');
	await look(page, 'emoji');
	await page.getByLabel('Search emoji').fill('party');
	await page.keyboard.press('ArrowDown');
	await page.keyboard.press('Enter');
	same(await page.box.inputValue(), '🎉', 'the emoji');
	await page.box.press('Enter');
	await message(page, '🎉').waitFor();
	holds(await message(page, '🎉').last().locator('.only-emoji').count(), 'it is large');
	await close(page);
};

exports['programs propose, people decide'] = async () => {
	const [ana, ben] = await friends('ana', 'ben');
	const bot = await program(ana, { name: 'helper', conversations: ['ben'], may: 'propose' });
	const page = await open(ana);
	await bot.say('ben', 'I am <late>, sorry');
	await page.locator('[data-name="ben"]', { hasText: 'a program waits for your word' }).waitFor();
	await choose(page, 'ben');
	await page.locator('.proposal', { hasText: 'I am <late>, sorry' }).waitFor();
	await look(page, 'proposal');
	await press(page, 'Other words');
	await page.locator('.words-field').fill('I am a little late');
	await look(page, 'proposal, other words');
	await press(page, 'Send');
	await until('ben has it', async () => (await ben.last('ana'))?.text === 'I am a little late');
	await page.locator('.proposal').waitFor({ state: 'detached' });
	await message(page, 'I am a little late').getByText('bot helper').waitFor();
	await bot.say('ben', 'buy now');
	await page.locator('.proposal', { hasText: 'buy now' }).waitFor();
	await press(page, 'No');
	await page.locator('.proposal').waitFor({ state: 'detached' });
	await bot.say('ben', 'see you');
	await press(page, 'Send it');
	await until('ben has it as it was', async () => (await ben.last('ana'))?.text === 'see you');

	// theirs: an account that is a program, with commands and buttons
	await ben.call('setProfile', { bot: true });
	const theirs = await program(ben, { name: 'clock', conversations: ['*'], may: 'send' });
	await theirs.call('setCommands', { commands: ['time what time it is', 'stop no more of it'] });
	await page.locator('[data-name="ben"]').getByLabel('bot').waitFor();
	await theirs.say('ana', 'shall I wake you?', { buttons: ['at seven', 'not <at> all'] });
	await message(page, 'shall I wake you?').getByRole('button', { name: 'not <at> all' }).waitFor();
	await look(page, 'buttons of a bot');
	await press(page, 'not <at> all');
	await until('the answer is there', async () => { const m = await ben.last('ana'); return m.text === 'not <at> all' && m.quote?.begins === 'shall I wake you?'; });
	await press(page, 'Commands of the bot');
	await look(page, 'commands of a bot');
	await page.getByRole('menuitem', { name: 'time' }).click();
	same(await page.box.inputValue(), 'time ', 'what is to be completed');
	await page.box.fill('');
	await ben.call('setProfile', { bot: false });
	bot.rpc.kill();
	theirs.rpc.kill();
	await close(page);
};
