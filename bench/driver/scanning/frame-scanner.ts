import { CLOSE_NO_STATUS } from '../../../src/wire/frames/close-codes.ts';
import {
  OPCODE_BINARY,
  OPCODE_CLOSE,
  OPCODE_CONTINUATION,
  OPCODE_PING,
  OPCODE_PONG,
  OPCODE_TEXT,
} from '../../../src/wire/frames/opcodes.ts';
import type { ReplySink, Scanner } from './scanner.ts';

const FIN = 0x80;
const MASKED = 0x80;
const MAX_HEAD_BYTES = 10;
const MAX_CONTROL_BYTES = 125;
/** Max size of a buffer that is kept for the next split message. A larger one serves one message. */
const KEPT_BUFFER_BYTES = 512;
const NOTHING = Buffer.alloc(0);

/**
 * Counts the WebSocket messages of a server (RFC 6455 section 5). Skips payloads of any length, and copies
 * only control frames, split frame heads and the first bytes of split messages.
 */
export class FrameScanner implements Scanner {
  readonly #sink: ReplySink;
  readonly #head = Buffer.allocUnsafe(MAX_HEAD_BYTES);
  #headLength = 0;
  /** First byte of the current frame, and its remaining payload bytes. */
  #first = 0;
  #remaining = 0;
  /** Whether part of a message has arrived, and its length so far. */
  #inMessage = false;
  #messageLength = 0;
  #isText = false;
  readonly #keptBytes: number;
  #prefix = NOTHING;
  #prefixLength = 0;
  #control = NOTHING;
  #controlLength = 0;
  #stopped = false;

  /** @param keptBytes max first bytes of a split message that the sink needs */
  constructor(sink: ReplySink, keptBytes: number) {
    this.#sink = sink;
    this.#keptBytes = keptBytes;
  }

