/** The negotiated parameters of permessage-deflate (RFC 7692 section 7.1). */
import { trimOws } from '../http/request-head.ts';

/** How one side compresses. */
export interface DeflateParameters {
  /** Whether a message may refer to bytes of earlier messages. */
  readonly hasContext: boolean;
  /** Max distance of these references, in bytes: 256 to 32,768. */
  readonly windowBytes: number;
}

const MAX_WINDOW_BITS = 15;

/**
 * Reads the parameters of one side. Ignores malformed parameters, which leaves the largest window and a
 * context.
 *
 * @param extensions value of Sec-WebSocket-Extensions in the 101; empty for none
 * @returns null without permessage-deflate
 */
export function readDeflateParameters(extensions: string, fromClient: boolean): DeflateParameters | null {
  const side = fromClient ? 'client' : 'server';
  for (const extension of extensions.split(',')) {
    const [name = '', ...parameters] = extension.split(';').map((part) => trimOws(part).toLowerCase());
    if (name !== 'permessage-deflate') continue;
    let hasContext = true;
    let bits = MAX_WINDOW_BITS;
    for (const parameter of parameters) {
      const [key = '', value = ''] = parameter.split('=').map(trimOws);
      if (key === `${side}_no_context_takeover`) hasContext = false;
      const given = Number(value.replaceAll('"', ''));
      if (key === `${side}_max_window_bits` && given >= 8 && given <= MAX_WINDOW_BITS)
        bits = Math.floor(given);
    }
    return { hasContext, windowBytes: 2 ** bits };
  }
  return null;
}
