import { ResponseHeadReader } from '../../../src/wire/http/response-head.ts';
import { acceptKey } from '../../../src/wire/upgrade/accept-key.ts';
import { checkUpgradeResponse } from '../../../src/wire/upgrade/upgrade-response.ts';
import { hostHeader, type Target } from '../../options/target.ts';

export interface HandshakeOptions {
  readonly target: Target;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly subprotocols: readonly string[];
}

/** An opening handshake's request without its key (RFC 6455 section 4.1). All connections share it. */
export class HandshakeRequest {
  readonly subprotocols: readonly string[];
  readonly #start: string;

  constructor({ target, headers, subprotocols }: HandshakeOptions) {
    this.subprotocols = subprotocols;
    const lines = [`GET ${target.path} HTTP/1.1`];
    const given = new Set(headers.map(([name]) => name.toLowerCase()));
    if (!given.has('host')) lines.push(`Host: ${hostHeader(target)}`);
    if (!given.has('user-agent')) lines.push('User-Agent: sluice-bench');
    lines.push('Upgrade: websocket', 'Connection: Upgrade', 'Sec-WebSocket-Version: 13');
    if (subprotocols.length > 0) lines.push(`Sec-WebSocket-Protocol: ${subprotocols.join(', ')}`);
    for (const [name, value] of headers) lines.push(`${name}: ${value}`);
    this.#start = `${lines.join('\r\n')}\r\nSec-WebSocket-Key: `;
  }

  encode(key: string): Buffer {
    return Buffer.from(`${this.#start}${key}\r\n\r\n`, 'utf8');
  }
}

/** The opening handshake of one connection, from its request to the 101. */
export class OpeningHandshake {
  readonly #request: HandshakeRequest;
  readonly #key: string;
  readonly #head = new ResponseHeadReader(true);

  /** @param nonce 16 random bytes */
  constructor(request: HandshakeRequest, nonce: Buffer) {
    this.#request = request;
    this.#key = nonce.toString('base64');
  }

  request(): Buffer {
    return this.#request.encode(this.#key);
  }

  /**
   * Reads arrived bytes.
   *
   * @returns null if the response is incomplete, the bytes after the head if it is a valid 101, or a short
   * reason if it is not
   */
  read(input: Buffer, length: number): Buffer | string | null {
    const head = this.#head.push(input, 0, length);
    if (head === 'incomplete') return null;
    if (typeof head === 'string') return head;
    if (head.status !== 101) return String(head.status);
    const checked = checkUpgradeResponse(head, acceptKey(this.#key), this.#request.subprotocols);
    if (typeof checked === 'string') return checked;
    return input.subarray(this.#head.headEnd, length);
  }
}
