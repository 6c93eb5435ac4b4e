/** The verdicts as a table for people: in plain text at the end of a run, and as docs/reference/conformance.md. */
import { ranges, table } from '../page.ts';
import type { Case, Chapter, Deviation, Side } from './case.ts';
import { isOwn, listenersOf, type ListenerGroup } from './listeners.ts';
import type { Verdict } from './verdict.ts';

const SIDES: readonly Side[] = ['client', 'endpoint'];
/** The columns of a case. */
const RUNS = (['own', 'uws'] as const).flatMap((group) => SIDES.map((side) => ({ group, side })));

const INTRODUCTION = `# WebSocket conformance

\`WRITE_CONFORMANCE=1 npm run test:conformance\` writes this section. The suite fails if it is out of date.

The cases follow the Autobahn WebSocket testsuite (chapters 1 to 7, 9, 10, 12 and 13). They are written from its
descriptions, RFC 6455 and RFC 7692, with fewer messages where Autobahn sends a thousand. Cases whose number begins
with S are sluice's own. Each case runs through a real proxy from both sides:

- **Client**: a hostile client on a raw socket, and an endpoint that echoes. Valid messages must reach the endpoint and
  return. After an invalid frame, the connection must end with the code in the column "Expected", and the endpoint
  gets 1001.
- **Endpoint**: a hostile endpoint on a raw socket, and a plain client. Valid messages must reach the client. After an
  invalid frame, the endpoint must get the code in the column "Expected". The client gets all earlier messages, then
  1011 with the reason \`endpoint protocol error\`. The client itself judges the text of messages: its 1007 passes
  through the proxy.

Every engine runs the cases. \`raw\` and \`net\` must have equal results. They pass bytes on, so the receiver judges text and
compressed data, and its 1007 passes through the proxy in both directions. The endpoint answers the client's offer of
compression. On \`uws\` no endpoint is offered compression: chapters 12, 13 and S12 run with \`compression: shared\`, all
others with \`compression: off\`.

A result is a **pass**, or the number of a **known deviation** from the RFC or Autobahn's description. Known deviations
are tested too: the suite fails if one of them changes.

\`raw\` and \`net\` have no deviations: all belong to uWebSockets.js. Autobahn itself passes the cases that end without a
close frame, because RFC 6455 only says that there SHOULD be one.
`;

/** One column: the side of the hostile peer, and the engines. */
interface Run {
  readonly side: Side;
  readonly group: ListenerGroup;
}

/** A deviation, with its sides and cases. */
interface Numbered {
  readonly deviation: Deviation;
  readonly sides: Set<Side>;
  /** Ids of the cases with the deviation, in order. */
  readonly ids: Set<string>;
}

/** Names of the chapters, by the number before the first dot. */
const PARTS: Readonly<Record<string, string>> = {
  1: 'Framing',
  2: 'Pings and pongs',
  3: 'Reserved bits',
  4: 'Opcodes',
  5: 'Fragmentation',
  6: 'UTF-8',
  7: 'Close frames',
  9: 'Limits',
  10: 'Automatic fragmentation',
  12: 'Compression, by content',
  13: 'Compression, by parameters',
  S: 'Beyond Autobahn',
};

export class Report {
  readonly #chapters: readonly Chapter[];
  readonly #verdicts = new Map<string, Verdict[]>();
  /** By number, less one. */
  readonly #deviations: Numbered[] = [];

  constructor(chapters: readonly Chapter[]) {
    this.#chapters = chapters;
  }

  add(verdict: Verdict): void {
    const { one, side } = verdict;
    const key = keyOf(side, one.id);
    const others = this.#verdicts.get(key) ?? [];
    this.#verdicts.set(key, [...others, verdict]);
  }

