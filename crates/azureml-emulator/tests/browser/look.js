// `node look.js URL FOLDER JOB GO` opens the emulator's page in headless Chromium, walks through all that it links to, wide and narrow, light and
// dark, without scripts, and prints what it found as one line of JSON: the pages, the errors that the browser had, what stood on them. Pictures
// of all go into FOLDER. Then it stays with the page of a JOB that runs, makes the file GO, for which the job waits, and sees it complete.

import fs from 'node:fs';
import path from 'node:path';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { faint } from './contrast.js';

// Packages are where NODE_PATH says, which `import` does not know.
const require = createRequire(path.join(process.env.NODE_PATH, 'x.js'));
const load = async (name) => (await import(pathToFileURL(require.resolve(name)))).default;
const [chromium, puppeteer] = [await load('@sparticuz/chromium'), await load('puppeteer-core')];

const [address, folder, job, go] = process.argv.slice(2);
const origin = new URL(address).origin;
const WINDOWS = { wide: { width: 1280, height: 900 }, narrow: { width: 390, height: 844 } };
const browser = await puppeteer.launch({
  executablePath: await chromium.executablePath(),
  args: [...chromium.args, '--no-proxy-server'],
  headless: 'shell',
  acceptInsecureCerts: true,
  userDataDir: path.join(process.env.TMPDIR, 'profile'),
});
const found = { pages: {}, errors: [], dialogs: 0 };
try {
  const page = await browser.newPage();
  await page.setJavaScriptEnabled(false);
  page.on('dialog', (dialog) => { found.dialogs += 1; dialog.dismiss(); });
  page.on('console', (message) => { if (['error', 'warn'].includes(message.type())) found.errors.push(message.text()); });
  page.on('pageerror', (error) => found.errors.push(String(error)));
  // A page that is read again gives up what it was reading.
  page.on('requestfailed', (request) => {
    const why = request.failure()?.errorText;
    if (why !== 'net::ERR_ABORTED') found.errors.push(`${request.url()} ${why}`);
  });
  page.on('request', (request) => { if (!request.url().startsWith(origin)) found.errors.push(`went to ${request.url()}`); });

  const waiting = [address];
  while (waiting.length > 0) {
    const next = waiting.shift();
    const response = await page.goto(next, { waitUntil: 'load' });
    const here = page.url().slice(origin.length);
    if (found.pages[here] !== undefined) continue;
    // What is under way is read again meanwhile, and would be another page between two questions.
    await page.evaluate(() => window.stop());
    const text = await page.$eval('body', (body) => body.innerText);
    const seen = { status: response.status(), text, backgrounds: {}, tooWide: [], faint: [] };
    for (const [size, window] of Object.entries(WINDOWS)) {
      await page.setViewport(window);
      if (await page.$eval('html', (html) => html.scrollWidth > html.clientWidth)) seen.tooWide.push(size);
      for (const scheme of ['light', 'dark']) {
        await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
        seen.backgrounds[scheme] = await page.$eval('body', (body) => getComputedStyle(body).backgroundColor);
        seen.faint.push(...(await page.evaluate(faint)).map((words) => `${scheme}: ${words}`));
        const name = `${here.replace(/[^a-z0-9]+/gi, '-')}-${size}-${scheme}.png`;
        fs.writeFileSync(path.join(folder, name), await page.screenshot({ fullPage: true }));
      }
    }
    seen.boxes = await page.$$eval('svg.dag g', (boxes) => boxes.map((box) => [box.getAttribute('class'), box.querySelector('title').textContent]));
    seen.forms = await page.$$eval('form', (forms) => forms.length);
    found.pages[here] = seen;
    const links = await page.$$eval('a', (links) => links.map((link) => link.href.baseVal ?? link.href));
    waiting.push(...links.map((link) => new URL(link, origin).href)
      .filter((link) => link.startsWith(`${origin}/`) && found.pages[link.slice(origin.length)] === undefined && !waiting.includes(link)));
  }

  // A page that nobody touches follows its job.
  await page.setViewport(WINDOWS.wide);
  await page.goto(`${origin}${job}`, { waitUntil: 'load' });
  found.statuses = [];
  for (const until = Date.now() + 60_000; Date.now() < until;) {
    let status;
    try {
      status = await page.$eval('main .state', (state) => state.textContent);
    } catch {
      // Between two pages.
      continue;
    }
    if (found.statuses.at(-1) !== status) found.statuses.push(status);
    if (status === 'Running') fs.writeFileSync(go, '');
    if (status === 'Completed') break;
    await new Promise((resolve) => { setTimeout(resolve, 100); });
  }
  fs.writeFileSync(path.join(folder, 'completed.png'), await page.screenshot({ fullPage: true }));

  // The button works, too.
  await page.goto(`${origin}/studio/stop`);
  if (await page.$('form button')) {
    await Promise.all([page.waitForNavigation(), page.click('form button')]);
    found.stopped = await page.$eval('body', (body) => body.innerText);
    fs.writeFileSync(path.join(folder, 'stopped.png'), await page.screenshot({ fullPage: true }));
  }
} finally {
  await browser.close();
}
console.log(JSON.stringify(found));
