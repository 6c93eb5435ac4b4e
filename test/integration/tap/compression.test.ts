/** Compressed messages in a tap, with several settings of `ws` and with a browser. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { chromium } from 'playwright-core';
import { ENGINES, isOwnEngine } from '../../support/engines.ts';
import { CHROMIUM, CHROMIUM_ARGUMENTS } from '../../support/processes/chromium.ts';
import { TapStream } from '../../support/recording/tap-stream.ts';
import { WebRig } from '../../support/rigs/web-rig.ts';
import { WsEndpoint } from '../../support/websocket/ws-peer.ts';

const TOKEN = 'a-token-of-a-good-length-for-the-tests';
const SETTINGS = {
  'context takeover': {},
  'no context takeover': { serverNoContextTakeover: true, clientNoContextTakeover: true },
  'a small window': { serverMaxWindowBits: 9, clientMaxWindowBits: 10 },
} as const;
const TEXT = 'again and again and again, and grüße '.repeat(10);

describe('a tap of compressed sessions', { timeout: 300_000 }, () => {
  const endpoints: WsEndpoint[] = [];
  let rig: WebRig;

  before(async () => {
    for (const settings of Object.values(SETTINGS))
      endpoints.push(await WsEndpoint.listen({ perMessageDeflate: { threshold: 0, ...settings } }));
    const routes = endpoints.map((_, index) => ({ match: { path: `/${index}` }, cluster: `app-${index}` }));
    rig = await WebRig.start({
      admin: { token: TOKEN, tap: 'payload' },
      listeners: Object.fromEntries(
        ENGINES.map((engine) => [
          engine,
          { engine, routes, ...(isOwnEngine(engine) ? {} : { websocket: { compression: 'shared' } }) },
        ]),
      ),
      clusters: Object.fromEntries(
        endpoints.map(({ address }, index) => [`app-${index}`, { endpoints: [address] }]),
      ),
    });
  });
  after(async () => {
    for (const endpoint of endpoints) endpoint.close();
    await rig.stop();
  });

  const open = (parameters: Record<string, string>): Promise<TapStream> =>
    TapStream.open(rig.sluice.admin, { payload: 'true', ...parameters }, { token: TOKEN });

  for (const engine of ENGINES) {
    for (const [index, [name, settings]] of Object.entries(SETTINGS).entries()) {
      it(`shows decompressed messages of both sides with ${name} on ${engine}`, async () => {
        const tap = await open({ listener: engine });
        const { client, endpoint } = await rig.join(endpoints[index]!, {
          listener: engine,
          path: `/${index}`,
          perMessageDeflate: { threshold: 0, ...settings },
        });
        // The later messages refer to the earlier ones, if the context is taken over.
        for (let round = 0; round < 3; round++) {
          client.socket.send(`${TEXT}${round}`);
          endpoint.socket.send(Buffer.from(`${TEXT}${round}`));
          await Promise.all([client.messages.next(), endpoint.messages.next()]);
        }
        client.socket.send('', { fin: true });
        client.socket.send('in p', { fin: false });
        client.socket.send('arts');
        client.socket.close(1000);
        await client.closed();
        await tap.next('end');
        await tap.close();
        const messages = (side: string): (string | undefined)[] =>
          tap
            .of('frame')
            .filter(
              ({ from, opcode, fin }) =>
                from === side && fin === undefined && !['close', 'ping', 'pong'].includes(opcode),
            )
            .map(
              ({ text, base64 }) =>
                text ?? (base64 === undefined ? undefined : Buffer.from(base64, 'base64').toString()),
            );
        const rounds = [0, 1, 2].map((round) => `${TEXT}${round}`);
        assert.deepEqual(messages('client'), [...rounds, '', 'in parts']);
        assert.deepEqual(messages('endpoint'), rounds);
        if (!isOwnEngine(engine)) return;
        const [first] = tap.of('frame').filter(({ from }) => from === 'client');
        assert.equal(first!.compressed, true);
        assert.equal(first!.size, Buffer.byteLength(rounds[0]!));
        assert.ok(first!.length < first!.size);
        assert.match(tap.of('session')[0]!.extensions!, /^permessage-deflate/);
      });
    }
  }

  for (const engine of ENGINES.filter(isOwnEngine)) {
    it(`withholds messages whose compression context began before the tap on ${engine}`, async () => {
      for (const [index, isKnown] of [
        [0, false],
        [1, true],
      ] as const) {
        const { client, endpoint } = await rig.join(endpoints[index]!, {
          listener: engine,
          path: `/${index}`,
          perMessageDeflate: { threshold: 0 },
        });
        client.socket.send(TEXT);
        await endpoint.messages.next();
        const tap = await open({ listener: engine });
        await tap.next('session');
        client.socket.send(TEXT);
        const { compressed, text, withheld } = await tap.next('frame');
        assert.deepEqual(
          { compressed, text, withheld },
          {
            compressed: true,
            text: isKnown ? TEXT : undefined,
            withheld: isKnown ? undefined : 'compressed',
          },
        );
        client.socket.terminate();
        await tap.close();
      }
    });
  }

  it('shows messages that Chromium compresses', { skip: !existsSync(CHROMIUM) }, async () => {
    const browser = await chromium.launch({ executablePath: CHROMIUM, args: [...CHROMIUM_ARGUMENTS] });
    try {
      const page = await browser.newPage();
      for (const engine of ENGINES) {
        const tap = await open({ listener: engine });
        const talked = page.evaluate(
          ([url, text]) =>
            new Promise<void>((settle, fail) => {
              const socket = new WebSocket(url!);
              socket.onerror = () => fail(new Error('the WebSocket failed'));
              socket.onopen = () => {
                for (const part of ['one', 'two', 'three']) socket.send(`${text} ${part}`);
              };
              let heard = 0;
              socket.onmessage = () => {
                if (++heard === 3) socket.close(4001, 'done');
              };
              socket.onclose = () => settle();
            }),
          [`ws://${rig.address(engine)}/0`, TEXT],
        );
        const endpoint = await endpoints[0]!.session();
        endpoint.socket.on('message', (data, binary) => endpoint.socket.send(data as Buffer, { binary }));
        await talked;
        await tap.next('end');
        await tap.close();
        const texts = tap.of('frame').filter(({ opcode }) => opcode === 'text');
        for (const side of ['client', 'endpoint'])
          assert.deepEqual(
            texts.filter(({ from }) => from === side).map(({ text }) => text),
            ['one', 'two', 'three'].map((part) => `${TEXT} ${part}`),
          );
        if (isOwnEngine(engine)) assert.ok(texts.every(({ compressed }) => compressed === true));
      }
      await page.close();
    } finally {
      await browser.close();
    }
  });
});
