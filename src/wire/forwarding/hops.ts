import { trimOws } from '../http/request-head.ts';

/**
 * Max members of a chain that are looked at and passed on. Every member is one proxy: a longer chain is a loop, or what
 * a client has made up.
 */
const MAX_HOPS = 100;

const COMMA = 0x2c;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/**
 * Returns the nearest members of a comma-separated list, in their order, trimmed, empty ones left out. Commas in
 * quotes do not separate.
 *
 * The list is read from its end: what a trusted proxy has appended is read rightly whatever stands in front of it, such
 * as a quote that a client has left open.
 */
export function nearestMembers(list: string, max: number = MAX_HOPS): string[] {
  const members: string[] = [];
  let end = list.length;
  let isQuoted = false;
  for (let index = end - 1; index >= -1 && members.length < max; index--) {
    const code = index < 0 ? COMMA : list.charCodeAt(index);
    if (code === QUOTE && !isEscaped(list, index)) isQuoted = !isQuoted;
    if (code !== COMMA || (isQuoted && index >= 0)) continue;
    const member = trimOws(list.slice(index + 1, end));
    if (member !== '') members.push(member);
    end = index;
  }
  return members.reverse();
}

/** Whether an odd number of backslashes stands in front of a character. */
function isEscaped(text: string, at: number): boolean {
  let start = at;
  while (start > 0 && text.charCodeAt(start - 1) === BACKSLASH) start--;
  return (at - start) % 2 === 1;
}

/** How far a chain of hops is believed. */
interface Walk {
  /** The nearest address that is not a trusted proxy's. */
  readonly address: string;
  /** The number of members, from the near end, that trusted proxies have said. */
  readonly depth: number;
}

/**
 * Walks a chain from its near end. Each member is said by the hop behind it, so the walk goes on while that is a
 * trusted proxy. It stops at the first other address, and at a member that names no address.
 *
 * @param addresses in the order of the header; null for a member that names no address
 * @param peer a trusted proxy
 */
export function walkHops(
  addresses: readonly (string | null)[],
  peer: string,
  trusted: (address: string) => boolean,
): Walk {
  let address = peer;
  let depth = 0;
  while (depth < addresses.length && trusted(address)) {
    depth++;
    const next = addresses.at(-depth) ?? null;
    if (next === null) break;
    address = next;
  }
  return { address, depth };
}
