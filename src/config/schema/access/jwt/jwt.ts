/** Reads the key `jwt` of access: JSON Web Tokens. */
import { MAX_DURATION_MS } from '../../../../core/units/duration.ts';
import type { BaseDirectory } from '../../../syntax/files.ts';
import { duration, oneOf, text } from '../../../syntax/formats.ts';
import type { Section } from '../../../syntax/section.ts';
import { readValue } from '../../../syntax/section.ts';
import type { JwtSettings } from '../../../types/access.ts';
import { readPairs } from '../../route/route-match.ts';
import { forwardable } from '../forwardable.ts';
import { readRequiredClaims } from './claims.ts';
import { readKeys } from './jwt-keys.ts';
import { readTokenSources } from './token-sources.ts';

export const JWT_KEYS = [
  ...['keys', 'algorithms', 'issuer', 'audience', 'from', 'require', 'forward'],
  ...['atExpiry', 'grace', 'leeway'],
];
const SHAPE = { what: '"jwt"', keys: JWT_KEYS, short: 'keys' };
const DEFAULT_LEEWAY_MS = 30_000;

/** Reads the key. Returns null if its keys are invalid. */
export function readJwt(access: Section, base: BaseDirectory): JwtSettings | null {
  const section = access.section('jwt', SHAPE);
  if (section === null) return null;
  const { keys, algorithms } = readKeys(section, base);
  const settings = {
    algorithms,
    issuers: readNames(section, 'issuer', 'an issuer'),
    audiences: readNames(section, 'audience', 'an audience'),
    from: readTokenSources(section),
    requiredClaims: readRequiredClaims(section),
    forward: readPairs(section, 'forward', forwardable, text("a claim's name")),
    ...readExpiry(section),
    leewayMs: section.optional('leeway', duration({ min: 0, max: 600_000 }), DEFAULT_LEEWAY_MS),
  };
  return keys === null ? null : { keys, ...settings };
}

/** Reads an optional text, or a list of texts. */
function readNames(section: Section, key: string, what: string): readonly string[] {
  if (!section.has(key)) return [];
  const names = section
    .oneOrMore(key, 'texts')
    .map(({ value, path }) => readValue(value, path, section.problems, text(what), ''));
  return [...new Set(names)];
}

function readExpiry(section: Section): Pick<JwtSettings, 'atExpiry' | 'graceMs'> {
  const atExpiry = section.optional('atExpiry', oneOf('close', 'ignore'), 'close');
  const graceMs = section.optional('grace', duration({ min: 0, max: MAX_DURATION_MS }), 0);
  if (atExpiry === 'ignore' && section.has('grace')) {
    section.problemAt('grace', 'with atExpiry: ignore no session ends by its token: leave one of them out');
  }
  return { atExpiry, graceMs };
}
