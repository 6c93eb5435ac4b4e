/** Messages between two ends of a WebSocket, compared with what was sent. */
import assert from 'node:assert/strict';
import { within } from '../deadline.ts';
import { MessageStream, type StreamMessage } from './message-stream.ts';
import type { WsPeer } from './ws-peer.ts';

/** Messages of one call of {@link exchangeMessages}, in each direction. */
export const MESSAGES = 10_000;
/** Max bytes on the way: they fit into the proxy's buffer for a slow endpoint. */
const WINDOW_BYTES = 8 * 1024 * 1024;

/**
 * Sends a stream of messages from the client, echoes them at the endpoint, and compares on both sides.
 *
 * @returns the bytes of all messages
 */
export async function exchangeMessages(client: WsPeer, endpoint: WsPeer, seed: number): Promise<number> {
  const stream = new MessageStream(seed);
  const toEndpoint: StreamMessage[] = [];
  const toClient: StreamMessage[] = [];
  let sent = 0;
  let echoed = 0;
  let bytes = 0;
  let inFlightBytes = 0;
  const send = (): void => {
    while (sent < MESSAGES && inFlightBytes < WINDOW_BYTES) {
      const message = stream.next();
      sent++;
      bytes += message.data.length;
      inFlightBytes += message.data.length;
      toEndpoint.push(message);
      toClient.push(message);
      client.socket.send(message.data, { binary: message.isBinary });
    }
  };
  const done = new Promise<void>((settle, fail) => {
    const receive = (
      { socket }: WsPeer,
      expected: StreamMessage[],
      then: (message: StreamMessage) => void,
    ): void => {
      socket.removeAllListeners('message');
      socket.on('message', (data, isBinary) => {
        try {
          const message = { data: data as Buffer, isBinary };
          assertMessage(message, expected.shift());
          then(message);
        } catch (error) {
          fail(error instanceof Error ? error : new Error(String(error)));
        }
      });
      socket.once('close', (code) => fail(new Error(`closed with ${code} after ${echoed} messages`)));
    };
    receive(endpoint, toEndpoint, ({ data, isBinary }) => endpoint.socket.send(data, { binary: isBinary }));
    receive(client, toClient, ({ data }) => {
      inFlightBytes -= data.length;
      if (++echoed === MESSAGES) settle();
      else send();
    });
  });
  send();
  await within('the last echo', done, 120_000);
  return bytes;
}

/** Asserts that a message came as it was sent. */
export function assertMessage(actual: StreamMessage, expected: StreamMessage | undefined): void {
  assert.ok(expected !== undefined, 'a message that was never sent');
  assert.equal(actual.isBinary, expected.isBinary);
  assert.equal(actual.data.length, expected.data.length);
  // Not by assert: it would print megabytes.
  assert.ok(actual.data.equals(expected.data), `the content of ${expected.data.length} bytes`);
}

/** Sends a message in fragments of `size` bytes. */
export function sendInFragments({ socket }: WsPeer, data: Buffer, size: number, isBinary: boolean): void {
  for (let at = 0; at < data.length; at += size) {
    socket.send(data.subarray(at, at + size), { binary: isBinary, fin: at + size >= data.length });
  }
}
