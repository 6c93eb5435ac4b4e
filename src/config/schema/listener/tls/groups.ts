/** Reads the key `groups` of a listener's TLS. */
import { createSecureContext } from 'node:tls';
import { described } from '../../../syntax/format-description.ts';
import { FormatError, describe } from '../../../syntax/formats.ts';
import type { Section } from '../../../syntax/section.ts';
import { readNames } from './names.ts';

/** The first group resists quantum computers. OpenSSL has it since version 3.5. */
const DEFAULT_GROUPS = ['X25519MLKEM768', 'X25519', 'P-256'];
/** Matches a plain name. OpenSSL also accepts expressions, and `DEFAULT` and `auto` for its own lists. */
const NAME = /^(?!(?:default|auto)$)[a-z][a-z0-9_-]{0,40}$/i;

/**
 * Whether OpenSSL has a group, by name. Cleared above {@link MAX_VERDICTS}. {@link NAME} bounds a key's
 * length.
 */
const verdicts = new Map<string, boolean>();
const MAX_VERDICTS = 1000;

/** Reads the optional key. @returns names separated by colons */
export function readGroups(tls: Section): string {
  const names = readNames(tls, 'groups', 'groups', group);
  return (names ?? DEFAULT_GROUPS.filter(isKnown)).join(':');
}

const group = described({ type: 'text', what: 'a group' }, (value): string => {
  if (typeof value === 'string' && NAME.test(value) && isKnown(value)) return value;
  throw new FormatError(
    `${describe(value)} is not a group that this Node's OpenSSL has: write names such as ${DEFAULT_GROUPS.join(', ')}`,
  );
});

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
    // Without a list of authorities, Node would parse all of its built-in ones.
    createSecureContext({ ecdhCurve: name, ca: [] });
    return true;
  } catch {
    return false;
  }
}
