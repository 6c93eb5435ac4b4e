import assert from 'node:assert/strict';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { describe, it } from 'node:test';
import { nativeCalls } from '../../../src/sys/native-calls.ts';
import { PinnedBuffer, addressWithin } from '../../../src/sys/pinned-buffer.ts';
import { limitReceiveBuffers } from '../../../src/sys/receive-buffer.ts';
import { unsupportedReason } from '../../../src/sys/support.ts';

const skip = unsupportedReason() ?? false;
const BYTES = 64 * 1024;
const SOL_SOCKET = 1;
const SO_RCVBUF = 8;

describe('the limit of receive buffers', { skip }, () => {
  for (const host of ['127.0.0.1', '::1', '::']) {
    it(`holds for what is accepted at ${host} from then on, and for no other port`, async () => {
      const [limited, other] = await Promise.all([listen(host), listen(host)]);
      const before = await acceptedBound(limited.accept);
      assert.equal(limitReceiveBuffers(limited.port, BYTES), 1);
      // The system doubles it.
      assert.equal(await acceptedBound(limited.accept), 2 * BYTES);
      assert.equal(await acceptedBound(other.accept), before);
      limited.close();
      other.close();
      assert.equal(limitReceiveBuffers(limited.port, BYTES), 0);
    });
  }
});

interface Listener {
  readonly port: number;
  readonly accept: () => Promise<Socket>;
  readonly close: () => void;
}

async function listen(host: string): Promise<Listener> {
  const server = createServer();
  await new Promise<void>((settle) => server.listen(0, host, settle));
  const { port } = server.address() as AddressInfo;
  return {
    port,
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

/** What the system takes for the bound of a connection that it accepts now. */
async function acceptedBound(accept: () => Promise<Socket>): Promise<number> {
  const socket = await accept();
  const { _handle: handle } = socket as unknown as { readonly _handle: { readonly fd: number } };
  const memory = new PinnedBuffer(8);
  memory.bytes.writeInt32LE(4, 4);
  const [value, length] = [addressWithin(memory, 0, 4), addressWithin(memory, 4, 8)];
  assert.equal(nativeCalls().getsockopt(handle.fd, SOL_SOCKET, SO_RCVBUF, value, length), 0);
  socket.destroy();
  return memory.bytes.readInt32LE(0);
}
