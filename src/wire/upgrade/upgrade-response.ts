import { listMembers } from '../http/request-head.ts';
import { SWITCHING_PROTOCOLS, type ResponseHead } from '../http/response-head.ts';

/** What an endpoint's 101 says that matters for the session. */
export interface UpgradeResponse {
  /** The subprotocol that the endpoint chose, or an empty string. */
  readonly subprotocol: string;
  /** End-to-end headers for the client's own 101. */
  readonly headers: readonly (readonly [name: string, value: string])[];
}

/** Headers of the endpoint's answer that are about its own connection, or that the downstream leg sets itself. */
const OWN_LEG: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'upgrade',
  'te',
  'trailer',
  'transfer-encoding',
  'content-length',
  'date',
  'sec-websocket-accept',
  'sec-websocket-protocol',
  'sec-websocket-extensions',
  // The downstream leg tells the id that the log has.
  'x-request-id',
]);
/** The versions that an endpoint offers instead (RFC 6455 section 4.4): only a refusal may have them. */
const OFFERED_VERSIONS = 'sec-websocket-version';

/**
 * Checks an endpoint's 101 by RFC 6455 section 4.1: the accept value, the upgrade, a subprotocol that was
 * offered, and no extension, since none is ever offered.
 *
 * @returns what the answer says, or in a few words what is wrong with it
 */
export function checkUpgradeResponse(
  head: ResponseHead,
  expectedAccept: string,
  offered: readonly string[],
): UpgradeResponse | string {
  // RFC 9110 section 7.8: an HTTP/1.0 response can refuse an upgrade, but not make it.
  if (head.isOld === true) return 'HTTP/1.0 has no upgrade';
  const accept = values(head, 'sec-websocket-accept');
  if (accept.length !== 1 || accept[0] !== expectedAccept) return 'wrong sec-websocket-accept';
  const upgrade = values(head, 'upgrade');
  if (upgrade.length !== 1 || upgrade[0]!.toLowerCase() !== 'websocket') return 'upgrade is not websocket';
  const connection = values(head, 'connection').flatMap((value) => listMembers(value));
  if (!connection.some((member) => member.toLowerCase() === 'upgrade'))
    return 'connection does not hold upgrade';
  if (values(head, 'sec-websocket-extensions').some((value) => value !== ''))
    return 'extension that was not offered';
  const subprotocols = values(head, 'sec-websocket-protocol');
  const subprotocol = subprotocols[0] ?? '';
  if (subprotocols.length > 1 || (subprotocols.length === 1 && !offered.includes(subprotocol))) {
    return 'subprotocol that was not offered';
  }
  return { subprotocol, headers: endToEndHeaders(head) };
}

/**
 * Returns the headers that may cross from the endpoint's answer to the client's. Date is not among them: the downstream
 * leg writes its own. A 426 keeps `Upgrade`, which it must have (RFC 9110 section 15.5.22), with the connection option
 * that belongs to it (section 7.8).
 */
export function endToEndHeaders(head: ResponseHead): (readonly [name: string, value: string])[] {
  const nominated = nominatedBy(head);
  const headers: (readonly [string, string])[] = [];
  let tellsUpgrade = false;
  for (let index = 0; index < head.headers.length; index += 2) {
    const name = head.headers[index]!;
    if (name === 'upgrade' && head.status === 426) tellsUpgrade = true;
    else if (OWN_LEG.has(name) || nominated?.has(name)) continue;
    else if (name === OFFERED_VERSIONS && head.status === SWITCHING_PROTOCOLS) continue;
    headers.push([name, head.headers[index + 1]!]);
  }
  if (tellsUpgrade) headers.push(['connection', 'Upgrade']);
  return headers;
}

/** What the answer's Connection header names; null where that is nothing but its usual words. */
function nominatedBy(head: ResponseHead): ReadonlySet<string> | null {
  const lines = values(head, 'connection');
  if (lines.length === 0 || (lines.length === 1 && /^(?:keep-alive|close|upgrade)$/i.test(lines[0]!)))
    return null;
  return new Set(lines.flatMap((value) => listMembers(value).map((member) => member.toLowerCase())));
}

function values(head: ResponseHead, name: string): string[] {
  const found: string[] = [];
  for (let index = 0; index < head.headers.length; index += 2) {
    if (head.headers[index] === name) found.push(head.headers[index + 1]!);
  }
  return found;
}