  /** Whether every case has been judged wherever it is to run. */
  get isComplete(): boolean {
    return this.#chapters.every(({ cases }) =>
      cases.every((one) =>
        RUNS.every(({ side, group }) => {
          const listeners = listenersOf(one, side, group);
          return this.#of(side, one, group).length === listeners.length;
        }),
      ),
    );
  }

  /** One line for each case, and the counts. */
  toText(): string {
    this.#number();
    const lines = this.#chapters.flatMap(({ title, cases }) => [
      '',
      title,
      ...cases.map((one) => {
        const results = RUNS.map((run) => `${labelOf(run)}: ${this.#result(run, one)}`);
        return `  ${one.id.padEnd(8)} ${one.sends} | ${this.#expected(one)} | ${results.join(' | ')}`;
      }),
    ]);
    const deviations = this.#deviations.map(
      ({ deviation, sides }, index) =>
        `  known ${index + 1} (${[...sides].join(', ')}): ${deviation.instead} ${deviation.why}`,
    );
    const counts = RUNS.map((run) => {
      const { runs, passes } = this.#count(run, this.#chapters);
      return `  ${labelOf(run)}: ${runs} runs, ${passes} passes, ${runs - passes} known deviations`;
    });
    return [...lines, '', ...deviations, '', ...counts, ''].join('\n');
  }

  toMarkdown(): string {
    this.#number();
    const summary = [
      ['Chapter', ...RUNS.flatMap((run) => [`${labelOf(run)}: runs`, 'passes', 'known'])],
      ...Object.entries(PARTS).map(([part, name]) => [
        `${part} ${name}`,
        ...this.#countRow(this.#chapters.filter(({ title }) => partOf(title) === part)),
      ]),
      ['**All**', ...this.#countRow(this.#chapters)],
    ];
    const deviations = this.#deviations.map(
      ({ deviation, sides, ids }, index) =>
        `${index + 1}. ${[...sides].map((side) => `**${capital(side)}**`).join(' and ')}: ${deviation.instead} ${deviation.why} Cases \`${ranges([...ids])}\`.`,
    );
    const chapters = this.#chapters.flatMap(({ title, cases }) => [
      `### ${title}`,
      table([
        ['Case', 'Sent', 'Expected', ...RUNS.map(labelOf)],
        ...cases.map((one) => [
          one.id,
          one.sends,
          this.#expected(one),
          ...RUNS.map((run) => this.#result(run, one)),
        ]),
      ]),
    ]);
    return [
      INTRODUCTION,
      '## Counts',
      table(summary),
      '## Known deviations',
      deviations.join('\n'),
      '## Cases',
      ...chapters,
    ].join('\n\n');
  }

  /** Gives the deviations their numbers, in the order in which cases have them. */
  #number(): void {
    this.#deviations.length = 0;
    for (const one of this.#chapters.flatMap(({ cases }) => cases)) {
      for (const { known, side } of RUNS.flatMap(({ side, group }) => this.#of(side, one, group))) {
        if (known === null) continue;
        const found = this.#deviations[this.#indexOf(known)];
        if (found === undefined) {
          this.#deviations.push({ deviation: known, sides: new Set([side]), ids: new Set([one.id]) });
        } else {
          found.sides.add(side);
          found.ids.add(one.id);
        }
      }
    }
  }

  #indexOf({ instead, why }: Deviation): number {
    return this.#deviations.findIndex(
      ({ deviation }) => deviation.instead === instead && deviation.why === why,
    );
  }

  #of(side: Side, one: Case, group: ListenerGroup): readonly Verdict[] {
    const all = this.#verdicts.get(keyOf(side, one.id)) ?? [];
    return all.filter(({ listener }) => isOwn(listener) === (group === 'own'));
  }

  #expected(one: Case): string {
    return RUNS.flatMap(({ side, group }) => this.#of(side, one, group))[0]?.expected ?? '';
  }

  #result({ side, group }: Run, one: Case): string {
    if (listenersOf(one, side, group).length === 0) return '-';
    const results = this.#of(side, one, group).map(({ listener, known }) => ({
      listener,
      text: known === null ? 'pass' : `known ${this.#indexOf(known) + 1}`,
    }));
    const [first, ...others] = results;
    if (first === undefined) return 'FAILED';
    if (others.every(({ text }) => text === first.text)) return first.text;
    return results.map(({ listener, text }) => `${listener}: ${text}`).join(', ');
  }

  /** Verdicts of `raw` and `net` are the same and count once. */
  #count(
    { side, group }: Run,
    chapters: readonly Chapter[],
  ): { readonly runs: number; readonly passes: number } {
    const verdicts = chapters.flatMap(({ cases }) =>
      cases.flatMap((one) => this.#of(side, one, group).slice(0, group === 'own' ? 1 : undefined)),
    );
    return { runs: verdicts.length, passes: verdicts.filter(({ known }) => known === null).length };
  }

  #countRow(chapters: readonly Chapter[]): string[] {
    return RUNS.flatMap((run) => {
      const { runs, passes } = this.#count(run, chapters);
      return [runs, passes, runs - passes].map(String);
    });
  }
}

function labelOf({ side, group }: Run): string {
  return group === 'own' ? capital(side) : `${capital(side)}, \`uws\``;
}

/** Whether a case makes sense on a side. */
export function runsOn(one: Case, side: Side): boolean {
  return one.only === undefined || one.only === side;
}

function partOf(title: string): string {
  return /^\d+|^S/.exec(title)?.[0] ?? '';
}

function keyOf(side: Side, id: string): string {
  return `${side} ${id}`;
}

function capital(word: string): string {
  return word[0]!.toUpperCase() + word.slice(1);
}
