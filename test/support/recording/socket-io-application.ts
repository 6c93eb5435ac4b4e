/** Socket.IO over WebSockets alone: without long polling, as large installations run it. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { Server } from 'socket.io';
import { io } from 'socket.io-client';
import { DEADLINE_MS, within } from '../deadline.ts';
import { listenOn, type Application } from './application.ts';

/** Starts a server that answers `say`, sends `news` to a client that joins, and returns binary attachments reversed. */
export async function startSocketIo(): Promise<Application> {
  const http = createServer();
  const server = new Server(http, { transports: ['websocket'] });
  server.on('connection', (socket) => {
    socket.emit('news', { headline: 'welcome', reader: { token: 'secret-of-socket-io' } });
    socket.on('say', (text: string, answer: (text: string) => void) => answer(`heard: ${text}`));
    socket.on('reverse', (bytes: Buffer, answer: (bytes: Buffer) => void) =>
      answer(Buffer.from(bytes).reverse()),
    );
  });
  return {
    name: 'Socket.IO',
    address: await listenOn(http),
    path: '/socket.io/',
    converse,
    close: async () => {
      await server.close();
    },
  };
}

async function converse(address: string): Promise<void> {
  const client = io(`http://${address}`, { transports: ['websocket'], forceNew: true, reconnection: false });
  try {
    const news = new Promise<{ headline: string }>((settle) => client.once('news', settle));
    await within(
      'the connection',
      new Promise<void>((settle, fail) => {
        client.once('connect', settle);
        client.once('connect_error', fail);
      }),
    );
    assert.equal((await within('the news', news)).headline, 'welcome');
    const ask = client.timeout(DEADLINE_MS);
    for (const text of ['one', 'two', 'three'])
      assert.equal(await ask.emitWithAck('say', text), `heard: ${text}`);
    const reversed = (await ask.emitWithAck('reverse', Buffer.from([1, 2, 3]))) as Buffer;
    assert.deepEqual([...reversed], [3, 2, 1]);
  } finally {
    const left = new Promise((settle) => client.io.engine.once('close', settle));
    client.close();
    await within('the end of the transport', left);
  }
}
