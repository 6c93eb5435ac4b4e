/** What uWebSockets.js cannot carry, and what the client gets instead. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { get, rawClient } from '../../support/http/raw-client.ts';
import { WebRig } from '../../support/rigs/web-rig.ts';
import { headerOf, valuesOf } from '../../support/sockets/raw-connection.ts';
import { RawEndpoint } from '../../support/sockets/raw-endpoint.ts';

const CHUNKED = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';

describe('an exchange through the engine uws', () => {
  let raw: RawEndpoint;
  let rig: WebRig;

  before(async () => {
    raw = await RawEndpoint.listen();
    rig = await WebRig.start({
      listeners: { web: { engine: 'uws' } },
      clusters: { app: { endpoints: [raw.address] } },
    });
  });
  after(async () => {
    raw.close();
    await rig.stop();
  });

  const { meet } = rawClient(
    () => raw,
    () => rig.address('web'),
  );

  it('may have 98 header lines, and not one more', async () => {
    const lines = Array.from({ length: 97 }, (_, index) => `X-${index}: a`);
    const { client, endpoint } = await meet(get(...lines));
    endpoint.write('HTTP/1.1 204 No Content\r\n\r\n');
    assert.match((await client.head()).startLine, / 204 /);
    client.write(get(...lines, 'X-97: a'));
    assert.match((await client.head()).startLine, / 431 /);
    client.destroy();
  });

  it('ends without trailers, and never announces or requests them', async () => {
    const { client, endpoint, head } = await meet(get('TE: trailers', 'Connection: TE'));
    assert.equal(headerOf(head, 'te'), undefined);
    endpoint.write(`${CHUNKED.replace('\r\n', '\r\nTrailer: X-Sum\r\n')}2\r\nab\r\n0\r\nX-Sum: 1\r\n\r\n`);
    assert.equal(headerOf(await client.head(), 'trailer'), undefined);
    assert.equal((await client.bytes(12)).toString(), '2\r\nab\r\n0\r\n\r\n');
    client.destroy();
  });

  it("begins with the final response, whose Date is the proxy's", async () => {
    const { client, endpoint } = await meet(get());
    endpoint.write('HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n');
    endpoint.write('HTTP/1.1 200 OK\r\nDate: Mon, 06 May 2024 07:08:09 GMT\r\nContent-Length: 0\r\n\r\n');
    const head = await client.head();
    assert.match(head.startLine, / 200 /);
    assert.equal(valuesOf(head, 'date').length, 1);
    assert.ok(Math.abs(Date.parse(headerOf(head, 'date')!) - Date.now()) < 10_000);
    client.destroy();
  });

  it('that is an event stream begins with a comment, which brings the head', async () => {
    const { client, endpoint } = await meet(get('Accept: text/event-stream'));
    endpoint.write(CHUNKED.replace('\r\n', '\r\nContent-Type: text/event-stream\r\n'));
    await client.head();
    assert.equal((await client.bytes(6)).toString(), '3\r\n:\n\n');
    for (const event of ['data: 1\n\n', 'data: 2\n\n']) {
      endpoint.write(`9\r\n${event}\r\n`);
      assert.equal((await client.bytes(14)).toString(), `\r\n9\r\n${event}`);
    }
    client.destroy();
  });
});
