import { SUBPROTOCOL } from '../../../core/tokens.ts';
import type { RequestHead } from '../../../wire/http/request-head.ts';
import { offeredSubprotocols } from '../../../wire/upgrade/upgrade-request.ts';

/** An offer of subprotocols with its token removed. */
interface CutOffer {
  readonly head: RequestHead;
  readonly token: string;
  /** The member to answer in place of the token: browsers accept only what they offered. */
  readonly answered: string;
}

const HEADER = 'sec-websocket-protocol';

/**
 * Finds a token among the offered subprotocols, the only values that a page can send with a handshake. It has
 * two forms: the name and the token as two consecutive members, or one member `name.token`. Removes both from
 * the offer.
 *
 * @returns null if the offer has no token
 */
export function cutFromOffer(head: RequestHead, name: string): CutOffer | null {
  const offered = offeredSubprotocols(head);
  const prefix = `${name}.`;
  let token: string | null = null;
  let answered = name;
  const kept: string[] = [];
  for (let index = 0; index < offered.length; index++) {
    const member = offered[index]!;
    let found: string;
    if (member === name && index + 1 < offered.length) {
      index++;
      found = offered[index]!;
    } else if (member.startsWith(prefix) && SUBPROTOCOL.test(member)) {
      found = member.slice(prefix.length);
    } else {
      kept.push(member);
      continue;
    }
    if (token !== null) continue;
    token = found;
    answered = member;
  }
  return token === null ? null : { head: withOffer(head, kept), token, answered };
}

/** Replaces the lines of the offer with one in the place of the first, or removes them. */
function withOffer(head: RequestHead, members: readonly string[]): RequestHead {
  const headers: string[] = [];
  const names: string[] = [];
  let isWritten = members.length === 0;
  for (let index = 0; index < head.headers.length; index += 2) {
    const name = head.headers[index]!;
    if (name === HEADER && isWritten) continue;
    headers.push(name, name === HEADER ? members.join(', ') : head.headers[index + 1]!);
    if (head.names !== undefined) names.push(head.names[index / 2]!);
    if (name === HEADER) isWritten = true;
  }
  return { ...head, headers, ...(head.names !== undefined && { names }) };
}
