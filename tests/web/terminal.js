'use strict';
// A picture of the terminal's face: tmux gives its cells with their colours, Chromium draws them.

const { execFileSync } = require('child_process');
const { chromium } = require('playwright-core');
const { LIMIT, bin, folder, hasEnded, until } = require('./bed');

const COLUMNS = 100;
const ROWS = 28;

function tmux(...words) {
	return execFileSync('tmux', ['-S', `${folder}/tmux`, '-f', '/dev/null', ...words], { encoding: 'utf8', timeout: LIMIT });
}

// The 256 colours of a terminal: 16 of its own, a cube of 6, and 24 greys.
function colour(n) {
	const own = ['#1d2422', '#d9534f', '#4fc48f', '#f0b35a', '#5f9fd8', '#b48ead', '#56b6c2', '#e8e6df', '#5b645f', '#ff8a80', '#6fcfae', '#ffd479', '#8cc4ff', '#d6b3e6', '#8ee0e8', '#ffffff'];
	if (n < 16) return own[n];
	if (n >= 232) return `rgb(${Array(3).fill(8 + 10 * (n - 232)).join()})`;
	const step = (v) => (v ? 55 + 40 * v : 0);
	return `rgb(${[step(Math.floor((n - 16) / 36)), step(Math.floor((n - 16) / 6) % 6), step((n - 16) % 6)].join()})`;
}

// Lines of text with SGR sequences as lists of [text, style].
function parse(screen) {
	let style = {};
	const set = (codes) => {
		for (let i = 0; i < codes.length; i++) {
			const c = codes[i];
			if (c === 0) style = {};
			else if (c === 1) style.bold = true;
			else if (c === 3) style.italic = true;
			else if (c === 4) style.underline = true;
			else if (c === 7) style.reverse = true;
			else if (c === 38 || c === 48) {
				style[c === 38 ? 'front' : 'back'] = codes[i + 1] === 5 ? colour(codes[i + 2]) : `rgb(${codes.slice(i + 2, i + 5).join()})`;
				i += codes[i + 1] === 5 ? 2 : 4;
			} else if (c >= 30 && c < 38) style.front = colour(c - 30);
			else if (c >= 40 && c < 48) style.back = colour(c - 40);
			else if (c === 39) delete style.front;
			else if (c === 49) delete style.back;
		}
	};
	return screen.split('\n').slice(0, ROWS).map((line) => line.split(/(\x1b\[[0-9;]*m)/).flatMap((part) => {
		if (!part.startsWith('\x1b')) return part ? [[part, { ...style }]] : [];
		set((part.slice(2, -1) || '0').split(';').map(Number));
		return [];
	}));
}

async function draw(lines, file) {
	const browser = await chromium.launch({ executablePath: process.env.CHROMIUM || '/usr/bin/chromium', args: ['--no-sandbox'] });
	const page = await browser.newPage({ deviceScaleFactor: 1 });
	await page.setContent('<pre style="display:inline-block;margin:0;padding:20px;background:#14191a;color:#e8e6df;font:14.95px/17px \'DejaVu Sans Mono\',monospace"></pre>');
	await page.evaluate((all) => {
		const pre = document.querySelector('pre');
		for (const line of all) {
			for (const [text, s] of line) {
				for (const part of text.split(/([\u2500-\u259f]+|\p{Emoji_Presentation})/u)) { // lines and blocks by themselves, and each emoji
					const span = document.createElement('span');
					span.textContent = part;
					span.style.display = 'inline-block';
					span.style.width = `${9 * [...part].length * (/\p{Emoji_Presentation}/u.test(part) ? 2 : 1)}px`; // cells, whatever its font says
					span.style.height = '17px';
					span.style.verticalAlign = 'top';
					if (/[\u2500-\u259f]/.test(part)) {
						span.style.transform = 'scaleY(1.12)'; // a pixel over the next row: no gap shows
						span.style.clipPath = 'inset(-2px 0)'; // and nothing over the next column
					}
					span.style.color = s.reverse ? s.back || '#14191a' : s.front || '';
					span.style.background = s.reverse ? s.front || '#e8e6df' : s.back || '';
					span.style.fontWeight = s.bold ? 'bold' : '';
					span.style.fontStyle = s.italic ? 'italic' : '';
					span.style.textDecoration = s.underline ? 'underline' : '';
					pre.append(span);
				}
			}
			pre.append('\n');
		}
	}, lines);
	await page.locator('pre').screenshot({ path: file });
	await browser.close();
}

const screen = () => tmux('capture-pane', '-p');

let server; // the process of tmux: each terminal has its own
process.on('exit', () => server && kill());

function kill() {
	try {
		process.kill(server);
	} catch (e) {
		if (e.code !== 'ESRCH') throw e; // it ends by itself with its face
	}
}

// `who` looks at their face; the process of the face.
function begin(who) {
	const face = `exec env HOME=${folder} LC_ALL=C.UTF-8 LANGUAGE=en TERM=tmux-256color COLORTERM=truecolor ${bin}/palique --home ${who.path}`;
	const pids = tmux('new-session', '-d', '-P', '-F', '#{pid} #{pane_pid}', '-x', `${COLUMNS}`, '-y', `${ROWS}`, face).split(' ').map(Number);
	[server] = pids;
	return pids[1];
}

// One that is about to end would still be found by the next that begins.
async function end() {
	kill();
	await until('tmux has ended', () => hasEnded(server));
	server = null;
}

// `who` looks at the conversation with `name`, in which `words` stand.
async function picture(who, name, words, file) {
	begin(who);
	try {
		await until('the list is there', () => screen().includes('Ben'));
		tmux('send-keys', '-l', name);
		tmux('send-keys', 'Enter');
		await until('the conversation is there', () => screen().includes(words));
		await until('the image is drawn', () => /48;2;/.test(tmux('capture-pane', '-p', '-e')));
		await draw(parse(tmux('capture-pane', '-p', '-e', '-N')), file);
	} finally {
		await end();
	}
}

module.exports = { begin, end, picture, screen, tmux };
