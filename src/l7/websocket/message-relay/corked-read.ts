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

/** Reads frames from `input[start, end)`, and gathers what the reader sends the client into one write. */
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
}
