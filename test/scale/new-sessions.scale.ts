import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { WebSocket, WebSocketServer } from 'ws';
import { WebRig } from '../support/rigs/web-rig.ts';

/** Each is new: what V8 compiles and allocates meanwhile, and where memory lies, is another in each. */
const PROCESSES = 4;
const SESSIONS = 5_000;
const AT_ONCE = 8;

/** How a session ended: 1000 where the client, having got its message back, closed it. */
function live(url: string): Promise<number> {
  return new Promise((settle) => {
    const client = new WebSocket(url, { perMessageDeflate: true });
    client.on('open', () => client.send('still there?'));
    client.on('message', () => client.close(1000));
    client.on('error', () => undefined);
    client.on('close', settle);
  });
}

describe('20,000 new sessions with one message each', { timeout: 800_000 }, () => {
  let server: WebSocketServer;

  before(async () => {
    server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
    server.on('connection', (socket) => socket.on('message', (data) => socket.send(data)));
    await once(server, 'listening');
  });
  after(() => server.close());

  for (const [engine, compression] of [
    ['auto', 'passthrough'],
    ['uws', 'off'],
    ['uws', 'shared'],
  ] as const) {
    it(`live until their clients close them, with engine ${engine} and compression ${compression}`, async (t) => {
      const ends = new Map<number, number>();
      for (let run = 0; run < PROCESSES; run++) {
        const rig = await WebRig.start({
          workers: { l7: 1 },
          log: { access: false },
          listeners: { web: { engine, websocket: { compression } } },
          clusters: { echo: { endpoints: [`127.0.0.1:${(server.address() as AddressInfo).port}`] } },
        });
        try {
          let left = SESSIONS;
          const one = async (): Promise<void> => {
            while (left-- > 0) {
              const code = await live(`ws://${rig.address('web')}/`);
              ends.set(code, (ends.get(code) ?? 0) + 1);
            }
          };
          await Promise.all(Array.from({ length: AT_ONCE }, one));
        } finally {
          await rig.stop();
        }
      }
      t.diagnostic(`close codes and their sessions: ${JSON.stringify([...ends])}`);
      assert.deepEqual([...ends], [[1000, PROCESSES * SESSIONS]]);
    });
  }
});
