/** permessage-deflate (RFC 7692) as a client does it, message by message. */
import { constants, deflateRawSync, inflateRawSync } from 'node:zlib';

const TAIL = Buffer.from([0x00, 0x00, 0xff, 0xff]);
const FULL_WINDOW = 15;

/** The parameters of an offer or an answer. */
export interface DeflateParameters {
  readonly serverNoContextTakeover: boolean;
  readonly clientNoContextTakeover: boolean;
  /** null where it is not there; 0 where it is there without a value. */
  readonly serverMaxWindowBits: number | null;
  readonly clientMaxWindowBits: number | null;
}

/** The offers or the answer in a Sec-WebSocket-Extensions header. */
export function parseDeflate(header: string): DeflateParameters[] {
  return header.split(',').map((extension) => {
    const parameters = new Map(
      extension.split(';').map((parameter): [string, string] => {
        const [name = '', value = ''] = parameter.trim().split('=');
        return [name, value];
      }),
    );
    const bits = (name: string): number | null =>
      parameters.has(name) ? Number(parameters.get(name)) : null;
    return {
      serverNoContextTakeover: parameters.has('server_no_context_takeover'),
      clientNoContextTakeover: parameters.has('client_no_context_takeover'),
      serverMaxWindowBits: bits('server_max_window_bits'),
      clientMaxWindowBits: bits('client_max_window_bits'),
    };
  });
}

/**
 * The fault in an answer by sections 7.1.1 and 7.1.2 of RFC 7692, for the best of the offers. Empty if the
 * answer is right for one of them.
 */
export function negotiationFault(offered: string, answered: string | undefined): string {
  if (answered === undefined) return 'declined';
  const [answer] = parseDeflate(answered);
  const faults = parseDeflate(offered).map((offer) => {
    const list: string[] = [];
    if (offer.serverNoContextTakeover && !answer!.serverNoContextTakeover)
      list.push('server_no_context_takeover not granted');
    if (offer.serverMaxWindowBits !== null) {
      if (answer!.serverMaxWindowBits === null) list.push('server_max_window_bits not granted');
      else if (answer!.serverMaxWindowBits > offer.serverMaxWindowBits) list.push('server window too large');
    }
    if (offer.clientMaxWindowBits === null && answer!.clientMaxWindowBits !== null)
      list.push('client_max_window_bits not offered');
    return list.join(', ');
  });
  return faults.sort((a, b) => a.length - b.length)[0]!;
}

/** Compresses what a client sends, and inflates what it gets in the window that was agreed on and in no larger one. */
export class ClientDeflate {
  readonly #agreed: DeflateParameters;
  readonly #window: number;
  /** The client's last sent and received bytes, as far as the windows reach. */
  #sent: Buffer = Buffer.alloc(0);
  #received: Buffer = Buffer.alloc(0);

  constructor(answer: string) {
    this.#agreed = parseDeflate(answer)[0]!;
    this.#window = this.#agreed.serverMaxWindowBits ?? FULL_WINDOW;
  }

  compress(payload: Buffer): Buffer {
    const { clientMaxWindowBits, clientNoContextTakeover } = this.#agreed;
    const windowBits = clientMaxWindowBits ?? FULL_WINDOW;
    const compressed = deflateRawSync(payload, {
      finishFlush: constants.Z_SYNC_FLUSH,
      windowBits,
      ...(this.#sent.length > 0 && { dictionary: this.#sent }),
    });
    if (!clientNoContextTakeover) this.#sent = tail(this.#sent, payload, windowBits);
    return compressed.subarray(0, -TAIL.length);
  }

  /** Throws where the payload is no deflate stream, or reaches back further than the window. */
  inflate(payload: Buffer): Buffer {
    const message = inflateRawSync(Buffer.concat([payload, TAIL]), {
      finishFlush: constants.Z_SYNC_FLUSH,
      windowBits: this.#window,
      ...(this.#received.length > 0 && { dictionary: this.#received }),
    });
    if (!this.#agreed.serverNoContextTakeover) this.#received = tail(this.#received, message, this.#window);
    return message;
  }
}

function tail(before: Buffer, payload: Buffer, windowBits: number): Buffer {
  return Buffer.concat([before, payload]).subarray(-(2 ** windowBits));
}