  scan(input: Buffer, length: number): void {
    let at = 0;
    while (at < length && !this.#stopped) {
      if (this.#remaining > 0) at = this.#payload(input, at, length);
      else if (this.#headLength > 0) at = this.#cutHead(input, at, length);
      else at = this.#frame(input, at, length);
    }
  }

  /** Reads a frame that starts in the input. */
  #frame(input: Buffer, at: number, end: number): number {
    if (end - at < 2) return this.#cutHead(input, at, end);
    const first = input[at]!;
    const second = input[at + 1]!;
    const head = headLength(second);
    if (end - at < head) return this.#cutHead(input, at, end);
    const length = payloadLength(input, at);
    const bodyEnd = at + head + length;
    if (bodyEnd <= end && !this.#inMessage && second < MASKED && isWholeMessage(first)) {
      this.#sink.replyMessage(length, input, at + head, length, isText(first));
      return bodyEnd;
    }
    this.#begin(first, second, length);
    return at + head;
  }

  /** Collects a split head byte by byte. */
  #cutHead(input: Buffer, from: number, end: number): number {
    let at = from;
    const head = this.#head;
    while (at < end) {
      head[this.#headLength++] = input[at++]!;
      if (this.#headLength < 2 || this.#headLength < headLength(head[1]!)) continue;
      this.#headLength = 0;
      this.#begin(head[0]!, head[1]!, payloadLength(head, 0));
      break;
    }
    return at;
  }

  #begin(first: number, second: number, length: number): void {
    const problem = this.#problemOf(first, second, length);
    if (problem !== null) {
      this.#stopped = true;
      this.#sink.replyError(problem);
      return;
    }
    this.#first = first;
    this.#remaining = length;
    if (isControl(first)) {
      this.#control = length === 0 ? NOTHING : Buffer.allocUnsafe(length);
      this.#controlLength = 0;
    } else {
      if (!this.#inMessage) this.#isText = isText(first);
      this.#inMessage = true;
      this.#messageLength += length;
    }
    if (length === 0) this.#frameDone();
  }

  #problemOf(first: number, second: number, length: number): string | null {
    if ((first & 0x70) !== 0) return 'reserved bit set';
    if (second >= MASKED) return 'masked frame from a server';
    const opcode = first & 0x0f;
    if (isControl(first)) {
      if (opcode > OPCODE_PONG) return 'unknown opcode';
      if ((first & FIN) === 0) return 'fragmented control frame';
      return length > MAX_CONTROL_BYTES ? 'control frame over 125 bytes' : null;
    }
    if (opcode > OPCODE_BINARY) return 'unknown opcode';
    if (opcode === OPCODE_CONTINUATION) return this.#inMessage ? null : 'continuation without a message';
    if (this.#inMessage) return 'new message inside a fragmented one';
    return Number.isSafeInteger(length) ? null : 'frame too long';
  }

  #payload(input: Buffer, at: number, end: number): number {
    const take = Math.min(this.#remaining, end - at);
    this.#remaining -= take;
    if (isControl(this.#first)) {
      input.copy(this.#control, this.#controlLength, at, at + take);
      this.#controlLength += take;
    } else if (this.#prefixLength < this.#keptBytes) {
      this.#keep(input, at, take);
    }
    if (this.#remaining === 0) this.#frameDone();
    return at + take;
  }

  #keep(input: Buffer, at: number, take: number): void {
    const wanted = Math.min(this.#keptBytes, this.#prefixLength + take);
    if (wanted > this.#prefix.length) {
      // The size doubles, so that a message in many pieces is not copied for each piece.
      const size = Math.min(this.#keptBytes, Math.max(wanted, 2 * this.#prefix.length, KEPT_BUFFER_BYTES));
      const larger = Buffer.allocUnsafe(size);
      this.#prefix.copy(larger, 0, 0, this.#prefixLength);
      this.#prefix = larger;
    }
    this.#prefixLength += input.copy(this.#prefix, this.#prefixLength, at, at + wanted - this.#prefixLength);
  }

  #frameDone(): void {
    const first = this.#first;
    if (!isControl(first)) {
      if ((first & FIN) === 0) return;
      const [length, prefix, available] = [this.#messageLength, this.#prefix, this.#prefixLength];
      this.#inMessage = false;
      this.#messageLength = 0;
      this.#prefixLength = 0;
      if (prefix.length > KEPT_BUFFER_BYTES) this.#prefix = NOTHING;
      this.#sink.replyMessage(length, prefix, 0, available, this.#isText);
      return;
    }
    switch (first & 0x0f) {
      case OPCODE_PING:
        this.#sink.replyPing(this.#control);
        break;
      case OPCODE_PONG:
        this.#sink.replyPong(this.#control);
        break;
      default:
        this.#stopped = true;
        this.#sink.replyClose(this.#control.length < 2 ? CLOSE_NO_STATUS : this.#control.readUInt16BE(0));
    }
  }
}

function isControl(first: number): boolean {
  return (first & OPCODE_CLOSE) !== 0;
}

function isText(first: number): boolean {
  return (first & 0x0f) === OPCODE_TEXT;
}

function isWholeMessage(first: number): boolean {
  return first === (FIN | OPCODE_BINARY) || first === (FIN | OPCODE_TEXT);
}

/**
 * Returns the length of a frame's head from its second byte. Ignores the mask: masked frames are refused
 * first.
 */
function headLength(second: number): number {
  const length = second & 0x7f;
  if (length < 126) return 2;
  return length === 126 ? 4 : MAX_HEAD_BYTES;
}

/** Returns the payload length of the frame whose complete head starts at `at`. */
function payloadLength(input: Buffer, at: number): number {
  const length = input[at + 1]! & 0x7f;
  if (length < 126) return length;
  if (length === 126) return input.readUInt16BE(at + 2);
  return input.readUInt32BE(at + 2) * 2 ** 32 + input.readUInt32BE(at + 6);
}
