/** The site of the documents: built whole, then read in Chromium at the widths of a desk and a phone. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { extname, join, resolve } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { chromium, type Browser } from 'playwright-core';
import { CHROMIUM, CHROMIUM_ARGUMENTS } from '../support/processes/chromium.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.png': 'image/png',
};

describe('the site of the documents', { timeout: 600_000 }, () => {
  const site = mkdtempSync(join(tmpdir(), 'sluice-site-'));
  let server: Server;
  let browser: Browser;
  let origin: string;

  before(async () => {
    execFileSync(join(ROOT, 'node_modules/.bin/vitepress'), ['build', 'docs', '--outDir', site], {
      cwd: ROOT,
    });
    server = createServer((request, response) => {
      const file = join(site, new URL(request.url!, 'http://site').pathname);
      response.setHeader('Content-Type', TYPES[extname(file)] ?? 'application/octet-stream');
      try {
        response.end(readFileSync(file));
      } catch {
        response.writeHead(404).end();
      }
    });
    await new Promise<void>((settle) => server.listen(0, '127.0.0.1', settle));
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    browser = await chromium.launch({ executablePath: CHROMIUM, args: [...CHROMIUM_ARGUMENTS] });
  });
  after(async () => {
    await browser.close();
    server.close();
    rmSync(site, { recursive: true });
  });

  const pages = (): string[] =>
    readdirSync(site, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.html'));

  for (const [name, width] of [
    ['a desk', 1280],
    ['a phone', 390],
  ] as const) {
    it(`fits ${name}, and asks no other site`, async () => {
      const page = await browser.newPage({ viewport: { width, height: 800 } });
      const faults: string[] = [];
      page.on('request', (request) => {
        if (!request.url().startsWith(`${origin}/`)) faults.push(`asks ${request.url()}`);
      });
      page.on('pageerror', ({ message }) => faults.push(message));
      page.on('response', (response) => {
        if (response.status() >= 400) faults.push(`${response.status()} ${response.url()}`);
      });
      for (const path of pages().filter((each) => each !== '404.html')) {
        await page.goto(`${origin}/${path}`, { waitUntil: 'load' });
        const excess = await page.evaluate('document.documentElement.scrollWidth - innerWidth');
        if ((excess as number) > 0) faults.push(`${path} is ${String(excess)} px too wide`);
      }
      assert.deepEqual(faults, []);
      await page.close();
    });
  }

  it('finds pages by a word', async () => {
    const page = await browser.newPage();
    await page.goto(`${origin}/index.html`);
    await page.getByRole('button', { name: 'Search' }).click();
    await page.getByRole('searchbox').fill('healthCheck');
    await page.locator('.results .result').first().waitFor({ timeout: 20_000 });
    assert.match(await page.locator('.results').innerText(), /health/iu);
    await page.close();
  });
});
