/** Reads the key `from` of JWT: where requests carry their tokens. */
import { SUBPROTOCOL } from '../../../../core/tokens.ts';
import type { Format } from '../../../syntax/formats.ts';
import { FormatError, describe, pattern, text, token } from '../../../syntax/formats.ts';
import { Section } from '../../../syntax/section.ts';
import type { TokenSource } from '../../../types/access.ts';
import { headerName } from '../../route/route-match.ts';

const KINDS = ['header', 'cookie', 'query', 'subprotocol'] as const;
const SHAPE = { what: 'a source of tokens', keys: KINDS };
/** Max sources, because each request is searched for a token in all of them. */
const MAX_SOURCES = 8;
const DEFAULT: readonly TokenSource[] = [{ kind: 'header', name: 'authorization' }];
/** Headers that have their own kind of source. */
const OTHER_KINDS = new Map([
  ['cookie', '{ cookie: NAME }'],
  ['sec-websocket-protocol', '{ subprotocol: NAME }'],
]);

const tokenHeader: Format<string> = (value) => {
  const name = headerName(value);
  const instead = OTHER_KINDS.get(name);
  if (instead === undefined) return name;
  throw new FormatError(`${describe(name)} has several values: write ${instead}`);
};

const FORMATS: Readonly<Record<TokenSource['kind'], Format<string>>> = {
  header: tokenHeader,
  cookie: token('the name of a cookie'),
  query: text("a query parameter's name"),
  subprotocol: pattern(
    SUBPROTOCOL,
    'a subprotocol',
    'write one name such as bearer, without spaces, commas, semicolons and quotes',
  ),
};

/** Reads the optional key. The default is the header Authorization. */
export function readTokenSources(jwt: Section): readonly TokenSource[] {
  if (!jwt.has('from')) return DEFAULT;
  const sources: TokenSource[] = [];
  for (const { value, path } of jwt.oneOrMore('from', 'sources such as { header: authorization }')) {
    const section = Section.of(value, path, jwt.problems, SHAPE);
    const kind = section?.only(KINDS) ?? null;
    if (section === null || kind === null) continue;
    const name = section.required(kind, FORMATS[kind], '');
    if (sources.some((other) => other.kind === kind && other.name === name)) {
      section.problem(`{ ${kind}: ${name} } is given twice: keep one of them`);
    }
    sources.push({ kind, name });
  }
  if (sources.length > MAX_SOURCES) {
    jwt.problemAt(
      'from',
      `${sources.length} sources are too many to look at for each request: keep ${MAX_SOURCES}`,
    );
  }
  return sources;
}
