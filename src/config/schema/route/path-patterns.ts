/** Finds path conditions that no request can match, because paths are normalised first. */
import type { PathSettings } from '../../types/listener.ts';
import { literalRuns } from './expression-literals.ts';

/** The part of a pattern that matches no path, and the reason with a remedy. */
type Fault = readonly [part: string, reason: string];

/** RFC 3986 section 2.3. Escapes of these characters are decoded. */
const UNRESERVED = /[\w.~-]/;
const ESCAPE = /%[\dA-Fa-f]{2}/g;

/** Explains why no path can equal a `path` or begin with a `pathPrefix`. Null if one can. */
export function faultOfPath(text: string, paths: PathSettings): string | null {
  const fault = faultOf(text, paths);
  return fault === null ? null : messageOf(fault);
}

/** Lists the literal parts of a `pathRegex` that match no path, with reasons. */
export function faultsOfExpression(source: string, paths: PathSettings): string[] {
  const { runs, ignoresCase } = literalRuns(source);
  return runs.flatMap((run) => {
    const fault = faultOf(run, paths) ?? faultOfSpelling(run, ignoresCase);
    return fault === null ? [] : [`pathRegex: ${messageOf(fault)}`];
  });
}

function messageOf([part, reason]: Fault): string {
  return `no path has ${JSON.stringify(part)}: ${reason}`;
}

function faultOf(text: string, paths: PathSettings): Fault | null {
  const { mergeSlashes, escapedSlashes, pathParameters } = paths;
  const broken = /%(?![\dA-F]{2})..?/i.exec(text);
  // At the end of a literal part, the rest of the escape may be another kind of token.
  if (broken !== null && broken[0].length === 3) return [broken[0], 'it is not an escape. Write %25 for "%"'];
  if (text.includes('\\')) return ['\\', 'paths with it are refused. Write %5C'];
  if (text.includes('%00')) return ['%00', 'paths with it are refused. Leave it out'];
  const slash = /%(?:2F|5C)/i.exec(text);
  if (slash !== null && escapedSlashes !== 'keep') {
    const other = escapedSlashes === 'decode' ? '"/" here' : 'another path here';
    return [slash[0], `"escapedSlashes: ${escapedSlashes}" applies first. Write keep there, or ${other}`];
  }
  if (pathParameters !== 'keep' && text.includes(';')) {
    return [';', `"pathParameters: ${pathParameters}" applies first. Write keep there, or leave it out here`];
  }
  if (mergeSlashes && text.includes('//')) {
    return ['//', '"mergeSlashes: true" applies first. Write one slash'];
  }
  return null;
}

/** Finds a fault that only expressions can have: `path` and `pathPrefix` are normalised or refused. */
function faultOfSpelling(text: string, ignoresCase: boolean): Fault | null {
  const foreign = /[^\x21-\x7e]+/u.exec(text);
  if (foreign !== null) return [foreign[0], `paths contain it escaped. Write ${escapesOf(foreign[0])}`];
  const query = /[?#]/.exec(text);
  if (query !== null) return [query[0], 'the query is not part of the path. Leave it out and use "query"'];
  for (const [escape] of text.matchAll(ESCAPE)) {
    const decoded = String.fromCharCode(Number.parseInt(escape.slice(1), 16));
    if (UNRESERVED.test(decoded)) return [escape, `this escape is decoded first. Write ${decoded}`];
    const upper = escape.toUpperCase();
    if (escape !== upper && !ignoresCase) return [escape, `escapes become upper case first. Write ${upper}`];
  }
  return null;
}

function escapesOf(text: string): string {
  const bytes = Buffer.from(text.slice(0, 20), 'utf8');
  return Array.from(bytes, (byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('');
}
