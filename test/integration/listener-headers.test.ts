import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { RawConnection, switchingProtocols, upgradeRequest, valuesOf } from '../support/raw-connection.ts';
import type { RawHead } from '../support/raw-connection.ts';
import { RawEndpoint } from '../support/raw-endpoint.ts';
import { WebRig } from '../support/web-rig.ts';

/** What the endpoint got, and what the client got. */
interface Passage {
  readonly upstream: RawHead;
  readonly downstream: RawHead;
}

describe('what a listener says about headers', () => {
  let endpoint: RawEndpoint;
  let rig: WebRig;

  before(async () => {
    endpoint = await RawEndpoint.listen();
    const edits = { request: { remove: ['via'] }, response: { remove: ['via'] } };
    const routes = [
      { match: { pathPrefix: '/edited' }, cluster: 'raw', headers: edits },
      { match: {}, cluster: 'raw' },
    ];
    rig = await WebRig.start({
      listeners: { web: { routes }, via: { routes, via: true } },
      clusters: { raw: { endpoints: [endpoint.address] } },
    });
  });
  after(async () => {
    endpoint.close();
    await rig.stop();
  });

  const get = (path: string, ...lines: string[]): string =>
    [`GET ${path} HTTP/1.1`, 'Host: app.example', ...lines, '', ''].join('\r\n');

  /** @param answer made of the request that the endpoint gets */
  async function pass(
    listener: string,
    request: string,
    answer: (head: RawHead) => string,
  ): Promise<Passage> {
    endpoint.clear();
    const client = await RawConnection.connect(rig.address(listener));
    try {
      client.write(request);
      const { connection, head: upstream } = await endpoint.request();
      connection.write(answer(upstream));
      return { upstream, downstream: await client.head() };
    } finally {
      client.destroy();
    }
  }

  describe('Via', () => {
    const reply =
      (status: string, version = '1.1') =>
      (): string =>
        `HTTP/${version} ${status}\r\nVia: 1.1 inner\r\nContent-Length: 0\r\n\r\n`;
    const upgrade = (path: string): string => upgradeRequest('app.example', ['Via: 1.0 outer'], path);
    const accept = (head: RawHead): string => switchingProtocols(head, ['Via: 1.1 inner']);
    const vias = ({ upstream, downstream }: Passage): string[][] => [
      valuesOf(upstream, 'via'),
      valuesOf(downstream, 'via'),
    ];
    const passages = async (listener: string, path: string): Promise<string[][][]> => [
      vias(await pass(listener, get(path, 'Via: 1.0 outer'), reply('200 OK'))),
      vias(await pass(listener, upgrade(path), accept)),
      vias(await pass(listener, upgrade(path), reply('403 Forbidden'))),
    ];

    it('is not added, and that of others goes on', async () => {
      assert.deepEqual(await passages('web', '/'), Array(3).fill([['1.0 outer'], ['1.1 inner']]));
      const alone = await pass('web', get('/'), () => 'HTTP/1.1 204 No Content\r\n\r\n');
      assert.deepEqual(vias(alone), [[], []]);
    });

    it('is added to requests and responses if the listener says so', async () => {
      const added = [
        ['1.0 outer', '1.1 sluice'],
        ['1.1 inner', '1.1 sluice'],
      ];
      assert.deepEqual(await passages('via', '/'), Array(3).fill(added));
      const old = await pass('via', get('/'), reply('200 OK', '1.0'));
      assert.deepEqual(vias(old), [['1.1 sluice'], ['1.1 inner', '1.0 sluice']]);
    });

    it('is removed with that of others if the route says so', async () => {
      for (const listener of ['web', 'via']) {
        assert.deepEqual(await passages(listener, '/edited'), Array(3).fill([[], []]), listener);
      }
    });
  });
});
