import { joinedHeaderOf, listMembers } from '../http/request-head.ts';
import { SWITCHING_PROTOCOLS, type ResponseHead } from '../http/response-head.ts';
import { extensionProblem } from './extensions.ts';

/** Facts from an endpoint's 101 that the session needs. */
export interface UpgradeResponse {
  /** The subprotocol that the endpoint chose; empty for none. */
  readonly subprotocol: string;
  /** The extensions that the endpoint chose, as written; empty for none. */
  readonly extensions: string;
  /** End-to-end headers for the client's 101. */
  readonly headers: readonly (readonly [name: string, value: string])[];
}

/** Headers that concern the endpoint's connection, or that sluice sets for the client itself. */
const OWN_LEG: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'upgrade',
  'te',
  'trailer',
  'transfer-encoding',
  'content-length',
  'sec-websocket-accept',
  'sec-websocket-protocol',
  'sec-websocket-extensions',
  // The client gets the request ID that is in the log.
  'x-request-id',
]);
/** WebSocket versions that an endpoint offers instead (RFC 6455 section 4.4). Valid only in a refusal. */
const OFFERED_VERSIONS = 'sec-websocket-version';

/**
 * Checks an endpoint's 101 (RFC 6455 section 4.1): the accept value, the upgrade, the subprotocol and the
 * extensions.
 *
 * @param subprotocols offered subprotocols
 * @param offeredExtensions offered value of Sec-WebSocket-Extensions; empty for none
 * @returns the facts from the response, or a short error
 */
export function checkUpgradeResponse(
  head: ResponseHead,
  expectedAccept: string,
  subprotocols: readonly string[],
  offeredExtensions = '',
): UpgradeResponse | string {
  // RFC 9110 section 7.8: an HTTP/1.0 response cannot accept an upgrade.
  if (head.isHttp10 === true) return 'HTTP/1.0 has no upgrade';
  const accept = values(head, 'sec-websocket-accept');
  if (accept.length !== 1 || accept[0] !== expectedAccept) return 'wrong sec-websocket-accept';
  const upgrade = values(head, 'upgrade');
  if (upgrade.length !== 1 || upgrade[0]!.toLowerCase() !== 'websocket') return 'upgrade is not websocket';
  const connection = listMembers(joinedHeaderOf(head, 'connection'));
  if (!connection.some((member) => member.toLowerCase() === 'upgrade'))
    return 'connection does not hold upgrade';
  const extensions = values(head, 'sec-websocket-extensions')
    .filter((value) => value !== '')
    .join(', ');
  const problem = extensionProblem(extensions, offeredExtensions);
  if (problem !== null) return problem;
  const chosen = values(head, 'sec-websocket-protocol');
  const subprotocol = chosen[0] ?? '';
  if (chosen.length > 1 || (chosen.length === 1 && !subprotocols.includes(subprotocol))) {
    return 'subprotocol that was not offered';
  }
  return { subprotocol, extensions, headers: endToEndHeaders(head) };
}

/**
 * Returns the headers of the endpoint's response that go to the client, in the endpoint's spelling. A 426
 * keeps `Upgrade`, which RFC 9110 section 15.5.22 requires, and its connection option (section 7.8).
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
    headers.push([head.names?.[index >> 1] ?? name, head.headers[index + 1]!]);
  }
  if (tellsUpgrade) headers.push(['Connection', 'Upgrade']);
  return headers;
}

/** Returns the header names in the response's Connection header; null if it has only the usual options. */
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
