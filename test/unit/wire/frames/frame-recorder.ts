import assert from 'node:assert/strict';
import fc from 'fast-check';
import { FrameReader } from '../../../../src/wire/frames/frame-reader.ts';

/** A finding of a reader, copied out of the callback. */
export type Found =
  | { readonly kind: 'message'; readonly binary: boolean; readonly data: Buffer; readonly pieces: number }
  | { readonly kind: 'ping'; readonly data: Buffer }
  | { readonly kind: 'pong' }
  | { readonly kind: 'close'; readonly code: number; readonly reason: Buffer }
  | { readonly kind: 'error'; readonly reason: string };

/** Puts fragments together and checks that they come as the contract says. */
export class FrameRecorder extends FrameReader {
  readonly found: Found[] = [];
  /** Callbacks so far, fragments one by one. */
  calls = 0;
  readonly #stopAt: number;
  #pieces: Buffer[] | null = null;
  #binary = false;

  /** @param stopAt the number of the callback, from 1, in which the reader is stopped */
  constructor(stopAt = Infinity) {
    super();
    this.#stopAt = stopAt;
  }

  /** Payload bytes of the incomplete message. */
  get inProgress(): number {
    return this.#pieces?.reduce((sum, piece) => sum + piece.length, 0) ?? 0;
  }

  override frameMessage(payload: Uint8Array, binary: boolean): void {
    assert.equal(this.#pieces, null, 'a whole message inside of a fragmented one');
    this.found.push({ kind: 'message', binary, data: Buffer.from(payload), pieces: 1 });
    this.#called();
  }

  override frameFragment(payload: Uint8Array, binary: boolean, first: boolean, last: boolean): void {
    assert.equal(this.#pieces === null, first, 'the first fragment, and no other, says that it is first');
    assert.ok(payload.length > 0 || last, 'an empty fragment that is not the last');
    assert.ok(!(first && last), 'a fragment that is the whole message');
    const pieces = (this.#pieces ??= []);
    if (first) this.#binary = binary;
    assert.equal(binary, this.#binary, 'a fragment of another kind than its message');
    pieces.push(Buffer.from(payload));
    if (last) {
      this.#pieces = null;
      this.found.push({ kind: 'message', binary, data: Buffer.concat(pieces), pieces: pieces.length });
    }
    this.#called();
  }

  override framePing(payload: Uint8Array): void {
    this.found.push({ kind: 'ping', data: Buffer.from(payload) });
    this.#called();
  }

  override framePong(): void {
    this.found.push({ kind: 'pong' });
    this.#called();
  }

  override frameClose(code: number, reason: Uint8Array): void {
    this.found.push({ kind: 'close', code, reason: Buffer.from(reason) });
    this.#called();
  }

  override frameError(reason: string): void {
    this.found.push({ kind: 'error', reason });
    this.#called();
  }

  #called(): void {
    this.calls++;
    if (this.calls === this.#stopAt) this.stop();
  }
}

/** Bytes that the reader must not look at: the head of a masked close frame, if it does. */
const GARBAGE = 0x88;
const MARGIN = 16;

/**
 * One buffer for all reads, as the sockets of a thread have it: at an odd place of its memory, with garbage
 * around the input, and overwritten after each read, so that a view that was kept shows.
 */
const shared = Buffer.allocUnsafeSlow(256 * 1024 + 3).subarray(3);

/** Feeds the bytes in reads of the given sizes, the last of them again and again. */
export function feed(
  recorder: FrameRecorder,
  bytes: Buffer,
  sizes: readonly number[],
  afterRead: (() => void) | null = null,
): void {
  let at = 0;
  for (let turn = 0; at < bytes.length; turn++) {
    const wanted = sizes[Math.min(turn, sizes.length - 1)]!;
    // Every other read starts where the previous read might have ended.
    const start = (turn % 2) * MARGIN;
    const size = Math.min(wanted, bytes.length - at, shared.length - 2 * MARGIN);
    const end = start + size;
    shared.fill(GARBAGE, 0, start);
    bytes.copy(shared, start, at, at + size);
    shared.fill(GARBAGE, end, end + MARGIN);
    recorder.read(shared, start, end);
    shared.fill(GARBAGE, start, end);
    at += size;
    afterRead?.();
  }
}

/** Bytes for payloads, without a short period. */
export const pool = Buffer.from(
  Array.from({ length: 100_000 }, (_, index) => (index * 31 + (index >> 8)) & 0xff),
);

/** The sizes of the reads in which bytes arrive. */
export const readSizes = fc.oneof(
  fc.constant([Infinity]),
  fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 30 }),
  fc.array(fc.oneof(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 70_000 })), {
    minLength: 1,
    maxLength: 30,
  }),
);
