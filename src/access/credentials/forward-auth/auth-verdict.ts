import { fromByteText } from '../../../core/byte-text.ts';
import { hasControlCharacter } from '../../../wire/http/field-value.ts';
import { isWrittenByProxy } from '../../../wire/http/request-encoding.ts';
import { listMembers } from '../../../wire/http/request-head.ts';
import type { Decision, Granted, Refused } from '../../contract/credential-method.ts';
import type { Principal } from '../../contract/principal.ts';
import type { AuthAnswer } from './auth-transport.ts';

/** Max bytes of a principal's name. A longer value, such as a token, identifies nobody. */
const MAX_NAME_BYTES = 256;
/** Retry-After in seconds. */
const RETRY_AFTER_SECONDS = 1;
const NOT_MODIFIED = 304;
/** Response headers that the reply to the client sets itself. */
const REPLY_HEADERS: ReadonlySet<string> = new Set(['date', 'alt-svc']);

/**
 * Decides on a server's response. 2xx admits the client. Other responses are sent to the client.
 *
 * @param listed headers for endpoints, in lower case; the first names the principal
 */
export function verdictOn(answer: AuthAnswer, listed: readonly string[]): Decision {
  const { status } = answer;
  if (status >= 200 && status < 300) return grantedBy(answer, listed);
  // The request had no condition, and a client cannot use a response that it did not ask for.
  if (status < 300 || status === NOT_MODIFIED || status > 599) return failure('bad answer');
  return {
    granted: false,
    status,
    reason: 'forward_auth',
    detail: `forward authentication answered ${status}`,
    headers: endToEnd(answer),
    body: answer.body,
  };
}

/**
 * Refuses a client because the server cannot be asked.
 *
 * @param what the request's fate, in a few words
 */
export function failure(what: string): Refused {
  return {
    granted: false,
    status: 503,
    reason: 'forward_auth_failed',
    detail: `forward authentication: ${what}`,
    headers: [['Retry-After', String(RETRY_AFTER_SECONDS)]],
    body: null,
  };
}

/** Admits a client. @param forwarded headers for endpoints: name, value, name, value ... */
export function grant(principal: Principal | null, forwarded: readonly string[]): Granted {
  return { granted: true, principal, forwarded, head: null, subprotocol: null };
}

function grantedBy({ headers }: AuthAnswer, listed: readonly string[]): Decision {
  const wanted = new Set(listed);
  const forwarded: string[] = [];
  let name: string | null = null;
  for (let index = 0; index < headers.length; index += 2) {
    const lower = headers[index]!.toLowerCase();
    const value = headers[index + 1]!;
    if (!wanted.has(lower)) continue;
    if (hasControlCharacter(value)) return failure('bad answer');
    if (lower === listed[0]) {
      // An endpoint might use the other line, which names another principal.
      if (name !== null) return failure('two principals in the answer');
      name = value;
    }
    forwarded.push(lower, value);
  }
  return grant(principalOf(name), forwarded);
}

function principalOf(value: string | null): Principal | null {
  if (value === null || value === '' || value.length > MAX_NAME_BYTES) return null;
  return {
    kind: 'forward',
    name: fromByteText(value),
    issuedAt: null,
    expiresAt: Infinity,
    claims: null,
  };
}

function endToEnd({ headers }: AuthAnswer): (readonly [name: string, value: string])[] {
  const dropped = new Set(REPLY_HEADERS);
  for (let index = 0; index < headers.length; index += 2) {
    if (headers[index]!.toLowerCase() !== 'connection') continue;
    for (const member of listMembers(headers[index + 1])) dropped.add(member.toLowerCase());
  }
  const kept: (readonly [string, string])[] = [];
  for (let index = 0; index < headers.length; index += 2) {
    const lower = headers[index]!.toLowerCase();
    const value = headers[index + 1]!;
    if (dropped.has(lower) || isWrittenByProxy(lower) || hasControlCharacter(value)) continue;
    kept.push([headers[index]!, value]);
  }
  return kept;
}
