'use strict';
// What contacts write stays text, whatever it is.

const { choose, close, friends, holds, look, message, open, same, until } = require('./bed');

const strange = [
	['<img src=x onerror="document.title=\'owned\'">', (t) => t.includes('<img src=x')],
	['<script>document.title="owned"</script>', (t) => t.includes('<script>')],
	['</p></article><iframe src="https://example.org">', (t) => t.includes('<iframe')],
	['{{7*7}} ${7*7} &lt;b&gt; &#x3c;', (t) => t.includes('{{7*7}} ${7*7} &lt;b&gt; &#x3c;')],
	['javascript:document.title="owned"', (t) => t.startsWith('javascript:')],
	['data:text/html,<b>x</b> and JaVaScRiPt:alert(1) and vbscript:x', (t) => t.includes('JaVaScRiPt:alert(1)')],
	['https://example.org/"onmouseover="document.title=1', (t) => t.includes('"onmouseover=')],
	['read this \u202Egnp.exe backwards', (t) => t.includes('U+202E') && !t.includes('\u202E')],
	['be\u200Btween, \u2066isolated\u2069, \uFEFFand soft\u00ADly', (t) => ['U+200B', 'U+2066', 'U+2069', 'U+FEFF', 'U+00AD'].every((one) => t.includes(one))],
	['\u001B[31mred\u001B[0m \u0007 \u009B2J', (t) => t.includes('U+001B') && t.includes('U+0007') && t.includes('U+009B')],
	['https://exa\u202Emple.org/', (t) => t.includes('U+202E')],
	['hi\u{E0041}dden tag', (t) => t.includes('U+E0041')],
	[`endless${'x'.repeat(9000)}`, (t) => t.length > 9000],
	[`tall ${'\n'.repeat(300)}end`, (t) => t.includes('end')],
	[`zalgo${'\u0301'.repeat(2000)}`, (t) => t.startsWith('zalgo')],
	['شكرا جزيلا, שלום, ありがとう, ไทย, 👨‍👩‍👧‍👦', (t) => t.includes('👨‍👩‍👧‍👦')],
];

exports['hostile texts stay text'] = async () => {
	const [ana, ben] = await friends('ana', 'ben');
	const page = await open(ana, { viewport: { width: 900, height: 700 } });
	await choose(page, 'ben');
	const ids = [];
	for (const [text] of strange) ids.push((await ben.say('ana', text)).id);
	await until('all are there', async () => (await ana.last('ben'))?.text === strange.at(-1)[0]);
	await message(page, 'ありがとう').waitFor();
	const { messages } = await ana.call('getMessages', { conversation: 'ben', limit: strange.length });
	for (const [i, [text, wanted]] of strange.entries()) {
		const text_ = page.locator(`.message[data-id="${messages[i].id}"] .text`);
		const more = text_.getByRole('button', { name: 'more lines' });
		if (text.startsWith('tall')) await more.click();
		same(await more.count(), 0, 'what is folded when all is shown');
		const got = await text_.innerText();
		holds(wanted(got), `shown safely: ${JSON.stringify(text.slice(0, 60))}: ${JSON.stringify(got.slice(0, 100))}`);
		same(await text_.locator('img, script, iframe, b, svg, style, object').count(), 0, 'elements made of a text');
		const box = await text_.boundingBox();
		holds(box.width <= 900, 'no text is wider than the page');
		const links = await text_.locator('a').evaluateAll((all) => all.map((a) => [a.protocol, a.textContent === a.getAttribute('href'), a.rel]));
		for (const [protocol, isHonest, rel] of links) holds(['http:', 'https:', 'palique:'].includes(protocol) && isHonest && rel.includes('noopener'), `an honest link in ${text}`);
		if (/^javascript:|U\+202E|exa\u202E/.test(text)) same(links.length, 0, 'links');
	}
	same(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true, 'nothing is wider than the page');
	same(await page.title(), 'Palique', 'the title');

	// names, states, reactions, captions, quotes, a greeting
	await ben.call('setProfile', { title: '<b>B</b>\u202Eneb', status: '<img src=x>' });
	await page.locator('[data-name="ben"]', { hasText: '<b>B</b>' }).waitFor();
	holds((await page.locator('[data-name="ben"] b').textContent()).includes('<U+202E>'), 'a title is shown safely');
	const last = messages.at(-1).id;
	await ben.call('sendReaction', { id: ids.at(-1), reactions: '<b> 👍' });
	await page.locator(`.message[data-id="${last}"] .reaction`, { hasText: '<b>' }).waitFor();
	await ben.call('send', { conversation: 'ana', text: 'an answer to it', replyTo: ids[0] });
	await message(page, 'an answer to it').locator('.quote', { hasText: '<img src=x' }).waitFor();
	await look(page, 'hostile texts');

	// a palique: link is no place: it is asked whether that person shall be added
	await ben.say('ana', 'this is palique:mallory@dir.example.org?i=AAAA');
	await message(page, 'this is palique:').locator('a').click();
	await page.getByLabel('Name or contact link').waitFor();
	same(await page.getByLabel('Name or contact link').inputValue(), 'palique:mallory@dir.example.org?i=AAAA', 'who would be added');
	await page.keyboard.press('Escape');

	// as many lines as fit into messages: the page draws a few of each
	for (let i = 0; i < 10; i++) await ben.say('ana', `${i}${'\n'.repeat(16000)}end`);
	await until('the tall ones are there', async () => (await ana.last('ben'))?.text.startsWith('9\n'));
	await page.reload();
	await choose(page, 'ben');
	await message(page, 'Show 15961 more lines').last().waitFor();
	holds(await page.evaluate(() => document.querySelectorAll('.message p').length) < 5000, 'the lines that are drawn have a bound');

	// a page of texts that are six times as long in the line to the engine is more than an answer holds
	for (let i = 0; i < 90; i++) await ben.say('ana', `${i}:${(i % 2 ? '\u0001' : '\u0001*a* ').repeat(i % 2 ? 16000 : 3000)}`);
	await until('the long ones are there', async () => (await ana.last('ben'))?.text.startsWith('89:'));
	await page.reload();
	await choose(page, 'ben');
	await message(page, '89:').last().waitFor();
	holds(await page.evaluate(() => document.querySelectorAll('.message .text *').length) < 60000, 'what is made of texts has a bound');
	await until('older ones are fetched', () => page.evaluate(() => {
		document.querySelector('.timeline').scrollTop = 0;
		return [...document.querySelectorAll('.message .text')].some((t) => t.textContent.startsWith('60:'));
	}));
	await ben.call('setProfile', { title: '', status: '' });
	await close(page);
};
