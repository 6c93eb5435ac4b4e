import assert from 'node:assert/strict';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { describe, it } from 'node:test';
import { nativeCalls } from '../../../../src/sys/native-calls.ts';
import { PinnedBuffer, addressWithin } from '../../../../src/sys/memory/pinned-buffer.ts';
import {
  findListening,
  limitReceiveBuffers,
  limitUnsent,
} from '../../../../src/sys/sockets/listening-sockets.ts';
import { SOL_SOCKET, SO_RCVBUF } from '../../../../src/sys/socket-constants.ts';
import { unsupportedReason } from '../../../../src/sys/support.ts';

const skip = unsupportedReason() ?? false;
const BYTES = 64 * 1024;

describe('the limits of a listening socket', { skip }, () => {
  for (const host of ['127.0.0.1', '::1', '::']) {
    it(`hold for bytes received at ${host} from then on, and for no other socket`, async () => {
      const [limited, other] = await Promise.all([listen(host), listen(host)]);
      const before = await acceptedBuffer(limited.accept);
      assert.ok(limitReceiveBuffers(limited.fd, BYTES));
      // The system doubles it.
      assert.equal(await acceptedBuffer(limited.accept), 2 * BYTES);
      assert.equal(await acceptedBuffer(other.accept), before);
      limited.close();
      other.close();
      assert.ok(!limitReceiveBuffers(1_000_000, BYTES));
    });
    it(`hold for unsent bytes at ${host} from then on, and for no other socket`, async () => {
      const [limited, other] = await Promise.all([listen(host), listen(host)]);
      const before = await takenAt(limited.accept);
      assert.ok(limitUnsent(limited.fd, BYTES));
      const after = await takenAt(limited.accept);
      const elsewhere = await takenAt(other.accept);
      // The buffer on the client's side comes on top.
      assert.ok(after < before / 2 && elsewhere > before / 2, `${before}, ${after}, ${elsewhere}`);
      limited.close();
      other.close();
    });
  }
});

interface Listener {
  readonly fd: number;
  readonly accept: () => Promise<Socket>;
  readonly close: () => void;
}

async function listen(host: string): Promise<Listener> {
  const server = createServer();
  await new Promise<void>((settle) => server.listen(0, host, settle));
  const { port } = server.address() as AddressInfo;
  const [fd = -1] = findListening(port);
  return {
    fd,
    accept: () =>
      new Promise((settle) => {
        const client = connect({ port, host: host === '::' ? '127.0.0.1' : host });
        server.once('connection', (socket) => {
          socket.once('close', () => client.destroy());
          settle(socket);
        });
      }),
    close: () => server.close(),
  };
}

/** Returns the receive buffer, in bytes, of a connection that the system accepts now. */
async function acceptedBuffer(accept: () => Promise<Socket>): Promise<number> {
  const socket = await accept();
  const { _handle: handle } = socket as unknown as { readonly _handle: { readonly fd: number } };
  const memory = new PinnedBuffer(8);
  memory.bytes.writeInt32LE(4, 4);
  const [value, length] = [addressWithin(memory, 0, 4), addressWithin(memory, 4, 8)];
  assert.equal(nativeCalls().getsockopt(handle.fd, SOL_SOCKET, SO_RCVBUF, value, length), 0);
  socket.destroy();
  return memory.bytes.readInt32LE(0);
}

/** Returns the number of bytes that the system takes for a client that does not read. */
async function takenAt(accept: () => Promise<Socket>): Promise<number> {
  const socket = await accept();
  const { _handle: handle } = socket as unknown as { readonly _handle: { readonly fd: number } };
  const bytes = new PinnedBuffer(BYTES);
  let taken = 0;
  for (let sent = 0; sent >= 0; sent = bytes.send(handle.fd, 0, BYTES)) taken += sent;
  socket.destroy();
  return taken;
}
