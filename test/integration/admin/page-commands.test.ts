/** The page of a real proxy with real clients: it shows what the metrics say, and its buttons change the proxy. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Locator, Page } from 'playwright-core';
import type { Status } from '../../../src/protocol/admin/status.ts';
import { eventually } from '../../support/deadline.ts';
import { askAdmin } from '../../support/http/admin-client.ts';
import { scrape } from '../../support/http/metrics.ts';
import { PageBrowser, SCREENS, SKIP_WITHOUT_CHROMIUM, assertAccessible } from '../../support/page/browser.ts';
import { startSluice, type SluiceProcess } from '../../support/processes/sluice-process.ts';
import { WsEndpoint, WsPeer } from '../../support/websocket/ws-peer.ts';

const TOKEN = 'a-token-for-tests-only';
const NEW_TOKEN = 'another-token-for-tests';
const CLIENTS = 6;
/** The browser reports each refused request. */
const REFUSED = /status of 40[139]/;

describe('the page of a real proxy', { skip: SKIP_WITHOUT_CHROMIUM, timeout: 600_000 }, () => {
  const endpoints: WsEndpoint[] = [];
  const clients: WsPeer[] = [];
  let browser: PageBrowser;
  let sluice: SluiceProcess;
  let page: Page;

  before(async () => {
    endpoints.push(await WsEndpoint.listen(), await WsEndpoint.listen());
    [browser, sluice] = await Promise.all([PageBrowser.start(), startSluice({ config: config(TOKEN) })]);
    page = await browser.open(sluice.admin);
    await page.locator('body[data-ready]').waitFor();
  });
  after(async () => {
    await browser.stop();
    for (const { socket } of clients) socket.terminate();
    sluice.kill('SIGKILL');
    for (const endpoint of endpoints) endpoint.close();
  });

  function config(token: string): object {
    const route = { match: {}, cluster: 'chat' };
    return {
      workers: { l7: 2, l4: 1, warmUp: 0 },
      drain: { rate: '1000/s', deadline: '30s', jitter: '0s' },
      admin: { address: '127.0.0.1:0', token },
      listeners: [
        { name: 'web', mode: 'l7', address: '127.0.0.1:0', routes: [route] },
        {
          name: 'other',
          mode: 'l7',
          address: '127.0.0.1:0',
          routes: [{ match: { path: '/here' }, cluster: 'chat' }],
        },
      ],
      clusters: [
        { name: 'chat', endpoints: endpoints.map(({ address }) => ({ address })) },
        // Nobody listens at the discard port: its probes fail.
        {
          name: 'gone',
          endpoints: [{ address: '127.0.0.1:9' }],
          healthCheck: { type: 'tcp', interval: '1s' },
        },
      ],
    };
  }

  async function join(count: number): Promise<void> {
    for (let index = 0; index < count; index++)
      clients.push(await WsPeer.connect(`ws://${sluice.address('web')}/`));
  }

  async function status(): Promise<Status> {
    return JSON.parse((await askAdmin(sluice.admin, '/status')).body) as Status;
  }

  /** Presses a button, and the button of the question that comes. */
  async function command(button: Locator, confirm: string): Promise<void> {
    await button.click();
    await page.getByRole('dialog').getByRole('button', { name: confirm }).click();
  }

  function cell(table: string, row: string, column: string): Locator {
    return page.locator(`#${table}-table tbody tr`, { hasText: row }).locator(`.c-${column}`);
  }

  it('shows the values of the metrics', async () => {
    await join(CLIENTS);
    for (const { socket } of clients) socket.send('hello');
    const refused = WsPeer.connect(`ws://${sluice.address('other')}/nowhere`);
    await assert.rejects(refused);
    await page
      .locator('.legend li', { hasText: 'sessions' })
      .getByText(String(CLIENTS), { exact: true })
      .waitFor();
    const metrics = await scrape(sluice);
    assert.equal(metrics.sum('sluice_ws_sessions_active'), CLIENTS);
    for (const { address } of endpoints) {
      const active = metrics.sum('sluice_endpoint_connections_active', { endpoint: address });
      await cell('cluster', address, 'connections').getByText(String(active), { exact: true }).waitFor();
    }
    const open = metrics.sum('sluice_connections_active', { listener: 'web' });
    await cell('listener', 'web', 'connections').getByText(String(open), { exact: true }).waitFor();
    await page.locator('.legend li', { hasText: 'no_route' }).waitFor();
    assert.equal(await page.locator('#worker-table tbody tr').count(), 2);
    await assertAccessible(page);
  });

  it('asks for the token once, and says that a wrong one is wrong', async () => {
    await page.getByRole('button', { name: 'Enter token' }).first().click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Token', { exact: true }).fill('a-token-that-is-wrong');
    await dialog.getByRole('button', { name: 'Use token' }).click();
    await dialog.getByText('The proxy does not accept this token.').waitFor();
    await dialog.getByLabel('Token', { exact: true }).fill(TOKEN);
    await dialog.getByRole('button', { name: 'Use token' }).click();
    await page.getByRole('button', { name: 'Forget token' }).waitFor();
    const kept = await page.evaluate(
      'JSON.stringify([location.href, {...localStorage}, {...sessionStorage}, document.cookie])',
    );
    assert.doesNotMatch(String(kept), new RegExp(TOKEN));
  });

  it('shows the last events', async () => {
    await page.locator('#event-table tbody tr', { hasText: 'down' }).first().waitFor();
    await page.locator('#event-filter').fill('nothing has this text');
    await page.locator('#event-empty', { hasText: 'Nothing matches the filter.' }).waitFor();
    await page.locator('#event-filter').fill('gone 127.0.0.1');
    await page.locator('#event-kind').selectOption('endpoint');
    await page.locator('#event-table tbody tr', { hasText: 'ECONNREFUSED' }).first().waitFor();
    await assertAccessible(page);
  });

  it('drains an endpoint, a cluster, a listener and everything, and undoes it', async () => {
    const [endpoint] = endpoints;
    const address = endpoint!.address;
    const drained = async (): Promise<readonly string[]> =>
      (await status()).drains.map(({ scope }) => scope.kind);
    const parts = [
      { kind: 'endpoint', name: `endpoint ${address} of cluster chat` },
      { kind: 'cluster', name: 'cluster chat' },
      { kind: 'listener', name: 'listener web' },
      { kind: 'all', name: 'all' },
    ];
    for (const { kind, name } of parts) {
      await command(page.getByRole('button', { name: `Drain ${name}`, exact: true }), 'Drain');
      await eventually(async () => assert.deepEqual(await drained(), [kind]));
      await page.getByRole('button', { name: `Undrain ${name}`, exact: true }).click();
      await eventually(async () => assert.deepEqual(await drained(), []));
      await page.getByRole('button', { name: `Drain ${name}`, exact: true }).waitFor();
    }
    await page.locator('#answers').getByText('accepting new work again').first().waitFor();
  });

  it('sends nothing when the question is cancelled', async () => {
    await page.getByRole('button', { name: 'Drain all' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
    assert.deepEqual((await status()).drains, []);
  });

  it('rebalances a cluster', async () => {
    await command(page.getByRole('button', { name: 'Rebalance cluster chat' }), 'Rebalance');
    await page
      .locator('#answers')
      .getByText(/cluster chat/)
      .last()
      .waitFor();
    await sluice.waitForLog((line) => line.command === 'POST /clusters/NAME/rebalance');
  });

  it('finds sessions and closes one of them', async () => {
    for (const { socket } of clients.splice(0)) socket.terminate();
    await eventually(async () => assert.equal((await scrape(sluice)).sum('sluice_ws_sessions_active'), 0));
    await join(3);
    await page.locator('#session-by').selectOption('cluster');
    await page.locator('#session-value').fill('chat');
    await page.getByRole('button', { name: 'Search' }).click();
    await page.getByText('3 of 3 sessions.').waitFor();
    await assertAccessible(page);
    await command(page.getByRole('button', { name: /^Close session / }).first(), 'Close session');
    const closed = await Promise.race(clients.map((client) => client.closed()));
    assert.deepEqual(closed, { code: 1008, reason: 'closed by the operator' });
    await page.getByText('3 of 3 sessions. 1 session ended since.').waitFor();
    await page.locator('#session-table .pill:visible', { hasText: 'ended' }).waitFor();
    assert.equal(await page.getByRole('button', { name: /^Close session / }).count(), 2);
    await page.getByRole('button', { name: 'Search' }).click();
    await page.getByText('2 of 2 sessions.').waitFor();
  });

  it('reloads, shows the errors of a bad file, and forgets a token that has changed', async () => {
    sluice.writeConfig({ ...config(TOKEN), listeners: 'none' });
    await command(page.getByRole('button', { name: 'Reload', exact: true }), 'Reload');
    await page.locator('#answers').getByText('not reloaded: generation 1 stays').waitFor();
    await page.getByText('The last reload failed').waitFor();
    sluice.writeConfig(config(NEW_TOKEN));
    await command(page.getByRole('button', { name: 'Reload', exact: true }), 'Reload');
    await page.locator('#generation', { hasText: '2' }).waitFor();
    // The questions for events find out.
    await page.getByRole('button', { name: 'Enter token' }).first().waitFor();
    assert.equal(await page.locator('#event-table tbody tr:visible').count(), 0);
    await page.getByText('Events name clients, so they need the token.').waitFor();
    await browser.close(page, REFUSED);
  });

  it('shows the same on a phone', async () => {
    page = await browser.open(sluice.admin, { screen: SCREENS[1], scheme: 'dark' });
    await cell('cluster', endpoints[0]!.address, 'state').getByText('up').waitFor();
    await assertAccessible(page);
    await browser.close(page);
  });
});
