import type { FrameReader } from '../../../wire/frames/frame-reader.ts';
import type { DownstreamSocket } from '../../contract/downstream-socket.ts';

// Arguments of one shared callback, because a closure per read would be garbage.
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

/** The close frame that {@link holdClose} delays until the end of the cork, or null. */
let held: HeldClose | null = null;

/**
 * Reads frames from `input[start, end)`, and combines the resulting output to the client into one write. A
 * close frame is sent after the write: `DownstreamSocket.end` must not be called inside `cork`.
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
 * Delays a close frame if the reader is inside {@link readCorked}. Returns whether it is.
 *
 * @param reason valid until the end of the read
 */
export function holdClose(reader: FrameReader, code: number, reason: Uint8Array | string): boolean {
  if (corkedReader !== reader) return false;
  held = { code, reason };
  return true;
}

/** Drops a delayed close frame, because the client's connection is closed. */
export function dropHeldClose(reader: FrameReader): void {
  if (corkedReader === reader) held = null;
}
