import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { describe, it } from 'node:test';
import { askAdmin } from '../../../../src/primary/process/admin-request.ts';
import { within } from '../../../support/deadline.ts';

const HEAD = 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nso far';

/** Asks a server that reads the request and then does something. */
async function ask(behave: (socket: Socket) => void, timeoutMs = 60_000): Promise<unknown> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => behave(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const admin = { address: { kind: 'tcp', host: '127.0.0.1', port }, token: 'a-token' } as const;
  try {
    return await within('the answer', askAdmin(admin, 'GET', '/status', timeoutMs));
  } finally {
    server.close();
  }
}

describe('a request to the admin address', { timeout: 300_000 }, () => {
  it('returns the status, the media type and the body, for any status', async () => {
    const answer = 'HTTP/1.1 409 Conflict\r\nContent-Length: 4\r\nConnection: close\r\n';
    assert.deepEqual(
      await ask((socket) => socket.end(`${answer}Content-Type: text/Plain; a=b\r\n\r\nbusy`)),
      {
        status: 409,
        mediaType: 'text/plain',
        body: 'busy',
      },
    );
    assert.deepEqual(await ask((socket) => socket.end(`${answer}\r\nbusy`)), {
      status: 409,
      mediaType: '',
      body: 'busy',
    });
  });

  it('rejects, without an uncaught error, if the connection breaks before or after the head', async () => {
    await assert.rejects(
      ask((socket) => socket.resetAndDestroy()),
      { code: 'ECONNRESET' },
    );
    await assert.rejects(
      ask((socket) => socket.write(HEAD, () => setImmediate(() => socket.resetAndDestroy()))),
      { code: 'ECONNRESET' },
    );
  });

  it('rejects if the answer does not end in time', async () => {
    await assert.rejects(
      ask((socket) => socket.write(HEAD), 300),
      (error: Error) => /abort|timeout/i.test(`${error.name} ${error.message}`),
    );
  });
});
