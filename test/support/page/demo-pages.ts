/** The demo of `npm start` on free ports, and Chromium with its page. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { chromium, type Browser, type Page } from 'playwright-core';
import { parse } from 'yaml';
import { CHROMIUM, CHROMIUM_ARGUMENTS } from '../processes/chromium.ts';
import { startSluice, type SluiceProcess } from '../processes/sluice-process.ts';
import { freePorts } from '../sockets/free-port.ts';

const CONFIG_DIRECTORY = resolve(import.meta.dirname, '../../../config');
const DEADLINE_MS = 60_000;
/** The port of layer 4 in config/sluice.yaml, which the page's policy and layers.json also name. */
const LAYER_4_PORT = /\b8081\b/g;
const PARTS = ['game', 'feed', 'chat', 'job', 'echo'];

/** The part of config/sluice.yaml that a test changes. */
interface DemoConfig {
  admin: { address: string };
  log: { format: string };
  demo: Readonly<Record<string, string>>;
  listeners: {
    name: string;
    address: string;
    engine?: string;
    routes?: { static?: { root: string } }[];
  }[];
  clusters: { name: string; endpoints: { address: string }[] }[];
}

interface OpenOptions {
  readonly screen?: { readonly width: number; readonly height: number };
  readonly scheme?: 'light' | 'dark';
  /** Name of a listener. Default: web */
  readonly listener?: string;
  readonly query?: string;
}

export class DemoPages {
  readonly sluice: SluiceProcess;
  /** Complaints of the browser. */
  readonly problems: string[] = [];
  readonly #config: DemoConfig;
  readonly #browser: Browser;

  private constructor(config: DemoConfig, sluice: SluiceProcess, browser: Browser) {
    this.#config = config;
    this.sluice = sluice;
    this.#browser = browser;
  }

  static async start(): Promise<DemoPages> {
    const config = await demoConfig();
    const sluice = await startSluice({ config });
    try {
      const browser = await chromium.launch({ executablePath: CHROMIUM, args: [...CHROMIUM_ARGUMENTS] });
      return new DemoPages(config, sluice, browser);
    } catch (error) {
      await sluice.stop();
      throw error;
    }
  }

  async stop(): Promise<void> {
    await Promise.all([this.sluice.stop(), this.#browser.close()]);
  }

  /** Returns the addresses of the endpoints that play a part of the demo. */
  endpointsOf(part: string): string[] {
    const cluster = this.#config.clusters.find(({ name }) => name === this.#config.demo[part]);
    assert.ok(cluster !== undefined, part);
    return cluster.endpoints.map(({ address }) => address);
  }

  /** Opens the page as a separate person, and waits until all of its parts are connected. */
  async open(name: string, options: OpenOptions = {}): Promise<Page> {
    const { screen, scheme, listener = 'web', query = '' } = options;
    const context = await this.#browser.newContext({
      ...(screen === undefined ? {} : { viewport: { width: screen.width, height: screen.height } }),
      ...(scheme === undefined ? {} : { colorScheme: scheme }),
    });
    const page = await context.newPage();
    page.setDefaultTimeout(DEADLINE_MS);
    this.#watch(page, name);
    await page.goto(`http://${this.sluice.address(listener)}/${query}`);
    await this.waitUntilConnected(page, name);
    await page.getByLabel('Your name').fill(name);
    await page.getByLabel('Your name').press('Tab');
    await page.getByRole('log').getByText(`is ${name} now`).waitFor();
    return page;
  }

  async waitUntilConnected(page: Page, name: string): Promise<void> {
    for (const part of PARTS) {
      await page
        .locator(`#${part}-state[data-state=open]`)
        .waitFor()
        .catch(async () => {
          const state = await page.locator(`#${part}-state`).innerText();
          const log = this.sluice.logs.slice(-8).map((line) => JSON.stringify(line));
          assert.fail([`the ${part} of ${name} is: ${state}`, ...this.problems, ...log].join('\n'));
        });
    }
  }

  /** Closes a page. Throws if a browser has complained, except as expected. */
  async close(page: Page, expected?: RegExp): Promise<void> {
    await page.context().close();
    assert.deepEqual(
      this.problems.splice(0).filter((problem) => expected?.test(problem) !== true),
      [],
    );
  }

  #watch(page: Page, name: string): void {
    page.on('console', (line) => {
      if (line.type() === 'error' || line.type() === 'warning') this.problems.push(`${name}: ${line.text()}`);
    });
    page.on('pageerror', (error) => this.problems.push(`${name}: ${error.message}`));
    page.on('response', (response) => {
      if (response.status() >= 400) this.problems.push(`${name}: ${response.status()} for ${response.url()}`);
    });
    page.on('requestfailed', (request) => {
      // The browser drops requests in progress when a page is closed.
      const failure = request.failure()?.errorText;
      if (failure !== 'net::ERR_ABORTED')
        this.problems.push(`${name}: ${failure ?? ''} for ${request.url()}`);
    });
  }
}

/** Returns the configuration of `npm start` with free ports. */
async function demoConfig(): Promise<DemoConfig> {
  const [layer4 = 0] = await freePorts(1);
  const text = readFileSync(resolve(CONFIG_DIRECTORY, 'sluice.yaml'), 'utf8');
  const config = parse(text.replace(LAYER_4_PORT, String(layer4))) as DemoConfig;
  const endpoints = config.clusters.flatMap((cluster) => cluster.endpoints);
  const ports = await freePorts(endpoints.length);
  for (const [index, endpoint] of endpoints.entries()) endpoint.address = `127.0.0.1:${ports[index]!}`;
  for (const place of [config.admin, ...config.listeners]) {
    if (!place.address.endsWith(`:${layer4}`)) place.address = '127.0.0.1:0';
  }
  // Both listeners of layer 7 share one list of routes.
  for (const route of new Set(config.listeners.flatMap((listener) => listener.routes ?? []))) {
    if (route.static !== undefined) route.static.root = resolve(CONFIG_DIRECTORY, route.static.root);
  }
  config.log.format = 'json';
  return config;
}
