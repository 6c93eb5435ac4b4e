/** Each state of the page, on both screens and in both themes: its texts and its accessibility. */
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import type { Page } from 'playwright-core';
import type { LiveFrame } from '../../../src/protocol/admin/live.ts';
import { eventually } from '../../support/deadline.ts';
import { PageBrowser, SCREENS, SKIP_WITHOUT_CHROMIUM, assertAccessible } from '../../support/page/browser.ts';
import { FakeAdmin } from '../../support/page/fake-admin.ts';
import { busyFrame, clusterOf, endpointOf, frameOf } from '../../support/page/frames.ts';

describe('the page in each state', { skip: SKIP_WITHOUT_CHROMIUM, timeout: 600_000 }, () => {
  let browser: PageBrowser;
  let admin: FakeAdmin;

  before(async () => {
    browser = await PageBrowser.start();
  });
  after(() => browser.stop());
  afterEach(() => admin.close());

  async function open(options: Parameters<PageBrowser['open']>[1] = {}): Promise<Page> {
    admin = await FakeAdmin.listen();
    const page = await browser.open(admin.address, options);
    await eventually(() => assert.equal(admin.readers, 1));
    return page;
  }

  async function openWith(frame: LiveFrame, options?: Parameters<PageBrowser['open']>[1]): Promise<Page> {
    const page = await open(options);
    await admin.push(frame);
    await page.locator('body[data-ready]').waitFor();
    return page;
  }

  for (const screen of SCREENS) {
    for (const scheme of ['light', 'dark'] as const) {
      it(`has no serious fault of accessibility with traffic, on a ${screen.name} in the ${scheme}`, async () => {
        const page = await open({ screen, scheme });
        for (let second = 0; second < 30; second++) await admin.push(busyFrame(second));
        await page.getByRole('heading', { name: 'Now and in the last 29s' }).waitFor();
        await page.getByRole('img', { name: 'Messages in the last 29s' }).waitFor();
        await page.getByText('Draining endpoint 192.0.2.9:80 of cluster chat: 10 of 40 left').waitFor();
        await page.getByText('The certificate a.example ends in 9 days').waitFor();
        await page.getByText('ends in 9 days', { exact: true }).waitFor();
        await page.locator('.pill:visible', { hasText: 'slow' }).waitFor();
        await assertAccessible(page);
        await page.getByRole('button', { name: 'Drain endpoint 192.0.2.2:80 of cluster chat' }).click();
        await page.getByRole('dialog').getByText('Token of operators').waitFor();
        await assertAccessible(page);
        await browser.close(page);
      });
    }

    it(`shows the links to all sections on a ${screen.name}`, async () => {
      const page = await open({ screen });
      for (const link of await page.getByRole('navigation').getByRole('link').all()) {
        const { x, width } = (await link.boundingBox())!;
        assert.ok(x >= 0 && x + width <= screen.width, `${await link.innerText()} is cut`);
      }
      await browser.close(page);
    });

    it(`says what is missing on a ${screen.name} before any frame, and with an empty configuration`, async () => {
      const page = await open({ screen });
      await assertAccessible(page);
      await admin.push(frameOf({ state: 'starting', notReady: 'starting' }));
      await page.locator('#state', { hasText: 'starting' }).waitFor();
      await page.getByText('The configuration has no clusters').waitFor();
      await page.getByText('No worker has been started yet').waitFor();
      await page.getByText('The configuration has no listeners').waitFor();
      await assertAccessible(page);
      await browser.close(page);
    });

    it(`says on a ${screen.name} that the process is drained`, async () => {
      const page = await openWith(
        frameOf({
          state: 'ready',
          notReady: 'draining',
          drains: [{ scope: { kind: 'all' }, total: 100, remaining: 25, seconds: 65 }],
        }),
        { screen },
      );
      await page.locator('#state', { hasText: 'draining' }).waitFor();
      await page.getByText('Draining the whole process: 25 of 100 left, for 1m 05s').waitFor();
      await page.locator('#drain-all', { hasText: 'Undrain all' }).waitFor();
      await assertAccessible(page);
      await browser.close(page);
    });

    it(`says on a ${screen.name} why there is no connection, and connects again`, async () => {
      const page = await openWith(busyFrame(1), { screen });
      admin.refusal = {
        status: 503,
        body: { status: 503, message: 'no more clients can read /live: 64 do' },
      };
      admin.cut();
      await page.getByText('no more clients can read /live: 64 do; next try in').waitFor();
      await page.locator('#link', { hasText: 'connection lost' }).waitFor();
      await assertAccessible(page);
      admin.refusal = null;
      await page.getByRole('button', { name: 'Try now' }).click();
      await eventually(() => assert.equal(admin.readers, 1));
      await admin.push(busyFrame(9));
      await page.locator('#link', { hasText: 'live' }).waitFor();
      // The browser reports the refusal, and the cut stream.
      await browser.close(page, /503|ERR_INCOMPLETE_CHUNKED_ENCODING/);
    });

    it(`asks on a ${screen.name} to be loaded again when frames are of another version`, async () => {
      const page = await openWith(busyFrame(1), { screen });
      await admin.push('{"at":1,"version":"9.9.9"}');
      await page.locator('#link', { hasText: 'the proxy has another version' }).waitFor();
      await page.getByRole('button', { name: 'Load the page again' }).waitFor();
      await assertAccessible(page);
      await browser.close(page);
    });

    it(`says on a ${screen.name} how to set a token if none is set`, async () => {
      const page = await openWith({ ...busyFrame(1), takesCommands: false }, { screen });
      await page.getByRole('button', { name: 'Reload' }).click();
      await page.getByRole('dialog').getByText('SLUICE_ADMIN_TOKEN').waitFor();
      await assertAccessible(page);
      await page.getByRole('dialog').getByRole('button', { name: 'Close' }).click();
      await page
        .getByText('Events name clients, so they need a token, and none is set in the proxy.')
        .waitFor();
      await browser.close(page);
    });
  }

  it('shows texts from the network literally, and never runs them', async () => {
    const text = '<img src=x onerror="document.title=1"><script>document.title=2</script>';
    const page = await openWith(
      frameOf({
        clusters: [clusterOf(text, [endpointOf(text, { state: 'down', reason: text })])],
        clusterCount: 1,
        errors: [{ kind: text, reason: text, count: 1 }],
        needsRestart: [text, 'a\u202eb'],
      }),
    );
    await page.locator('.toggle', { hasText: text }).waitFor();
    await page.getByText('a\\u202eb').waitFor();
    assert.equal(await page.locator('main img, main script').count(), 0);
    assert.match(await page.title(), /^sluice/);
    await browser.close(page);
  });

  it('marks a found session as ended that is not there any more, and clears the result after a restart', async () => {
    const page = await openWith(frameOf());
    const session = (id: string): object => ({
      id,
      principal: 'jwt:zoe',
      client: '192.0.2.1',
      listener: 'web',
      cluster: 'app',
      endpoint: '192.0.2.2:80',
      openedAt: '2026-01-01T00:00:00.000Z',
      endsAt: null,
    });
    const found = { status: 200, total: 2, sessions: [session('a-1'), session('a-2')], next: null };
    admin.answers.set('GET /sessions', { status: 200, body: found });
    admin.answers.set('GET /events', { status: 200, body: { events: [], last: 1, suppressed: 0 } });
    await page.getByRole('button', { name: 'Search' }).click();
    await page.locator('#token-value').fill('a-token-of-operators');
    await page.locator('#token-value').press('Enter');
    await page.getByText('2 of 2 sessions.').waitFor();
    await page.getByRole('button', { name: 'Close session a-1' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Close session' }).click();
    await page.getByText('2 of 2 sessions. 1 session ended since.').waitFor();
    assert.equal(await page.getByRole('button', { name: /^Close session / }).count(), 1);
    await admin.push(frameOf({ pid: 101, uptimeSeconds: 1 }));
    await page.getByText('The proxy restarted').waitFor();
    assert.equal(await page.getByRole('button', { name: /^Close session / }).count(), 0);
    await browser.close(page, /404/);
  });

  it('closes its stream while it is hidden', async () => {
    const page = await openWith(busyFrame(1));
    const turn = (isHidden: boolean): Promise<unknown> =>
      page.evaluate(`
        Object.defineProperty(document, 'hidden', { configurable: true, value: ${isHidden} });
        document.dispatchEvent(new Event('visibilitychange'));
      `);
    await turn(true);
    await eventually(() => assert.equal(admin.readers, 0));
    await page.locator('#link', { hasText: 'paused' }).waitFor();
    await turn(false);
    await eventually(() => assert.equal(admin.readers, 1));
    await browser.close(page);
  });

  it('searches all clusters when frames have only some of them', async () => {
    const page = await openWith(
      frameOf({ clusters: [clusterOf('here', [endpointOf('192.0.2.1:80')])], clusterCount: 900 }),
    );
    const endpoint = {
      address: '192.0.2.77:80',
      weight: 1,
      priority: 0,
      state: 'down',
      since: '',
      reason: 'gone',
    };
    const cluster = {
      name: 'far-away',
      balancer: 'random',
      panic: false,
      activeConnections: 5,
      maxConnections: 0,
    };
    const counts = { activeConnections: 5, connectFailures: 3, ejections: 1, lastProbe: null };
    admin.answers.set('GET /status', {
      status: 200,
      body: { drains: [], clusters: [{ ...cluster, evictions: 0, endpoints: [{ ...endpoint, ...counts }] }] },
    });
    await page.getByText('1 of 900 clusters here').waitFor();
    await page.locator('#cluster-filter').fill('far 77');
    await page.getByText('192.0.2.77:80').waitFor();
    assert.equal(await page.locator('.toggle', { hasText: 'here' }).count(), 0);
    await page.locator('#cluster-filter').fill('');
    await page.locator('.toggle', { hasText: 'here' }).waitFor();
    assert.deepEqual(
      admin.asked.filter((name) => name === 'GET /status'),
      ['GET /status'],
    );
    await browser.close(page);
  });

  it('sorts endpoints of all clusters by the time of their answers', async () => {
    const page = await open();
    for (let second = 0; second < 15; second++) await admin.push(busyFrame(second));
    await page.locator('body[data-ready]').waitFor();
    await page.getByLabel('by cluster').uncheck();
    await page.getByRole('button', { name: 'Mean answer' }).click();
    const rows = page.locator('#cluster-table tbody tr');
    await rows.first().getByText('192.0.2.2:80').waitFor();
    await rows.first().getByText('400 ms').waitFor();
    assert.equal(await page.locator('#cluster-table th[aria-sort=descending]').innerText(), 'Mean answer');
    await browser.close(page);
  });
});
