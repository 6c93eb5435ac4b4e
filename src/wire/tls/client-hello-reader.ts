import { Malformed, type ReadResult } from '../malformed.ts';
import { parseClientHello } from './client-hello-message.ts';
import type { ClientHello } from './client-hello.ts';

/**
 * Max bytes of a ClientHello with the heads of its records. Clients send 250 to 2,000; OpenSSL takes 131,396. A reader
 * needs no more bytes than this.
 */
export const MAX_HELLO_BYTES = 16 * 1024;

const RECORD_HEAD_BYTES = 5;
const HANDSHAKE = 22;
const VERSION_3 = 3;

/** Bytes of the type and the length of a handshake message. */
const MESSAGE_HEAD_BYTES = 4;
const CLIENT_HELLO = 1;

/** Tells whether bytes start with a record of a TLS handshake; null if more bytes must say. Hellos of SSL 2 are none. */
export function startsTls(bytes: Buffer, start: number, end: number): boolean | null {
  if (start === end) return null;
  if (bytes[start] !== HANDSHAKE) return false;
  return start + 1 === end ? null : bytes[start + 1] === VERSION_3;
}

/**
 * Reads the ClientHello of one connection, which may be cut at any byte, and may lie in several records (RFC 8446
 * section 5.1). Each record is looked at once, and the message is read when it has come whole.
 */
export class ClientHelloReader {
  /** Offset of the first byte that has not been looked at. */
  #next = 0;
  /** Bytes of the current record that have not come. */
  #recordLeft = 0;
  /** Starts and ends of the parts of the message. */
  readonly #parts: number[] = [];
  /** Bytes of the message that have come. */
  #length = 0;
  /** The first bytes of the message, as a number. */
  #head = 0;

  /**
   * Looks on. @param bytes the connection's bytes from the first on: those that have been looked at must be the same in each
   * call
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

  /** Reads the head of the next record, as far as it has come. */
  #readRecordHead(bytes: Buffer, start: number, limit: number): Malformed | null {
    const at = start + this.#next;
    if (startsTls(bytes, at, limit) === false) return new Malformed('no record of a TLS handshake');
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

  /** Returns the message's bytes with its head; Infinity before they are known. @param type the first byte of the message */
  #messageSize(type: number | undefined): number | Malformed {
    if (type !== CLIENT_HELLO) return new Malformed('no ClientHello');
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
