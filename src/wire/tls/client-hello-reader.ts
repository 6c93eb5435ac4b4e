import { Malformed, type ReadResult } from '../malformed.ts';
import { parseClientHello } from './client-hello-message.ts';
import type { ClientHello } from './client-hello.ts';

/**
 * Max bytes of a ClientHello, including record heads. Clients send 250 to 2,000; OpenSSL accepts 131,396.
 * Callers need to buffer no more than this.
 */
export const MAX_HELLO_BYTES = 16 * 1024;

const RECORD_HEAD_BYTES = 5;
const HANDSHAKE = 22;
const VERSION_3 = 3;

/** Bytes of a handshake message's type and length. */
const MESSAGE_HEAD_BYTES = 4;
const CLIENT_HELLO = 1;

/** Reports whether bytes start with a TLS handshake record; null if more are needed. False for SSL 2. */
export function startsTls(bytes: Buffer, start: number, end: number): boolean | null {
  if (start === end) return null;
  if (bytes[start] !== HANDSHAKE) return false;
  return start + 1 === end ? null : bytes[start + 1] === VERSION_3;
}

/**
 * Reads the ClientHello of one connection, cut at any byte, possibly in several records (RFC 8446 section
 * 5.1). Scans each record once. Parses the message once it is whole.
 */
export class ClientHelloReader {
  /** Offset of the first unscanned byte. */
  #next = 0;
  /** Missing bytes of the current record. */
  #recordLeft = 0;
  /** Starts and ends of the message's parts. */
  readonly #parts: number[] = [];
  /** Bytes of the message that arrived. */
  #length = 0;
  /** The first bytes of the message, as a number. */
  #head = 0;

  /**
   * Continues the scan.
   *
   * @param bytes all bytes of the connection; those already scanned must be unchanged
   */
  read(bytes: Buffer, start: number, end: number): ReadResult<ClientHello> {
    const limit = Math.min(end, start + MAX_HELLO_BYTES);
    for (;;) {
      const problem = this.#recordLeft === 0 ? this.#readRecordHead(bytes, start, limit) : null;
      if (problem !== null) return problem;
      const at = start + this.#next;
      const part = Math.min(this.#recordLeft, limit - at);
      if (part <= 0) break;
      for (let i = 0; i < part && this.#length + i < MESSAGE_HEAD_BYTES; i++)
        this.#head = (this.#head << 8) | bytes[at + i]!;
      this.#take(part);
      const size = this.#messageSize(bytes[start + this.#parts[0]!]);
      if (size instanceof Malformed) return size;
      if (this.#length >= size) return this.#parse(bytes, start, size);
    }
    return limit - start === MAX_HELLO_BYTES ? tooLong() : null;
  }

  /** Reads the head of the next record if it has arrived. */
  #readRecordHead(bytes: Buffer, start: number, limit: number): Malformed | null {
    const at = start + this.#next;
    if (startsTls(bytes, at, limit) === false) return new Malformed('not a TLS handshake record');
    if (limit - at < RECORD_HEAD_BYTES) return null;
    this.#recordLeft = bytes.readUInt16BE(at + 3);
    this.#next += RECORD_HEAD_BYTES;
    if (this.#recordLeft === 0) return new Malformed('empty record');
    return this.#recordLeft > MAX_HELLO_BYTES ? new Malformed('record too long') : null;
  }

  #take(part: number): void {
    const parts = this.#parts;
    if (parts.at(-1) === this.#next) parts.pop();
    else parts.push(this.#next);
    this.#next += part;
    this.#recordLeft -= part;
    this.#length += part;
    parts.push(this.#next);
  }

  /**
   * Returns the size of the message with its head; Infinity if unknown.
   *
   * @param type first byte of the message
   */
  #messageSize(type: number | undefined): number | Malformed {
    if (type !== CLIENT_HELLO) return new Malformed('not a ClientHello');
    if (this.#length < MESSAGE_HEAD_BYTES) return Infinity;
    const size = MESSAGE_HEAD_BYTES + (this.#head & 0xffffff);
    return size + RECORD_HEAD_BYTES > MAX_HELLO_BYTES ? tooLong() : size;
  }

  #parse(bytes: Buffer, start: number, size: number): ClientHello | Malformed {
    const [from = 0, to = 0, ...others] = this.#parts;
    if (others.length === 0)
      return parseClientHello(bytes, start + from + MESSAGE_HEAD_BYTES, start + from + size);
    const parts = [bytes.subarray(start + from, start + to)];
    for (let i = 0; i < others.length; i += 2)
      parts.push(bytes.subarray(start + others[i]!, start + others[i + 1]!));
    return parseClientHello(Buffer.concat(parts), MESSAGE_HEAD_BYTES, size);
  }
}

function tooLong(): Malformed {
  return new Malformed('ClientHello over 16384 bytes');
}
