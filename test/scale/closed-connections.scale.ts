/** Connections that the proxy closes, by the ten thousand: memory stays flat. Sessions are in `sessions.scale.ts`. */
import assert from 'node:assert/strict';
import { connect, createServer, type AddressInfo, type Server } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { SCALE_ENGINES } from '../support/engines.ts';
import { medianGrowth, residentBytes } from '../support/processes/process-facts.ts';
import { WebRig } from '../support/rigs/web-rig.ts';

const MIB = 1024 ** 2;
const AT_ONCE = 50;
const ROUNDS = 10;
const REQUESTS_PER_ROUND = 20_000;
/** Bytes of each connection that uSockets once lost. A loss shows in every round. */
const LOST_BYTES = 450;

for (const engine of SCALE_ENGINES) {
  describe(`${engine} that closes connections`, { timeout: 850_000 }, () => {
    let http: Server;
    let rig: WebRig;

    before(async () => {
      http = createServer((socket) => {
        socket.on('error', () => undefined);
        socket.on('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello'));
      });
      await new Promise<void>((settle) => http.listen(0, '127.0.0.1', settle));
      rig = await WebRig.start({
        log: { access: false },
        listeners: { web: { engine } },
        clusters: { http: { endpoints: [`127.0.0.1:${(http.address() as AddressInfo).port}`] } },
      });
    });
    after(async () => {
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

    async function round(): Promise<void> {
      let left = REQUESTS_PER_ROUND;
      const one = async (): Promise<void> => {
        while (left-- > 0) await request();
      };
      await Promise.all(Array.from({ length: AT_ONCE }, one));
    }

    it('has no more memory after 200,000 requests with Connection: close', async (t) => {
      const sizes: number[] = [];
      for (let count = 0; count < ROUNDS; count++) {
        await round();
        sizes.push(residentBytes(rig.sluice.pid));
      }
      t.diagnostic(`${sizes.map((size) => (size / MIB).toFixed(1)).join(', ')} MiB`);
      const growth = medianGrowth(sizes);
      assert.ok(growth < (REQUESTS_PER_ROUND * LOST_BYTES) / 2, `${growth} bytes more in a round`);
    });
  });
}
