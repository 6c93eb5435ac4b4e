/** Results of the suite, as a section of docs/reference/conformance.md. */
import { ranges, table } from '../page.ts';
import type { Case, Chapter, Deviation, Known, Outcome } from './case.ts';
import { describe, type Observation } from './run.ts';

export const TITLE = '# HTTP conformance';
export const BESIDE = '## Beside nginx';

const INTRODUCTION = `\`WRITE_CONFORMANCE=1 npm run test:conformance\` writes this section. The suite fails if it is out of date.

Each case is a request, valid or not, written byte for byte to a real proxy with a real endpoint behind it
(\`test/conformance/http\`). The suite compares the response, and whether the proxy closes the connection. If the request
passes, it compares every byte that the endpoint gets.

All engines get the same cases. If \`uws\` differs, the last column has the difference and its reason.

After each case, another client asks on another connection and must get its own response. If the connection stays open,
the same client asks again. Every short case is also sent byte by byte, from its second line on. \`uws\` gets only the
passing ones in this way.

A **known** deviation contradicts RFC 9110 or RFC 9112. In no deviation does the endpoint get bytes that the proxy has not
judged. The suite fails if one of them changes.`;

interface Beside {
  readonly one: Case;
  readonly seen: Observation;
}

/** The section. @param beside the part of it that {@link besideNginx} makes */
export function toMarkdown(chapters: readonly Chapter[], beside: string): string {
  const all = chapters.flatMap(({ cases }) => cases);
  const reasons = [...new Set(all.flatMap(({ known }) => (known === undefined ? [] : [keyOf(known)])))];
  const numberOf = (known: Known): number => reasons.indexOf(keyOf(known)) + 1;
  const deviations = reasons.map((reason, index) => {
    const cases = all.filter(({ known }) => known !== undefined && keyOf(known) === reason);
    const { wanted, why } = cases[0]!.known!;
    return `${index + 1}. Wanted: ${wanted}. ${why} Cases \`${ranges(cases.map(({ id }) => id))}\`.`;
  });
  const whys = [...new Set(all.flatMap(({ uws }) => (uws === undefined ? [] : [uws.why])))];
  const differences = whys.map((why, index) => {
    const ids = all.filter(({ uws }) => uws?.why === why).map(({ id }) => id);
    return `${index + 1}. ${why} Cases \`${ranges(ids)}\`.`;
  });
  const uwsResult = ({ outcome, uws }: Case): string =>
    uws === undefined ? 'the same' : `${instead(outcome, uws)} (${whys.indexOf(uws.why) + 1})`;
  const counts = table([
    ['Chapter', 'Cases', 'Known deviations', 'Different on `uws`'],
    ...chapters.map(({ title, cases }) => countRow(title, cases)),
    countRow('**All**', all),
  ]);
  return [
    TITLE,
    INTRODUCTION,
    '## HTTP: counts',
    counts,
    '## HTTP: known deviations',
    deviations.join('\n'),
    '## HTTP: differences of the engine `uws`',
    differences.join('\n'),
    beside,
    '## HTTP: cases',
    ...chapters.flatMap(({ title, cases }) => [
      `### ${title}`,
      table([
        ['Case', 'Sent', 'Answer, connection', 'Result', 'On `uws`'],
        ...cases.map((one) => [
          one.id,
          one.sends,
          describe(one.outcome),
          one.known === undefined ? 'pass' : `known ${numberOf(one.known)}`,
          uwsResult(one),
        ]),
      ]),
    ]),
  ].join('\n\n');
}

/** Returns the section about nginx. */
export function besideNginx(version: string, results: readonly Beside[]): string {
  const rows = results.map((result) => difference(result)).filter((row) => row !== null);
  return [
    BESIDE,
    `nginx ${version} got the same bytes, with \`proxy_pass\` to the same kind of endpoint. Of ${results.length} cases, it differs in ${rows.length}:`,
    table([['Case', 'Sent', 'sluice', 'nginx'], ...rows]),
  ].join('\n\n');
}

/** Returns the row of a case in which nginx differs; null if it does not. */
export function difference({ one, seen }: Beside): string[] | null {
  const { id, sends, outcome } = one;
  const [ours, theirs] = [describe(outcome), describe(seen)];
  const received = (outcome.kind === 'passes' ? outcome.received : []).map(essence);
  const theirReceived = seen.received.map(essence);
  if (ours === theirs && JSON.stringify(received) === JSON.stringify(theirReceived)) return null;
  // What differs is of interest where it reaches the endpoint by way of both.
  const reached = received.length > 0 && theirReceived.length > 0;
  const row = (answer: string, mine: readonly string[][], other: readonly string[][]): string =>
    [answer, ...(reached ? mine.flatMap((parts, index) => shown(parts, other[index])) : [])].join('; ');
  return [id, sends, row(ours, received, theirReceived), row(theirs, theirReceived, received)];
}

/** Parts of a request that no configuration changes: its first line, the client's header lines, framing and body. */
function essence(text: string): string[] {
  const end = text.indexOf('\r\n\r\n');
  const [line = '', ...lines] = text.slice(0, end).split('\r\n');
  const headers = lines
    .map((header) => header.replace(/^[^:]*/, (name) => name.toLowerCase()))
    .filter(
      (header) =>
        !/^(?:x-forwarded-(?:for|proto|host|port)|x-real-ip|x-request-id|connection):?/.test(header),
    )
    .sort();
  return [line, ...headers, text.slice(end + 4)];
}

/** The parts that the other has not. */
function shown(parts: readonly string[], other: readonly string[] = []): string[] {
  return parts.filter((part) => part !== '' && !other.includes(part)).map((part) => `\`${escaped(part)}\``);
}

/** Escapes unprintable characters as JavaScript does, and cuts long texts. */
function escaped(text: string): string {
  const printable = text
    .slice(0, 60)
    .replace(/[^\x20-\x7e]/g, (character) =>
      character === '\r'
        ? '\\r'
        : character === '\n'
          ? '\\n'
          : `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`,
    );
  return printable.replaceAll('`', "'") + (text.length > 60 ? '...' : '');
}

function countRow(title: string, cases: readonly Case[]): string[] {
  const known = cases.filter((one) => one.known !== undefined).length;
  const other = cases.filter(({ uws }) => uws !== undefined).length;
  return [title, String(cases.length), String(known), String(other)];
}

/** The result on another engine, even if the response alone does not show it. */
function instead(outcome: Outcome, { outcome: other }: Deviation): string {
  const [right, text] = [describe(outcome), describe(other)];
  return text === right ? 'other bytes upstream' : text;
}

function keyOf({ wanted, why }: Known): string {
  return `${wanted} ${why}`;
}
