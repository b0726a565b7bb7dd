// Opens pages of rigbench report in headless Chromium, as light, dark, phone and print, and says what is wrong with them:
//   node look.mjs FOLDER_OF_PAGES FOLDER_FOR_SCREENSHOTS
// Nothing may overflow or overlap, no request may leave a page, nothing may be logged, axe-core finds nothing, and tables sort by keyboard.
import { readFileSync, readdirSync, mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';

const [pages, shots] = process.argv.slice(2).map((path) => resolve(path));
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
mkdirSync(shots, { recursive: true });

const MODES = {
  light: { viewport: { width: 1280, height: 900 }, colorScheme: 'light' },
  dark: { viewport: { width: 1280, height: 900 }, colorScheme: 'dark' },
  phone: { viewport: { width: 360, height: 740 }, colorScheme: 'light', isMobile: true, hasTouch: true, deviceScaleFactor: 2 },
  'phone-dark': { viewport: { width: 360, height: 740 }, colorScheme: 'dark', isMobile: true, hasTouch: true, deviceScaleFactor: 2 },
  // The width between the margins of A4.
  print: { viewport: { width: 703, height: 1000 }, colorScheme: 'dark', media: 'print' },
};
// Taller pictures are more than Chromium makes.
const TALLEST = 8000;

let failures = 0;
const check = (page, mode, what, wrong) => {
  const list = [...wrong];
  if (list.length === 0) return;
  failures += 1;
  console.log(`FAILS: ${page} ${mode}: ${what}`);
  for (const one of list.slice(0, 8)) console.log(`    ${one}`);
  if (list.length > 8) console.log(`    and ${list.length - 8} more`);
};

// In the page: what sticks out of it, and which words lie on others.
const layout = () => {
  const wide = [];
  const limit = document.documentElement.clientWidth + 0.5;
  if (document.scrollingElement.scrollWidth > limit) wide.push(`the page is ${document.scrollingElement.scrollWidth} wide, of ${limit}`);
  const unseen = (element) => element.closest('.unseen') || !element.checkVisibility({ contentVisibilityAuto: true, visibilityProperty: true });
  // What an element hides of its content is not there.
  const hidden = (box, element) => {
    for (let up = element; up; up = up.parentElement) {
      if (getComputedStyle(up).overflowY !== 'hidden') continue;
      const frame = up.getBoundingClientRect();
      if (box.top + box.height / 2 > frame.bottom || box.bottom - box.height / 2 < frame.top) return true;
    }
    return false;
  };
  const words = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode;
    const parent = node.parentElement;
    if (!node.data.trim() || ['SCRIPT', 'STYLE', 'title'].includes(parent.tagName) || unseen(parent)) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    for (const box of range.getClientRects()) {
      if (box.width < 1 || box.height < 1 || hidden(box, parent)) continue;
      const text = node.data.trim().slice(0, 40);
      if (box.right > limit || box.left < -0.5) wide.push(`'${text}' reaches from ${box.left.toFixed(0)} to ${box.right.toFixed(0)}`);
      words.push({ text, node, left: box.left, right: box.right, top: box.top, bottom: box.bottom });
    }
  }
  const laid = [];
  words.sort((a, b) => a.top - b.top);
  words.forEach((a, i) => {
    for (let j = i + 1; j < words.length && words[j].top < a.bottom; j += 1) {
      const b = words[j];
      const across = Math.min(a.right, b.right) - Math.max(a.left, b.left);
      // Boxes of lines are taller than their letters.
      const down = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
      if (a.node !== b.node && across > 1 && down > 0.35 * Math.min(a.bottom - a.top, b.bottom - b.top)) {
        laid.push(`'${a.text}' and '${b.text}'`);
      }
    }
  });
  return { wide, laid };
};

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});

const open = async (file, mode, more = {}) => {
  const { media, ...settings } = MODES[mode];
  // Styles of a page may not stop what is asked of it here.
  const context = await browser.newContext({ ...settings, bypassCSP: true, ...more });
  const page = await context.newPage();
  const said = [];
  const asked = [];
  page.on('console', (message) => said.push(`${message.type()}: ${message.text()}`));
  page.on('pageerror', (error) => said.push(String(error)));
  const own = pathToFileURL(file).href;
  await context.route('**/*', (route) => {
    if (route.request().url() === own) return route.continue();
    asked.push(route.request().url());
    return route.abort();
  });
  if (media) await page.emulateMedia({ media });
  await page.goto(own, { waitUntil: 'load' });
  return { context, page, said, asked };
};

