import { TOKEN } from '../../core/tokens.ts';
import { trimOws } from '../http/request-head.ts';

/** A parameter of an extension (RFC 6455 section 9.1): a quoted value must be a token once its quotes are gone. */
const PARAMETER =
  /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+(?:[ \t]*=[ \t]*(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+|"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"))?$/;

/**
 * Finds a fault in an endpoint's choice of WebSocket extensions. An extension must have been offered, and can be chosen
 * once. Parameters are the client's to judge: RFC 7692 section 7.1 lets a server add some that were not offered.
 *
 * @param chosen the joined values of the endpoint's Sec-WebSocket-Extensions; empty for no extension
 * @param offered the joined values of the client's; empty if the endpoint has been offered nothing
 * @returns null if the choice is right
 */
export function extensionProblem(chosen: string, offered: string): string | null {
  if (chosen === '') return null;
  if (offered === '') return 'extension that was not offered';
  const rest = namesIn(offered);
  const names = chosen.split(',').map(trimOws);
  for (const extension of names) {
    const [name = '', ...parameters] = extension.split(';').map(trimOws);
    if (!TOKEN.test(name) || !parameters.every((text) => PARAMETER.test(text))) return 'malformed extension';
    if (!rest.delete(name)) return 'extension that was not offered';
  }
  return null;
}

/** Returns the names of the extensions in an offer. The same extension may be offered several times. */
function namesIn(offered: string): Set<string> {
  return new Set(offered.split(',').map((offer) => trimOws(offer.split(';', 1)[0]!)));
}
