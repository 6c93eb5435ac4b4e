import type { TokenSource } from '../../../config/types/access.ts';
import { cookieOf } from '../../../wire/http/cookie.ts';
import { onlyHeaderOf, trimOws, type RequestHead } from '../../../wire/http/request-head.ts';
import type { AccessRequest } from '../../contract/access-request.ts';
import { cutFromOffer } from './offered-token.ts';
import { cutFromQuery } from './query-token.ts';
import type { TokenProblem } from './token-problems.ts';

/** A token, and the request without it. */
export interface FoundToken {
  readonly text: string;
  /** The head without tokens in the query and the offered subprotocols. Null if neither had one. */
  readonly head: RequestHead | null;
  /**
   * The subprotocol in the response if the endpoint chooses none: the offered member with the token. Null if
   * no token was offered.
   */
  readonly subprotocol: string | null;
}

/** The scheme of RFC 6750, case-insensitive (RFC 9110 section 11.1). */
const BEARER = /^bearer(?: +|$)/i;

/**
 * Finds the token of a request in the first source that has one. Tokens in the query and in the offered
 * subprotocols are always removed, so endpoints and logs never see them. Headers and cookies stay.
 */
export function findToken(
  { head, wantsUpgrade }: Pick<AccessRequest, 'head' | 'wantsUpgrade'>,
  sources: readonly TokenSource[],
): FoundToken | TokenProblem {
  let text = '';
  let rest = head;
  let subprotocol: string | null = null;
  for (const { kind, name } of sources) {
    let token: string | null = null;
    if (kind === 'header') {
      if (text !== '') continue;
      token = headerToken(head, name);
      if (token === null) return 'repeated';
    } else if (kind === 'cookie') {
      token = cookieOf(head, name);
    } else if (kind === 'query') {
      const { query, value } = cutFromQuery(rest.query, name);
      if (value !== null) rest = { ...rest, query };
      token = value;
    } else if (wantsUpgrade) {
      const cut = cutFromOffer(rest, name);
      if (cut !== null) {
        rest = cut.head;
        token = cut.token;
        subprotocol ??= cut.answered;
      }
    }
    if (text === '') text = token ?? '';
  }
  return text === '' ? 'missing' : { text, head: rest === head ? null : rest, subprotocol };
}

/** Returns the token of a header. Empty without one, null if the header is repeated. */
function headerToken(head: RequestHead, name: string): string | null {
  const value = onlyHeaderOf(head, name);
  if (value === null) return null;
  if (value === undefined) return '';
  if (name !== 'authorization') return trimOws(value);
  // Another scheme is meant for another recipient.
  const scheme = BEARER.exec(value)?.[0];
  return scheme === undefined ? '' : trimOws(value.slice(scheme.length));
}
