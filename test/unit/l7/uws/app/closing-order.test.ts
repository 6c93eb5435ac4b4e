import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { resolve } from 'node:path';
import { describe, it } from 'node:test';
import { unsupportedReason } from '../../../../../src/sys/support.ts';
import { within } from '../../../../support/deadline.ts';
import { freePorts } from '../../../../support/sockets/free-port.ts';

const CONNECTIONS = 8000;
const AT_ONCE = 20;
/** Bytes of each connection that uSockets loses. */
const LOST_BYTES = 450;
const FIXTURE = resolve(import.meta.dirname, 'fixtures/immediate-closer.ts');

/** Sends a request and waits until the server has closed the connection. */
function visit(port: number): Promise<void> {
  return new Promise((settle, fail) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n'));
    socket.on('data', () => undefined);
    socket.on('error', fail);
    socket.on('close', () => settle());
  });
}

async function visits(port: number): Promise<void> {
  let left = CONNECTIONS;
  const one = async (): Promise<void> => {
    while (left-- > 0) await visit(port);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, one));
}

describe('sockets of uWebSockets.js that immediates close', { skip: unsupportedReason() ?? false }, () => {
  it('leak no memory', async (t) => {
    const [port = 0] = await freePorts(1);
    const server = fork(FIXTURE, [String(port)]);
    try {
      const ask = async (): Promise<number> => {
        const answer = once(server, 'message');
        server.send('memory');
        return ((await within('the memory', answer)) as [number])[0];
      };
      await within('the server', once(server, 'message'));
      // The process grows to its working size first.
      await visits(port);
      const before = await ask();
      await visits(port);
      const growth = (await ask()) - before;
      t.diagnostic(`${growth} bytes more after ${CONNECTIONS} connections`);
      assert.ok(growth < (CONNECTIONS * LOST_BYTES) / 2, `${growth} bytes more`);
    } finally {
      server.kill('SIGKILL');
    }
  });
});
