/** The frame codec of the `ws` package, which its types leave out. */
import type { Writable } from 'node:stream';
import * as ws from 'ws';

interface ForeignSender {
  frame(
    data: Buffer,
    options: { opcode: number; fin: boolean; mask: boolean; readOnly: boolean; rsv1: boolean },
  ): Buffer[];
}

type ForeignReceiver = new (options: { isServer: boolean }) => Writable;

const { Sender, Receiver } = ws as unknown as {
  readonly Sender: ForeignSender;
  readonly Receiver: ForeignReceiver;
};

/** Encodes a frame like a server. */
export function serverFrame(opcode: number, payload: Buffer, fin = true): Buffer {
  return Buffer.concat(Sender.frame(payload, { opcode, fin, mask: false, readOnly: true, rsv1: false }));
}

/** A message, ping, pong or close that a server has read from a client's bytes. */
export interface Received {
  readonly kind: 'message' | 'ping' | 'pong' | 'conclude';
  readonly data: Buffer;
  /** Whether a message is binary; false for other kinds. */
  readonly isBinary: boolean;
  /** Code of a close frame, 1005 for none; 0 for other kinds. */
  readonly code: number;
}

/** Reads a client's frames like a server. Throws if they are wrong. */
export function receiveAsServer(bytes: Buffer): Received[] {
  const received: Received[] = [];
  let failure: unknown = null;
  const receiver = new Receiver({ isServer: true });
  receiver.on('error', (error) => (failure ??= error));
  receiver.on('message', (data: Buffer, isBinary: boolean) => {
    received.push({ kind: 'message', data: Buffer.from(data), isBinary, code: 0 });
  });
  for (const kind of ['ping', 'pong'] as const) {
    receiver.on(kind, (data: Buffer) => {
      received.push({ kind, data: Buffer.from(data), isBinary: false, code: 0 });
    });
  }
  receiver.on('conclude', (code: number, reason: Buffer) => {
    received.push({ kind: 'conclude', data: Buffer.from(reason), isBinary: false, code });
  });
  receiver.write(bytes, (error) => (failure ??= error ?? null));
  if (failure instanceof Error) throw failure;
  return received;
}
