import { trimOws } from '../http/request-head.ts';

/**
 * Max members read from a chain, and forwarded. Each is a proxy: a longer chain is a loop or a client's
 * invention.
 */
const MAX_HOPS = 100;

const COMMA = 0x2c;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/**
 * Returns the last members of a comma-separated list, in order, trimmed, without empty ones. Quoted commas do
 * not separate.
 *
 * Reads the list from its end, so that earlier text, such as a client's unclosed quote, cannot change the
 * members that trusted proxies appended.
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

/** Reports whether an odd number of backslashes precedes a character. */
function isEscaped(text: string, at: number): boolean {
  let start = at;
  while (start > 0 && text.charCodeAt(start - 1) === BACKSLASH) start--;
  return (at - start) % 2 === 1;
}

/** The trusted part of a chain of hops. */
interface Walk {
  /** The nearest address that is not a trusted proxy. */
  readonly address: string;
  /** Number of members, counted from the near end, that trusted proxies named. */
  readonly depth: number;
}

/**
 * Walks a chain from its near end. The next hop named each member, so the walk continues while that hop is a
 * trusted proxy. It stops at the first other address, and at a member without an address.
 *
 * @param addresses in the order of the header; null for a member without an address
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
