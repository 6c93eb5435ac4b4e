/** Reads the key `key` of a limit: the client property that it counts by. */
import { TOKEN } from '../../../core/tokens.ts';
import type { Format } from '../../syntax/formats.ts';
import { line, oneOf, pattern, text, withRemedies } from '../../syntax/formats.ts';
import type { Section } from '../../syntax/section.ts';
import { isMapping } from '../../syntax/section.ts';
import type { LimitKey } from '../../types/limits.ts';

const NAMED = ['claim', 'header', 'cookie'] as const;
const SHAPE = { what: 'the key of a limit', keys: NAMED };
const HEADER_OR_COOKIE = 'write letters, digits and "-" or "_"';
const FORMATS: Readonly<Record<(typeof NAMED)[number], Format<string>>> = {
  claim: (value) => text("a claim's name")(line("a claim's name")(value)),
  header: (value) => pattern(TOKEN, "a header's name", HEADER_OR_COOKIE)(value).toLowerCase(),
  cookie: pattern(TOKEN, "a cookie's name", HEADER_OR_COOKIE),
};

const word: Format<'address' | 'principal' | 'host' | 'route'> = withRemedies(
  oneOf('address', 'principal', 'host', 'route'),
  { ip: 'write address', user: 'write principal' },
);

/** Reads the required key. Returns null if it is invalid. */
export function readLimitKey(limit: Section): LimitKey | null {
  if (!limit.has('key')) {
    limit.problem(
      'a limit needs "key": write address, principal, host, route, { claim: NAME }, { header: NAME } or { cookie: NAME }',
    );
    return null;
  }
  if (!isMapping(limit.raw('key'))) {
    const kind = limit.required('key', word, null);
    return kind === null ? null : { kind };
  }
  const section = limit.section('key', SHAPE);
  const kind = section?.only(NAMED) ?? null;
  if (section === null || kind === null) return null;
  return { kind, name: section.required(kind, FORMATS[kind], '') };
}
