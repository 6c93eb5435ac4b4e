/** The key `groups` of a listener's TLS. */
import { createSecureContext } from 'node:tls';
import type { Format } from '../../../syntax/formats.ts';
import { FormatError, describe } from '../../../syntax/formats.ts';
import type { Section } from '../../../syntax/section.ts';
import { readNames } from './names.ts';

/** The first one resists quantum computers. OpenSSL has it from version 3.5 on. */
const DEFAULT_GROUPS = ['X25519MLKEM768', 'X25519', 'P-256'];
/** A name alone: OpenSSL also takes expressions, and the names `DEFAULT` and `auto` for lists of its own. */
const NAME = /^(?!(?:default|auto)$)[a-z][a-z0-9_-]{0,40}$/i;

/** What OpenSSL has said of each name. Bounded by {@link NAME} and the names of a configuration; cleared beyond that. */
const verdicts = new Map<string, boolean>();
const MAX_VERDICTS = 1000;

/** Reads the optional key. @returns names with colons between */
export function readGroups(tls: Section): string {
  const names = readNames(tls, 'groups', 'groups', group);
  return (names ?? DEFAULT_GROUPS.filter(isKnown)).join(':');
}

const group: Format<string> = (value) => {
  if (typeof value === 'string' && NAME.test(value) && isKnown(value)) return value;
  throw new FormatError(
    `${describe(value)} is not a group that this Node's OpenSSL has: write names such as ${DEFAULT_GROUPS.join(', ')}`,
  );
};

function isKnown(name: string): boolean {
  const known = verdicts.get(name);
  if (known !== undefined) return known;
  if (verdicts.size >= MAX_VERDICTS) verdicts.clear();
  const verdict = canUse(name);
  verdicts.set(name, verdict);
  return verdict;
}

function canUse(name: string): boolean {
  try {
    // Without a list of authorities Node would parse all of its own.
    createSecureContext({ ecdhCurve: name, ca: [] });
    return true;
  } catch {
    return false;
  }
}
