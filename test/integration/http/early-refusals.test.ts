/** Answers to clients that are refused while they still send the body of their request. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { WebRig } from '../../support/rigs/web-rig.ts';
import { RawConnection, headerOf, type RawHead } from '../../support/sockets/raw-connection.ts';
import { RawEndpoint } from '../../support/sockets/raw-endpoint.ts';

const MIB = 1024 * 1024;

describe('a refusal while the body of the request is still coming', () => {
  /** Paths that the endpoint was asked for. */
  const asked = new Set<string>();
  let endpoint: RawEndpoint;
  let rig: WebRig;

  before(async () => {
    endpoint = await RawEndpoint.listen(async (connection) => {
      const { startLine } = await connection.head().catch(() => ({ startLine: '' }));
      asked.add(startLine.split(' ')[1] ?? '');
      const isWhole = startLine.startsWith('GET');
      connection.socket.end(`HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n${isWhole ? 'ok' : ''}`);
    });
    rig = await WebRig.start({
      listeners: { web: { http: { maxBodySize: '1MiB' } } },
      clusters: { app: { endpoints: [endpoint.address], retries: 0 } },
    });
  });
  after(async () => {
    endpoint.close();
    await rig.stop();
  });

  /** Sends a POST's head and the beginning of its body. */
  async function begin(framing: string, body: Buffer): Promise<[RawConnection, RawHead]> {
    const client = await RawConnection.connect(rig.address('web'));
    client.write(`POST /upload HTTP/1.1\r\nHost: a\r\n${framing}\r\n\r\n`);
    client.write(body);
    const head = await client.head();
    await client.bytes(Number(headerOf(head, 'content-length')));
    return [client, head];
  }

  async function asksAgain(client: RawConnection): Promise<void> {
    client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    assert.match((await client.head()).startLine, / 200 /);
    assert.equal((await client.bytes(2)).toString(), 'ok');
    client.destroy();
  }

  it('drops the rest if its length is known, and serves the next request: 502', async () => {
    const [client, head] = await begin(`Content-Length: ${MIB}`, Buffer.alloc(100_000));
    assert.match(head.startLine, / 502 /);
    client.write(Buffer.alloc(MIB - 100_000));
    await asksAgain(client);
  });

  it('drops the rest if its length is known, and serves the next request: 413', async () => {
    const [client, head] = await begin(`Content-Length: ${8 * MIB}`, Buffer.alloc(100_000));
    assert.match(head.startLine, / 413 /);
    client.write(Buffer.alloc(8 * MIB - 100_000));
    await asksAgain(client);
  });

  it('closes the connection if the rest is known to be large', async () => {
    const [client, head] = await begin('Content-Length: 70000000', Buffer.alloc(0));
    assert.match(head.startLine, / 413 /);
    assert.equal(headerOf(head, 'connection'), 'close');
    assert.equal((await client.rest()).length, 0);
  });

  it('gives a HEAD the same length as a GET, and serves no request after it', async () => {
    const lengths: (string | undefined)[] = [];
    for (const method of ['GET', 'HEAD']) {
      const client = await RawConnection.connect(rig.address('web'));
      client.write(`${method} /%2e%2e/a HTTP/1.1\r\nHost: a b\r\n\r\n`);
      const head = await client.head();
      assert.match(head.startLine, / 400 /);
      assert.equal(headerOf(head, 'connection'), 'close');
      lengths.push(headerOf(head, 'content-length'));
      client.write('GET /behind HTTP/1.1\r\nHost: a\r\n\r\n');
      await asksAgain(await RawConnection.connect(rig.address('web')));
      client.destroy();
    }
    assert.notEqual(lengths[0], '0');
    assert.equal(lengths[1], lengths[0]);
    assert.ok(asked.has('/') && !asked.has('/behind'));
  });
});
