import type { WebSocket } from 'ws';
import type { DemoApp } from './backend.ts';

const HIGH_WATER = 1024 * 1024;
const LOW_WATER = HIGH_WATER / 2;
const STALL_MS = 60_000;
const TEXT = { binary: false };
const BINARY = { binary: true };

/**
 * Sends every message back unchanged. A client of the subprotocol `sluice.demo` first gets the name of the
 * endpoint as JSON text.
 */
export const echo: DemoApp = {
  name: 'echo app',
  description:
    'Open a WebSocket: every message comes back as it was sent. With the subprotocol sluice.demo the first ' +
    'message names the endpoint.',
  maxMessageSize: 16 * 1024 * 1024,
  subprotocol: 'sluice.demo',
  connect: (socket, carriers) => {
    if (socket.protocol === 'sluice.demo') socket.send(JSON.stringify(carriers));
    echoMessages(socket);
  },
};

/** Stops reading from a client that does not read its echoes, and cuts it after a while. */
function echoMessages(socket: WebSocket): void {
  let stalled: NodeJS.Timeout | null = null;
  const sent = (): void => {
    if (stalled === null || socket.bufferedAmount > LOW_WATER) return;
    clearTimeout(stalled);
    stalled = null;
    socket.resume();
  };
  socket.on('message', (data, isBinary) => {
    // `ws` delivers Buffers unless its binaryType is changed.
    socket.send(data as Buffer, isBinary ? BINARY : TEXT, sent);
    if (stalled !== null || socket.bufferedAmount <= HIGH_WATER) return;
    socket.pause();
    stalled = setTimeout(() => socket.terminate(), STALL_MS);
  });
  socket.once('close', () => {
    if (stalled !== null) clearTimeout(stalled);
  });
}
