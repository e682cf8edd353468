// `node look.js URL FOLDER` opens the emulator's page in headless Chromium, walks through all that it links to, light and dark, without
// scripts, and prints what it found as one line of JSON: the pages, the errors that the browser had, what stood on them.

import fs from 'node:fs';
import path from 'node:path';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

// Packages are where NODE_PATH says, which `import` does not know.
const require = createRequire(path.join(process.env.NODE_PATH, 'x.js'));
const load = async (name) => (await import(pathToFileURL(require.resolve(name)))).default;
const [chromium, puppeteer] = [await load('@sparticuz/chromium'), await load('puppeteer-core')];

const [address, folder] = process.argv.slice(2);
const origin = new URL(address).origin;
const browser = await puppeteer.launch({
  executablePath: await chromium.executablePath(),
  args: [...chromium.args, '--no-proxy-server'],
  headless: 'shell',
  acceptInsecureCerts: true,
  userDataDir: path.join(folder, 'profile'),
});
const found = { pages: {}, errors: [], dialogs: 0 };
try {
  const page = await browser.newPage();
  await page.setJavaScriptEnabled(false);
  await page.setViewport({ width: 1280, height: 900 });
  page.on('dialog', (dialog) => { found.dialogs += 1; dialog.dismiss(); });
  page.on('console', (message) => { if (message.type() === 'error') found.errors.push(message.text()); });
  page.on('requestfailed', (request) => found.errors.push(`${request.url()} ${request.failure()?.errorText}`));
  page.on('request', (request) => { if (!request.url().startsWith(origin)) found.errors.push(`went to ${request.url()}`); });
  const waiting = [address];
  while (waiting.length > 0) {
    const next = waiting.shift();
    const response = await page.goto(next, { waitUntil: 'load' });
    const here = page.url().slice(origin.length);
    if (found.pages[here] !== undefined) continue;
    const text = await page.$eval('body', (body) => body.innerText);
    const looks = {};
    for (const scheme of ['light', 'dark']) {
      await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
      looks[scheme] = await page.$eval('body', (body) => getComputedStyle(body).backgroundColor);
      const name = `${here.replace(/[^a-z0-9]+/gi, '-')}-${scheme}.png`;
      fs.writeFileSync(path.join(folder, name), await page.screenshot({ fullPage: true }));
    }
    const isWide = await page.$eval('html', (html) => html.scrollWidth > html.clientWidth);
    const boxes = await page.$$eval('svg.dag rect', (boxes) => boxes.map((box) => box.getBoundingClientRect().width));
    const forms = await page.$$eval('form', (forms) => forms.length);
    found.pages[here] = { status: response.status(), text, looks, isWide, boxes, forms };
    const links = await page.$$eval('a', (links) => links.map((link) => link.href.baseVal ?? link.href));
    waiting.push(...links.map((link) => new URL(link, origin).href)
      .filter((link) => link.startsWith(`${origin}/`) && found.pages[link.slice(origin.length)] === undefined && !waiting.includes(link)));
  }
  // The button works, too.
  await page.goto(`${origin}/studio/stop`);
  if (await page.$('form button')) {
    await Promise.all([page.waitForNavigation(), page.click('form button')]);
    found.stopped = await page.$eval('body', (body) => body.innerText);
  }
} finally {
  await browser.close();
}
console.log(JSON.stringify(found));
