/** Connections and sessions that the proxy closes, by the ten thousand: memory stays flat. */
import assert from 'node:assert/strict';
import { connect, createServer, type AddressInfo, type Server } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { medianGrowth } from '../support/median-growth.ts';
import { residentBytes } from '../support/process-facts.ts';
import { RawConnection, switchingProtocols, upgradeRequest } from '../support/raw-connection.ts';
import { RawEndpoint } from '../support/raw-endpoint.ts';
import { CLOSE, closeBody, encodeFrame } from '../support/raw-frames.ts';
import { WebRig } from '../support/web-rig.ts';

const MIB = 1024 ** 2;
const AT_ONCE = 50;
/** Bytes of each connection that uSockets once lost. A loss shows in every round. */
const LOST_BYTES = 450;

/** Runs a number of visits, some of them at once. */
async function repeat(count: number, visit: () => Promise<void>): Promise<void> {
  let left = count;
  const one = async (): Promise<void> => {
    while (left-- > 0) await visit();
  };
  await Promise.all(Array.from({ length: AT_ONCE }, one));
}

describe('a proxy that closes connections', { timeout: 850_000, concurrency: false }, () => {
  let http: Server;
  let sessions: RawEndpoint;
  let rig: WebRig;

  before(async () => {
    http = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.on('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello'));
    });
    await new Promise<void>((settle) => http.listen(0, '127.0.0.1', settle));
    sessions = await RawEndpoint.listen(async (connection) => {
      connection.write(switchingProtocols(await connection.head()));
      connection.write(encodeFrame(CLOSE, closeBody(4000)));
      await connection.closed;
    });
    rig = await WebRig.start({
      log: { access: false },
      listeners: {
        web: {
          routes: [
            { match: { path: '/session' }, cluster: 'sessions' },
            { match: {}, cluster: 'http' },
          ],
        },
      },
      clusters: {
        sessions: { endpoints: [sessions.address] },
        http: { endpoints: [`127.0.0.1:${(http.address() as AddressInfo).port}`] },
      },
    });
  });
  after(async () => {
    sessions.close();
    http.close();
    await rig.stop();
  });

  function request(): Promise<void> {
    const { hostname, port } = new URL(`tcp://${rig.address('web')}`);
    return new Promise((settle, fail) => {
      const socket = connect(Number(port), hostname, () =>
        socket.write('GET / HTTP/1.1\r\nHost: app.example\r\nConnection: close\r\n\r\n'),
      );
      let received = '';
      socket.on('data', (bytes) => (received += bytes.toString('latin1')));
      socket.on('error', fail);
      socket.on('close', () => (received.endsWith('hello') ? settle() : fail(new Error(received))));
    });
  }

  async function session(): Promise<void> {
    const client = await RawConnection.connect(rig.address('web'));
    client.write(upgradeRequest('app.example', [], '/session'));
    assert.match((await client.head()).startLine, /^HTTP\/1\.1 101 /);
    assert.deepEqual((await client.frame()).payload, closeBody(4000));
    client.destroy();
  }

  // What ended sessions may still hold in uWS is remembered for 20 s, and V8's heap takes its size meanwhile.
  for (const [what, warmUps, rounds, perRound, visit] of [
    ['100,000 requests with Connection: close', 0, 5, 20_000, request],
    ['120,000 sessions that the endpoint closes', 15, 15, 4_000, session],
  ] as const) {
    it(`has no more memory after ${what}`, async (t) => {
      const sizes: number[] = [];
      for (let round = 0; round < warmUps; round++) await repeat(perRound, visit);
      for (let round = 0; round < rounds; round++) {
        await repeat(perRound, visit);
        sizes.push(residentBytes(rig.sluice.pid));
      }
      t.diagnostic(`${sizes.map((size) => (size / MIB).toFixed(1)).join(', ')} MiB`);
      const median = medianGrowth(sizes);
      assert.ok(median < (perRound * LOST_BYTES) / 2, `${median} bytes more in a round`);
    });
  }
});
