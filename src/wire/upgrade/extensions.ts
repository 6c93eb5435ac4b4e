import { TOKEN } from '../../core/tokens.ts';
import { trimOws } from '../http/request-head.ts';

/** A parameter of an extension (RFC 6455 section 9.1). A quoted value must be a token after unquoting. */
const PARAMETER =
  /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+(?:[ \t]*=[ \t]*(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+|"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"))?$/;

/**
 * Checks an endpoint's choice of WebSocket extensions. An extension must have been offered, and may be chosen
 * once. Parameters are left to the client: RFC 7692 section 7.1 lets a server add parameters that were not
 * offered.
 *
 * @param chosen joined values of the endpoint's Sec-WebSocket-Extensions; empty for none
 * @param offered joined values of the offer; empty if nothing was offered
 * @returns the error, or null for a valid choice
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

/** Returns the names of the offered extensions. An offer may repeat an extension. */
function namesIn(offered: string): Set<string> {
  return new Set(offered.split(',').map((offer) => trimOws(offer.split(';', 1)[0]!)));
}
