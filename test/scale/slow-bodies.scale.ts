/** Clients that send the bodies of their requests slowly, or not at all, at a cluster with few connections. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { SCALE_ENGINES } from '../support/engines.ts';
import { HttpEndpoint } from '../support/http/http-endpoint.ts';
import { WebRig } from '../support/rigs/web-rig.ts';
import { RawConnection, headerOf } from '../support/sockets/raw-connection.ts';

const POST = 'POST / HTTP/1.1\r\nHost: app.example\r\n';

for (const engine of SCALE_ENGINES) {
  describe(`slow request bodies, with ${engine}`, () => {
    let endpoint: HttpEndpoint;
    let rig: WebRig;

    before(async () => {
      endpoint = await HttpEndpoint.listen((request, response) => {
        let size = 0;
        request.on('data', (chunk: Buffer) => (size += chunk.length));
        request.on('end', () => response.end(String(size)));
      });
      rig = await WebRig.start({
        listeners: { web: { engine }, patient: { engine, http: { minBodyRate: 0 } } },
        clusters: { app: { endpoints: [endpoint.address], maxConnections: 2 } },
      });
    });
    after(async () => {
      endpoint.close();
      await rig.stop();
    });

    async function begin(text: string, listener = 'web'): Promise<RawConnection> {
      const client = await RawConnection.connect(rig.address(listener));
      client.write(text);
      return client;
    }

    it('get 408 after 10 seconds: nothing, one byte, ten bytes a second, with a length and in chunks', async () => {
      const clients = [
        await begin(`${POST}Content-Length: 100\r\n\r\n`),
        await begin(`${POST}Content-Length: 100\r\n\r\nx`),
        await begin(`${POST}Transfer-Encoding: chunked\r\n\r\n`),
        await begin(`${POST}Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n`),
      ];
      const dripped = await begin(`${POST}Content-Length: 100000\r\n\r\n`);
      const drip = setInterval(() => dripped.socket.write('x'), 100);
      const begun = performance.now();
      try {
        for (const client of [...clients, dripped]) {
          const head = await client.head();
          assert.match(head.startLine, / 408 /);
          assert.equal(headerOf(head, 'connection'), 'close');
          assert.ok(performance.now() - begun > 9000, 'not before its time');
          await client.closed;
        }
      } finally {
        clearInterval(drip);
      }
      const metrics = await rig.scrape();
      assert.equal(
        metrics.sum('sluice_http_requests_refused_total', { listener: 'web', reason: 'body_too_slow' }),
        5,
      );
      assert.equal(metrics.sum('sluice_endpoint_connections_active'), 0);
    });

    it('arrive whole at 1 KiB a second, slower than uWebSockets.js itself would let them', async () => {
      const size = 30 * 1024;
      const client = await begin(`${POST}Content-Length: ${size}\r\n\r\n`);
      let sent = 0;
      await new Promise<void>((settle) => {
        const drip = setInterval(() => {
          client.socket.write('x'.repeat(1024));
          if ((sent += 1024) < size) return;
          clearInterval(drip);
          settle();
        }, 1000);
      });
      assert.match((await client.head()).startLine, / 200 /);
      client.destroy();
    });

    it('may take any time without a minimum rate', async () => {
      const client = await begin(`${POST}Content-Length: 2\r\n\r\n`, 'patient');
      for (const byte of 'ab') {
        await new Promise((settle) => setTimeout(settle, 14_000));
        client.write(byte);
      }
      assert.match((await client.head()).startLine, / 200 /);
      client.destroy();
    });
  });
}
