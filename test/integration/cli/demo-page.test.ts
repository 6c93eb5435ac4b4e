import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { chromium } from 'playwright-core';
import type { Browser, Page } from 'playwright-core';
import { parse } from 'yaml';
import { CHROMIUM, CHROMIUM_ARGUMENTS } from '../../support/processes/chromium.ts';
import { startSluice } from '../../support/processes/sluice-process.ts';
import type { SluiceProcess } from '../../support/processes/sluice-process.ts';
import { freePorts } from '../../support/sockets/free-port.ts';
import { WsClient } from '../../support/websocket/ws-client.ts';

const CONFIG_DIRECTORY = resolve(import.meta.dirname, '../../../config');
const DEADLINE_MS = 60_000;

/** The part of config/sluice.yaml that a test changes. */
interface DemoConfig {
  admin: { address: string };
  log: { format: string };
  demo: { echo: string; chat: string };
  listeners: {
    name: string;
    address: string;
    routes?: { static?: { root: string }; respond?: { body: string } }[];
  }[];
  clusters: { name: string; endpoints: { address: string }[] }[];
}

/** Returns the configuration of `npm start` with free ports. */
async function demoConfig(): Promise<DemoConfig> {
  const config = parse(readFileSync(resolve(CONFIG_DIRECTORY, 'sluice.yaml'), 'utf8')) as DemoConfig;
  const endpoints = config.clusters.flatMap((cluster) => cluster.endpoints);
  const ports = await freePorts(endpoints.length + 2);
  const [uws, auto] = ports.splice(endpoints.length);
  for (const [index, endpoint] of endpoints.entries()) endpoint.address = `127.0.0.1:${ports[index]!}`;
  for (const place of [config.admin, ...config.listeners]) place.address = '127.0.0.1:0';
  for (const { name, port } of [
    { name: 'web', port: uws },
    { name: 'own', port: auto },
  ]) {
    config.listeners.find((listener) => listener.name === name)!.address = `127.0.0.1:${port!}`;
  }
  for (const route of config.listeners.flatMap((listener) => listener.routes ?? [])) {
    if (route.static !== undefined) route.static.root = resolve(CONFIG_DIRECTORY, route.static.root);
    if (route.respond !== undefined) {
      const body = JSON.parse(route.respond.body) as object;
      route.respond.body = JSON.stringify({ ...body, uws, auto });
    }
  }
  config.log.format = 'json';
  return config;
}

function endpointsOf(config: DemoConfig, name: string): string[] {
  const cluster = config.clusters.find((cluster) => cluster.name === name);
  assert.ok(cluster !== undefined);
  return cluster.endpoints.map(({ address }) => address);
}

const skip = existsSync(CHROMIUM) ? false : `there is no ${CHROMIUM}`;

