/** Chromium with the page of the admin address, and what it complains of. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AxeResults } from 'axe-core';
import { chromium, type Browser, type Page } from 'playwright-core';
import { writePage } from '../../../scripts/page-file.ts';
import { DEADLINE_MS } from '../deadline.ts';
import { CHROMIUM, CHROMIUM_ARGUMENTS } from '../processes/chromium.ts';
import { ROOT } from '../processes/program.ts';

export const SKIP_WITHOUT_CHROMIUM = existsSync(CHROMIUM) ? false : `there is no ${CHROMIUM}`;

/** The screens that the page is made for. */
export const SCREENS = [
  { name: 'desk', width: 1280, height: 800 },
  { name: 'phone', width: 390, height: 844 },
] as const;

interface OpenOptions {
  readonly screen?: { readonly width: number; readonly height: number };
  readonly scheme?: 'light' | 'dark';
}

export class PageBrowser {
  readonly #browser: Browser;
  readonly #problems = new Map<Page, string[]>();

  private constructor(browser: Browser) {
    this.#browser = browser;
  }

  /** Builds the page from its sources as they are, and starts the browser. */
  static async start(): Promise<PageBrowser> {
    await writePage(ROOT, join(ROOT, 'dist'));
    const args = [...CHROMIUM_ARGUMENTS, '--js-flags=--expose-gc'];
    return new PageBrowser(await chromium.launch({ executablePath: CHROMIUM, args }));
  }

  /** Opens the page. @param admin `host:port` */
  async open(admin: string, { screen = SCREENS[0], scheme = 'light' }: OpenOptions = {}): Promise<Page> {
    const context = await this.#browser.newContext({
      viewport: { width: screen.width, height: screen.height },
      colorScheme: scheme,
      reducedMotion: 'reduce',
    });
    const page = await context.newPage();
    page.setDefaultTimeout(DEADLINE_MS);
    const problems: string[] = [];
    this.#problems.set(page, problems);
    page.on('pageerror', (error) => problems.push(`error: ${error.message}`));
    // A violation of the policy is an error of the console, too.
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') problems.push(message.text());
    });
    page.on('request', (request) => {
      if (!request.url().startsWith(`http://${admin}/`) && !request.url().startsWith('data:'))
        problems.push(`asked ${request.url()}`);
    });
    await page.goto(`http://${admin}/`);
    return page;
  }

  /**
   * Closes a page; throws if it reported problems.
   *
   * @param expected problems that are allowed: the browser reports each refused request
   */
  async close(page: Page, expected?: RegExp): Promise<void> {
    await page.context().close();
    const problems = this.#problems.get(page)!.filter((text) => expected?.test(text) !== true);
    assert.deepEqual(problems, []);
  }

  stop(): Promise<void> {
    return this.#browser.close();
  }
}

const AXE = readFileSync(join(ROOT, 'node_modules/axe-core/axe.min.js'), 'utf8');

/**
 * Throws if the page is not accessible, or is wider than its screen.
 *
 * @param tolerated impacts of faults that are allowed
 */
export async function assertAccessible(
  page: Page,
  tolerated: readonly string[] = ['minor', 'moderate'],
): Promise<void> {
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() =>
    (globalThis as unknown as { axe: { run(): Promise<AxeResults> } }).axe.run(),
  );
  const faults = violations
    .filter(({ impact }) => !tolerated.includes(impact ?? 'unknown'))
    .map(
      ({ id, nodes }) =>
        `${id}: ${nodes.map((node) => `${node.html} ${node.failureSummary ?? ''}`).join('\n')}`,
    );
  assert.deepEqual(faults, []);
  const overhang = await page.evaluate('document.documentElement.scrollWidth - innerWidth');
  assert.ok(Number(overhang) <= 0, `the page is ${String(overhang)} px too wide`);
}
