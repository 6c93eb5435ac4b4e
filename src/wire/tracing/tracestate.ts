/** The header `tracestate` (https://www.w3.org/TR/trace-context-1/#tracestate-header). */
import { joinedHeaderOf, listMembers, type RequestHead } from '../http/request-head.ts';

const MAX_MEMBERS = 32;
/** Longer lists may be truncated (section 3.3.1.5). sluice drops them. */
const MAX_CHARACTERS = 512;

/** A key of one system, or of one tenant of a system. */
const KEY = /^(?:[a-z][a-z\d_*/-]{0,255}|[a-z\d][a-z\d_*/-]{0,240}@[a-z][a-z\d_*/-]{0,13})$/;
/** Visible ASCII and spaces, without `,` and `=`. The last character is not a space. */
const VALUE = /^[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/;

/**
 * Reads a request's list, joined over all its headers. Keeps repeated keys: only their writer knows which one
 * counts.
 *
 * @returns the list to forward; empty if it is missing or breaks a rule
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
