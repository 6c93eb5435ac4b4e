import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Page } from 'playwright-core';
import { eventually } from '../../support/deadline.ts';
import { SCREENS, SKIP_WITHOUT_CHROMIUM, assertAccessible } from '../../support/page/browser.ts';
import { DemoPages } from '../../support/page/demo-pages.ts';
import { WsClient } from '../../support/websocket/ws-client.ts';

/** The browser's objects that a function in the page uses. Its policy forbids scripts that are strings. */
interface BrowserGlobals {
  readonly document: { querySelector(selector: string): Canvas };
  getComputedStyle(canvas: Canvas): { getPropertyValue(name: string): string };
}

interface Canvas {
  readonly width: number;
  getContext(kind: '2d'): {
    getImageData(x: number, y: number, width: number, height: number): { readonly data: Uint8ClampedArray };
  };
}

/** The tests read the canvas. */
const FREQUENT_READS = /willReadFrequently/;

describe('the demo in a browser, through the proxy', { skip: SKIP_WITHOUT_CHROMIUM }, () => {
  let demo: DemoPages;

  before(async () => {
    demo = await DemoPages.start();
  });
  after(() => demo.stop());

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

  const text = (page: Page, id: string): Promise<string> => page.locator(`#${id}`).innerText();

  describe('two people', () => {
    let ada: Page;
    let bob: Page;

    before(async () => {
      [ada, bob] = [await demo.open('Ada'), await demo.open('Bob')];
    });

    it('chat through any endpoints, and shows markup as text', async () => {
      await say(ada, 'Hello <b>Bob</b> & all');
      const carriesAda = await hear(bob, 'Ada', 'Hello <b>Bob</b> & all');
      await say(bob, 'Hello Ada');
      const carriesBob = await hear(ada, 'Bob', 'Hello Ada');
      assert.equal(carriesAda, await text(ada, 'chat-endpoint'));
      assert.equal(carriesBob, await text(bob, 'chat-endpoint'));
      for (const endpoint of [carriesAda, carriesBob]) assert.ok(demo.endpointsOf('chat').includes(endpoint));
      for (const page of [ada, bob]) assert.equal(await text(page, 'chat-present'), '2');
    });

    it('see each other move in the game', async () => {
      const scores = (page: Page): Promise<string[]> => page.locator('#game-scores b').allInnerTexts();
      // To the upper left corner by keys, and to the lower right one by the pointer.
      await ada.locator('#game-arena').focus();
      await ada.keyboard.down('ArrowLeft');
      await ada.keyboard.down('ArrowUp');
      await bob.locator('#game-arena').click({ position: await placeIn(bob, 0.97, 0.95) });
      for (const page of [ada, bob]) {
        await page.locator('#game-scores li').nth(1).waitFor();
        // A name can arrive after its player.
        await eventually(async () => assert.deepEqual((await scores(page)).sort(), ['Ada', 'Bob']));
        await waitForPlayerAt(page, 24, 24);
        await waitForPlayerAt(page, 970, 570);
        assert.equal(await text(page, 'game-players'), '2');
      }
      await ada.keyboard.up('ArrowLeft');
      await ada.keyboard.down('ArrowRight');
      await waitForPlayerAt(bob, 976, 24);
    });

    it('see each other leave', async () => {
      await demo.close(ada, FREQUENT_READS);
      await bob.locator('#game-scores li').nth(1).waitFor({ state: 'detached' });
      await bob.getByRole('log').getByText('Ada left').waitFor();
      assert.equal(await text(bob, 'chat-present'), '1');
      await demo.close(bob, FREQUENT_READS);
    });
  });

  for (const [index, screen] of SCREENS.entries()) {
    const scheme = index === 0 ? 'light' : 'dark';
    it(`is accessible and no wider than the screen of a ${screen.name}, ${scheme}`, async () => {
      const page = await demo.open('Ada', { screen, scheme });
      const invitation = await page.locator('#game-invitation').boundingBox();
      assert.ok(invitation!.height < 48, 'the invitation to the game has one line');
      const long = screen.name.repeat(40);
      await say(page, long);
      await hear(page, 'Ada', long);
      await page.locator('#game-arena').click();
      await page.locator('#game-scores .own').waitFor();
      await page.getByRole('group', { name: 'Paths to try' }).getByText('/game').click();
      await page.locator('#l7-added tr').first().waitFor();
      for (const details of await page.locator('#layers-results summary').all()) await details.click();
      await assertAccessible(page, []);
      await demo.close(page);
    });
  }

  describe('one person', () => {
    let page: Page;

    before(async () => {
      page = await demo.open('Ada', { listener: 'net' });
    });

    it('gets the feed: prices that move, a chart, and the round trip', async () => {
      const prices = (): Promise<string[]> => page.locator('#feed-prices .price').allInnerTexts();
      const first = await prices();
      assert.equal(first.length, 3);
      for (const price of first) assert.match(price, /^\d+\.\d\d$/);
      const before = (await page.locator('#feed-prices').textContent()) ?? '';
      await page.locator('#feed-prices').filter({ hasNotText: before }).waitFor();
      const points = await page.locator('#feed-chart polyline').first().getAttribute('points');
      assert.equal(points?.split(' ').length, 240);
      await page
        .locator('#feed-latency')
        .getByText(/^\d+\.\d ms$/)
        .waitFor();
      assert.equal(await text(page, 'feed-missed'), '0');
      assert.ok(demo.endpointsOf('feed').includes(await text(page, 'feed-endpoint')));
    });

    it('finds its job again after a reload, and cancels it', async () => {
      await page.getByRole('button', { name: 'Start a job' }).click();
      await page.locator('#job-bar:not([value="0"])').waitFor();
      const percent = async (): Promise<number> => parseInt(await text(page, 'job-percent'));
      const before = await percent();
      await page.reload();
      await demo.waitUntilConnected(page, 'Ada');
      await page.locator('#job-status').getByText('Running').waitFor();
      assert.ok((await percent()) >= before);
      await page.getByRole('button', { name: 'Cancel' }).click();
      await page.locator('#job-status').getByText('Cancelled').waitFor();
      assert.match(await text(page, 'job-result'), /^3\.\d{4} from [\d,]+ points$/);
      assert.ok(await page.getByRole('button', { name: 'Start a job' }).isEnabled());

      await page.goto(`http://${demo.sluice.address('net')}/?job=unknown`);
      await page.locator('#job-status').getByText('The job is unknown').waitFor();
      assert.equal(new URL(page.url()).search, '');
    });

    it('compares layer 4, which reaches the echo app by any path, with layer 7, whose path decides', async () => {
      const send = async (path: string): Promise<void> => {
        await page.getByLabel('Path', { exact: true }).fill(path);
        await page.getByRole('button', { name: 'Send to both' }).click();
        await page.locator('#l7-url').getByText(path).waitFor();
        await page.locator('#layers-results[aria-busy=false]').waitFor();
      };
      const added = (layer: string): Promise<string[]> => page.locator(`#${layer}-added th`).allInnerTexts();

      await send('/chat?a=b');
      assert.equal(await text(page, 'l4-outcome'), 'Reached');
      assert.match(await text(page, 'l4-endpoint'), /\(echo app\)$/);
      assert.equal(await text(page, 'l4-target'), '/chat?a=b');
      assert.match(await text(page, 'l4-route'), /^none/);
      assert.deepEqual(await added('l4'), []);
      assert.equal(await text(page, 'l7-outcome'), 'Reached');
      assert.match(await text(page, 'l7-endpoint'), /\(chat room\)$/);
      assert.equal(await text(page, 'l7-route'), 'chat');
      const names = await added('l7');
      for (const name of ['x-forwarded-for', 'x-request-id', 'x-demo-route'])
        assert.ok(names.includes(name), name);

      await send('/no/such/path');
      assert.equal(await text(page, 'l4-outcome'), 'Reached');
      assert.equal(await text(page, 'l4-target'), '/no/such/path');
      assert.equal(await text(page, 'l7-outcome'), 'No WebSocket: status 404');
      assert.match(await text(page, 'l7-endpoint'), /^the proxy itself/);
      assert.equal(await text(page, 'l7-route'), 'page');
    });

    it('reaches every echo endpoint by a new connection for each text', async () => {
      const wanted = demo.endpointsOf('echo').sort();
      const tally = page.locator('#echo-tally li');
      const seen = async (): Promise<string[]> => (await tally.locator('.endpoint').allInnerTexts()).sort();
      let sent = 0;
      while (sent < 50 && (await seen()).length < wanted.length) {
        await echo(page, `echo ${++sent}`);
        assert.match(await text(page, 'echo-time'), /^\d+\.\d ms$/);
      }
      assert.deepEqual(await seen(), wanted);
      const counts = await tally.locator('.count').allInnerTexts();
      assert.equal(
        counts.reduce((sum, count) => sum + Number(count), 0),
        sent + 1,
        'each text had a separate connection, after the first one of the page',
      );

      await page.getByLabel('Reconnect each time').uncheck();
      const endpoint = await text(page, 'echo-endpoint');
      for (const words of ['one', 'two', 'three']) {
        await echo(page, words);
        assert.equal(await text(page, 'echo-endpoint'), endpoint);
      }
      assert.deepEqual(await tally.locator('.count').allInnerTexts(), counts);
    });

    it('causes no complaint of the browser but those about a refused handshake and its status', () => {
      assert.deepEqual(
        demo.problems.filter((problem) => !problem.includes('404')),
        [],
      );
    });

    it('shows 1012 when the proxy stops, and the backends stop too', async () => {
      const [exit] = await Promise.all([
        demo.sluice.stop('SIGTERM'),
        page.getByRole('log').getByText('Connection closed: 1012 service restart').waitFor(),
        page.locator('#echo-state').getByText('Closed: 1012 service restart').waitFor(),
        page.locator('#game-state').getByText('Disconnected').waitFor(),
      ]);
      assert.deepEqual(exit, { code: 0, signal: null });
      assert.equal(demo.sluice.stderr, '');
      for (const endpoint of [...demo.endpointsOf('echo'), ...demo.endpointsOf('game')]) {
        await assert.rejects(WsClient.connect(`ws://${endpoint}/`), { code: 'ECONNREFUSED' });
      }
    });
  });
});

