/** The header `tracestate` (https://www.w3.org/TR/trace-context-1/#tracestate-header). */
import { joinedHeaderOf, listMembers, type RequestHead } from '../http/request-head.ts';

const MAX_MEMBERS = 32;
/** Longer lists may be cut (section 3.3.1.5), and are dropped here. */
const MAX_CHARACTERS = 512;

/** A key of one system, or of a tenant of one. */
const KEY = /^(?:[a-z][a-z\d_*/-]{0,255}|[a-z\d][a-z\d_*/-]{0,240}@[a-z][a-z\d_*/-]{0,13})$/;
/** Visible ASCII and spaces, without `,` and `=`. The last character is no space. */
const VALUE = /^[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/;

/**
 * Reads the list of a request, joined over all its headers. Equal keys are kept: the one who wrote them knows which counts.
 *
 * @returns the list as it is sent on; empty for none, and for one that breaks a rule
 */
export function readTracestate(head: Pick<RequestHead, 'headers'>): string {
  const joined = joinedHeaderOf(head, 'tracestate');
  if (joined === undefined) return '';
  const members = listMembers(joined);
  if (members.length > MAX_MEMBERS || !members.every(isMember)) return '';
  const text = members.join(',');
  return text.length > MAX_CHARACTERS ? '' : text;
}

function isMember(member: string): boolean {
  const equals = member.indexOf('=');
  if (equals < 0) return false;
  return KEY.test(member.slice(0, equals)) && VALUE.test(member.slice(equals + 1));
}
