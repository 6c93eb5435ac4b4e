import type { FrameReader } from '../../../wire/frames/frame-reader.ts';
import type { DownstreamSocket } from '../../contract/downstream-socket.ts';

// Arguments of the one shared callback: a closure for each read would be garbage for each read.
let corkedReader: FrameReader | null = null;
let corkedInput: Buffer = Buffer.alloc(0);
let corkedStart = 0;
let corkedEnd = 0;
function onCorked(): void {
  corkedReader?.read(corkedInput, corkedStart, corkedEnd);
}

interface HeldClose {
  readonly code: number;
  readonly reason: Uint8Array | string;
}

/** The close frame that {@link holdClose} keeps until the end of the cork. */
let held: HeldClose | null = null;

/**
 * Reads frames from `input[start, end)`, and gathers what the reader sends the client into one write. A close frame is sent
 * behind it: `DownstreamSocket.end` may not be called within `cork`.
 */
export function readCorked(
  downstream: DownstreamSocket,
  reader: FrameReader,
  input: Buffer,
  start: number,
  end: number,
): void {
  corkedReader = reader;
  corkedInput = input;
  corkedStart = start;
  corkedEnd = end;
  downstream.cork(onCorked);
  corkedReader = null;
  if (held === null) return;
  const { code, reason } = held;
  held = null;
  downstream.end(code, reason);
}

/**
 * Holds a close frame if the reader is within {@link readCorked}. Returns whether it is.
 *
 * @param reason valid until the end of the read
 */
export function holdClose(reader: FrameReader, code: number, reason: Uint8Array | string): boolean {
  if (corkedReader !== reader) return false;
  held = { code, reason };
  return true;
}

/** Drops the close frame that {@link holdClose} holds: the client's connection has gone. */
export function dropHeldClose(reader: FrameReader): void {
  if (corkedReader === reader) held = null;
}