async function echo(page: Page, words: string): Promise<void> {
  await page.getByLabel('Text', { exact: true }).fill(words);
  await page.getByLabel('Text', { exact: true }).press('Enter');
  await page.locator('#echo-answer').getByText(words, { exact: true }).waitFor();
}

/** Returns a place on the arena. @param x, y shares of its width and height */
async function placeIn(page: Page, x: number, y: number): Promise<{ x: number; y: number }> {
  const box = await page.locator('#game-arena').boundingBox();
  return { x: box!.width * x, y: box!.height * y };
}

/** Waits until the canvas shows a player at a place of the arena, which is 1000 units wide. */
async function waitForPlayerAt(page: Page, x: number, y: number): Promise<void> {
  await page.waitForFunction(
    ([x, y]) => {
      const browser = globalThis as unknown as BrowserGlobals;
      const canvas = browser.document.querySelector('#game-arena');
      const scale = canvas.width / 1000;
      const { data } = canvas.getContext('2d').getImageData(x! * scale, y! * scale, 1, 1);
      const pixel = [...data.slice(0, 3)].map((part) => part.toString(16).padStart(2, '0')).join('');
      const style = browser.getComputedStyle(canvas);
      return [0, 1, 2, 3, 4, 5].some((hue) => style.getPropertyValue(`--hue-${hue}`) === `#${pixel}`);
    },
    [x, y],
  );
}
