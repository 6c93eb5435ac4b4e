import assert from 'node:assert/strict';
import type { RequestListener } from 'node:http';
import { describe, it } from 'node:test';
import { fetchKeySet, type FetchedKeySet } from '../../../src/primary/access/key-sets/key-set-request.ts';
import { HttpEndpoint } from '../../support/http/http-endpoint.ts';

const KEYS = '{"keys":[{"kty":"EC"},{"kty":"RSA"}]}';

/** Fetches from a server that answers in some way. */
async function fetchFrom(listener: RequestListener, path = '/keys'): Promise<FetchedKeySet> {
  const server = await HttpEndpoint.listen(listener);
  try {
    return await fetchKeySet(`http://${server.address}${path}`, new AbortController().signal);
  } finally {
    server.close();
  }
}

const redirectTo =
  (location: string): RequestListener =>
  (_request, response) =>
    response.writeHead(302, { location }).end();

describe('a fetch of a key set', () => {
  it('brings the text, the number of keys and how long they last', async () => {
    const found = await fetchFrom((request, response) => {
      assert.equal(request.method, 'GET');
      assert.equal(request.url, '/keys?tenant=1');
      response.setHeader('cache-control', 'public, max-age=300, must-revalidate');
      response.end(KEYS);
    }, '/keys?tenant=1');
    assert.deepEqual(found, { jwks: KEYS, keys: 2, maxAgeMs: 300_000 });
  });

  it('follows redirects within this machine, but not without end', async () => {
    let visits = 0;
    const found = await fetchFrom((request, response) => {
      visits++;
      if (request.url === '/keys') response.writeHead(307, { location: '/moved' }).end();
      else response.end(KEYS);
    });
    assert.equal(found.keys, 2);
    assert.equal(visits, 2);
    await assert.rejects(fetchFrom(redirectTo('/keys')), { message: 'more than 3 redirects' });
  });

  it('follows no redirect, because it could change the keys', async () => {
    for (const location of [
      'http://192.0.2.1/keys',
      'ftp://127.0.0.1/keys',
      'file:///etc/passwd',
      'data:,{}',
    ]) {
      await assert.rejects(fetchFrom(redirectTo(location)), {
        message: 'redirect away from https',
      });
    }
    await assert.rejects(fetchFrom(redirectTo('http://[::')), { message: 'redirect to an invalid URL' });
  });

  it('fails on any other status, and on an invalid key set', async () => {
    for (const status of [204, 304, 404, 500]) {
      const fetched = fetchFrom((_request, response) => response.writeHead(status).end());
      await assert.rejects(fetched, { message: `status ${status}` });
    }
    await assert.rejects(
      fetchFrom((_request, response) => response.end('<html>')),
      { message: 'not JSON' },
    );
  });

  it('reads no more than 512 KiB', async () => {
    let written = 0;
    const endless: RequestListener = (_request, response) => {
      const write = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536, ' '))) written += 65_536;
      };
      response.on('drain', write);
      write();
    };
    await assert.rejects(fetchFrom(endless), { message: 'more than 512 KiB' });
    assert.ok(written < 32 * 1024 * 1024);
  });

  it('ends after 5 seconds if the server is silent or slow', async () => {
    const silent = fetchFrom(() => undefined);
    const dripping = fetchFrom((_request, response) => {
      const timer = setInterval(() => response.write(' '), 50);
      response.on('close', () => clearInterval(timer));
    });
    for (const fetched of [silent, dripping]) {
      await assert.rejects(fetched, { message: 'no answer within 5 s' });
    }
  });

  it('ends when it is cancelled, and when the server cuts the answer', async () => {
    const stop = new AbortController();
    const server = await HttpEndpoint.listen(() => stop.abort());
    await assert.rejects(fetchKeySet(`http://${server.address}/`, stop.signal), { name: 'AbortError' });
    server.close();
    const cut = fetchFrom((_request, response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('{');
      response.once('drain', () => response.destroy());
      setImmediate(() => response.destroy());
    });
    await assert.rejects(cut);
  });
});