describe('the demo in a browser, through the proxy', { skip }, () => {
  let config: DemoConfig;
  let sluice: SluiceProcess;
  let browser: Browser;
  const cleanups: (() => Promise<unknown>)[] = [];
  const problems: string[] = [];

  before(async () => {
    config = await demoConfig();
    sluice = await startSluice({ config });
    cleanups.push(() => sluice.stop());
    browser = await chromium.launch({ executablePath: CHROMIUM, args: [...CHROMIUM_ARGUMENTS] });
    cleanups.push(() => browser.close());
  });
  after(() => Promise.all(cleanups.map((clean) => clean())));

  async function waitUntilConnected(page: Page, name: string): Promise<void> {
    for (const part of ['chat', 'echo']) {
      await page
        .locator(`#${part}-state[data-state=open]`)
        .waitFor()
        .catch(async () => {
          const state = await page.locator(`#${part}-state`).innerText();
          const log = sluice.logs.slice(-8).map((line) => JSON.stringify(line));
          assert.fail([`the ${part} of ${name} is: ${state}`, ...problems, ...log].join('\n'));
        });
    }
  }

  /** Opens the page as a separate person, and waits until its chat and its echo are connected. */
  async function openPage(name: string, listener = 'web'): Promise<Page> {
    const page = await (await browser.newContext()).newPage();
    page.setDefaultTimeout(DEADLINE_MS);
    page.on('console', (line) => {
      if (line.type() === 'error' || line.type() === 'warning') problems.push(`${name}: ${line.text()}`);
    });
    page.on('pageerror', (error) => problems.push(`${name}: ${error.message}`));
    page.on('response', (response) => {
      if (response.status() >= 400) problems.push(`${name}: ${response.status()} for ${response.url()}`);
    });
    page.on('requestfailed', (request) => {
      // The browser drops requests in progress when a page is closed.
      const failure = request.failure()?.errorText;
      if (failure !== 'net::ERR_ABORTED') problems.push(`${name}: ${failure ?? ''} for ${request.url()}`);
    });
    await page.goto(`http://${sluice.address(listener)}/`);
    await waitUntilConnected(page, name);
    await page.getByLabel('Name').fill(name);
    await page.getByLabel('Name').press('Tab');
    await page.getByRole('log').getByText(`is ${name} now`).waitFor();
    return page;
  }

  async function say(page: Page, text: string): Promise<void> {
    const field = page.getByRole('textbox', { name: 'Message', exact: true });
    await field.fill(text);
    await field.press('Enter');
  }

  /** Waits for a message in the log of a page and returns the endpoint that carried its sender. */
  async function hear(page: Page, from: string, text: string): Promise<string> {
    const said = page.getByRole('log').locator('.said', { hasText: from }).filter({ hasText: text });
    await said.waitFor();
    return said.locator('.endpoint').innerText();
  }

  it('lets two people chat through any endpoints, and shows markup as text', async () => {
    const [ada, bob] = [await openPage('Ada'), await openPage('Bob')];
    const room = endpointsOf(config, config.demo.chat);
    await say(ada, 'Hello <b>Bob</b> & all');
    const carriesAda = await hear(bob, 'Ada', 'Hello <b>Bob</b> & all');
    await say(bob, 'Hello Ada');
    const carriesBob = await hear(ada, 'Bob', 'Hello Ada');
    assert.equal(carriesAda, await ada.locator('#chat-endpoint').innerText());
    assert.equal(carriesBob, await bob.locator('#chat-endpoint').innerText());
    for (const endpoint of [carriesAda, carriesBob]) assert.ok(room.includes(endpoint), endpoint);
    for (const page of [ada, bob]) assert.equal(await page.locator('#chat-present').innerText(), '2');

    await bob.context().close();
    await ada.getByRole('log').getByText('Bob left').waitFor();
    assert.equal(await ada.locator('#chat-present').innerText(), '1');
    await ada.context().close();
    assert.deepEqual(problems, []);
  });

  it('reaches every echo endpoint by a new connection for each text', async () => {
    const page = await openPage('Ada');
    const wanted = endpointsOf(config, config.demo.echo).sort();
    const tally = page.locator('#echo-tally li');
    const seen = async (): Promise<string[]> => (await tally.locator('.endpoint').allInnerTexts()).sort();
    let sent = 0;
    while (sent < 50 && (await seen()).length < wanted.length) {
      const text = `echo ${++sent}`;
      await page.getByLabel('Text').fill(text);
      await page.getByLabel('Text').press('Enter');
      await page.locator('#echo-answer').getByText(text, { exact: true }).waitFor();
      assert.match(await page.locator('#echo-time').innerText(), /^\d+\.\d ms$/);
    }
    assert.deepEqual(await seen(), wanted);
    const counts = await tally.locator('.count').allInnerTexts();
    assert.equal(
      counts.reduce((sum, count) => sum + Number(count), 0),
      sent + 1,
      'each text had a separate connection, after the first one of the page',
    );
    await page.context().close();
    assert.deepEqual(problems, []);
  });

  it('keeps its endpoint while the connection is open', async () => {
    const page = await openPage('Ada');
    await page.getByLabel('Reconnect each time').uncheck();
    const endpoint = await page.locator('#echo-endpoint').innerText();
    for (const text of ['one', 'two', 'three']) {
      await page.getByLabel('Text').fill(text);
      await page.getByLabel('Text').press('Enter');
      await page.locator('#echo-answer').getByText(text, { exact: true }).waitFor();
      assert.equal(await page.locator('#echo-endpoint').innerText(), endpoint);
    }
    assert.deepEqual(await page.locator('#echo-tally .count').allInnerTexts(), ['1']);
    await page.context().close();
    assert.deepEqual(problems, []);
  });

  it('shows which engine carries its sockets, and links to the page on the other engine', async () => {
    const page = await openPage('Ada', 'own');
    const through = (part: string): Promise<string> => page.locator(`#${part}-engine`).innerText();
    const current = (): Promise<string> => page.locator('#engines [aria-current]').innerText();
    assert.deepEqual([await through('chat'), await through('echo')], ['our own engine', 'our own engine']);
    assert.equal(await current(), 'Our own');
    await page.getByRole('link', { name: 'uWebSockets.js' }).click();
    await page.waitForURL(`http://${sluice.address('web')}/`);
    await waitUntilConnected(page, 'Ada');
    assert.deepEqual([await through('chat'), await through('echo')], ['uWebSockets.js', 'uWebSockets.js']);
    assert.equal(await current(), 'uWebSockets.js');
    await page.context().close();
    assert.deepEqual(problems, []);
  });

  it('reaches the same echo app on any path through the layer 4 listener', async () => {
    const client = await WsClient.connect(`ws://${sluice.address('tcp')}/any/path`);
    client.send('through the tunnel');
    assert.equal((await client.next()).data.toString(), 'through the tunnel');
    const endpoint = client.headers['x-demo-endpoint'];
    assert.ok(endpointsOf(config, config.demo.echo).includes(String(endpoint)));
    client.socket.close(1000);
    assert.equal((await client.closed()).code, 1000);
  });

  it('shows 1012 when the proxy stops, and the backends stop too', async () => {
    const page = await openPage('Ada');
    assert.deepEqual(problems, []);
    const [exit] = await Promise.all([
      sluice.stop('SIGTERM'),
      page.getByRole('log').getByText('Connection closed: 1012 service restart').waitFor(),
      page.locator('#echo-state').getByText('Closed: 1012 service restart').waitFor(),
    ]);
    assert.deepEqual(exit, { code: 0, signal: null });
    assert.equal(sluice.stderr, '');
    for (const endpoint of endpointsOf(config, config.demo.echo)) {
      await assert.rejects(WsClient.connect(`ws://${endpoint}/`), { code: 'ECONNREFUSED' });
    }
  });
});