const picture = async (page, path) => {
  const height = await page.evaluate(() => document.documentElement.scrollHeight);
  const { width } = page.viewportSize();
  await page.screenshot({ path, fullPage: true, clip: { x: 0, y: 0, width, height: Math.min(height, TALLEST) } });
};

const sorted = async (name, file) => {
  const { context, page } = await open(file, 'light');
  const heads = await page.$$eval('table[data-sortable] thead th', (all) => all.map((th) => th.textContent));
  const column = heads.indexOf('joules');
  const order = () =>
    page.$$eval('table[data-sortable] tbody tr', (rows, i) => rows.map((row) => row.cells[i].dataset.order).filter((x) => x !== undefined).map(Number), column);
  await page.focus('table[data-sortable] thead th button');
  for (let i = 0; i < column; i += 1) await page.keyboard.press('Tab');
  const wrong = [];
  for (const [way, sign] of [['ascending', 1], ['descending', -1]]) {
    await page.keyboard.press(way === 'ascending' ? 'Enter' : 'Space');
    const said = await page.$eval('table[data-sortable] thead th[aria-sort]', (th) => `${th.textContent} ${th.getAttribute('aria-sort')}`);
    if (said !== `joules ${way}`) wrong.push(`after a key it says '${said}'`);
    const numbers = await order();
    if (numbers.length < 3) wrong.push('there is too little to sort');
    if (numbers.some((x, i) => i > 0 && sign * (x - numbers[i - 1]) < 0)) wrong.push(`${way} is ${numbers.slice(0, 6)}`);
  }
  check(name, 'light', 'sorting by keyboard', wrong);
  await context.close();
};

const withoutScript = async (name, file) => {
  const rows = async (javaScriptEnabled) => {
    const { context, page } = await open(file, 'light', { javaScriptEnabled });
    const counts = [await page.locator('table[data-sortable] tbody tr').count(), await page.locator('table[data-sortable] button').count()];
    await context.close();
    return counts;
  };
  const [[all, buttons], [plain, none]] = [await rows(true), await rows(false)];
  const wrong = [];
  if (plain !== all || all === 0) wrong.push(`${plain} rows without a script, ${all} with it`);
  if (none !== 0 || buttons === 0) wrong.push(`${none} buttons without a script, ${buttons} with it`);
  check(name, 'light', 'reading without a script', wrong);
};

const names = readdirSync(pages).filter((name) => name.endsWith('.html')).sort();
if (names.length === 0) throw new Error(`no page in ${pages}`);
for (const name of names) {
  const file = join(pages, name);
  const short = basename(name, '.html');
  for (const mode of Object.keys(MODES)) {
    const { context, page, said, asked } = await open(file, mode);
    await picture(page, join(shots, `${short}-${mode}.png`));
    for (const state of ['closed', 'open']) {
      if (state === 'open') await page.$$eval('details', (all) => all.forEach((one) => { one.open = true; }));
      const { wide, laid } = await page.evaluate(layout);
      check(short, mode, `overflow with details ${state}`, wide);
      check(short, mode, `overlap with details ${state}`, laid);
      if (mode === 'phone' && state === 'open') await picture(page, join(shots, `${short}-${mode}-open.png`));
    }
    if (mode !== 'print') {
      await page.addScriptTag({ content: axe });
      const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }));
      check(short, mode, 'axe-core', violations.flatMap((v) => v.nodes.map((node) => `${v.id}: ${node.target} ${node.failureSummary.split('\n')[1] ?? ''}`)));
    } else {
      await page.pdf({ path: join(shots, `${short}.pdf`), format: 'A4', preferCSSPageSize: true });
    }
    check(short, mode, 'requests', asked);
    check(short, mode, 'console', said);
    await context.close();
  }
  await sorted(short, file);
  await withoutScript(short, file);
  console.log(`${short}: looked at as ${Object.keys(MODES).join(', ')}, sorted, and read without a script`);
}
console.log(`${await browser.version()}: ${names.length} pages, ${failures} failures; pictures in ${shots}`);
await browser.close();
process.exit(failures === 0 ? 0 : 1);
