/** Many clients at once, each with a different body: no byte may reach another client. */
import assert from 'node:assert/strict';
import { createServer, get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { within } from '../../support/deadline.ts';
import { WebRig } from '../../support/rigs/web-rig.ts';

const BODY_BYTES = 500_000;
const ROUNDS = 20;

describe('many clients at once', { timeout: 300_000 }, () => {
  // /known/A answers with As of a known length, /chunks/A with As in chunks.
  const endpoint = createServer((request, response) => {
    const [, kind, letter = ''] = (request.url ?? '').split('/');
    if (kind === 'known') response.setHeader('content-length', BODY_BYTES);
    else response.write(letter.repeat(10));
    response.end(Buffer.alloc(kind === 'known' ? BODY_BYTES : BODY_BYTES - 10, letter));
  });
  let rig: WebRig;

  before(async () => {
    await new Promise<void>((settle) => endpoint.listen(0, '127.0.0.1', settle));
    const { port } = endpoint.address() as AddressInfo;
    rig = await WebRig.start({
      workers: { l7: 1 },
      listeners: { web: {} },
      clusters: { app: { endpoints: [`127.0.0.1:${port}`] } },
    });
  });
  after(async () => {
    await rig.stop();
    endpoint.closeAllConnections();
    endpoint.close();
  });

  function fetchBody(path: string): Promise<Buffer> {
    return new Promise((settle, fail) => {
      get(`http://${rig.address('web')}${path}`, { agent: false }, (response) => {
        buffer(response).then(settle, fail);
      }).once('error', fail);
    });
  }

  for (const kind of ['known', 'chunks']) {
    it(`each get their own bytes (${kind === 'known' ? 'with a known length' : 'in chunks'})`, async () => {
      const visit = async (letter: string): Promise<void> => {
        for (let round = 0; round < ROUNDS; round++) {
          const body = await fetchBody(`/${kind}/${letter}`);
          assert.equal(body.length, BODY_BYTES);
          assert.ok(body.equals(Buffer.alloc(BODY_BYTES, letter)), `bytes of others came to ${letter}`);
        }
      };
      await within('all bodies', Promise.all(Array.from('ABCDEFGHIJ', visit)));
    });
  }
});
