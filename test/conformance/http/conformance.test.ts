import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  ENGINES,
  TESTS_ALL_OVER_TLS,
  TLS_ENGINES,
  type EngineName,
  type TlsEngine,
} from '../../support/engines.ts';
import { nginxVersion } from '../../support/processes/nginx.ts';
import { WRITES_PAGE, assertSection, readSection } from '../page.ts';
import type { Case, Chapter } from './case.ts';
import { CHUNKED, CODINGS, LENGTHS } from './cases/bodies.ts';
import { CONNECTION, HOSTS, SYNTAX } from './cases/headers.ts';
import { LIMITS, PIPELINING, SMUGGLING } from './cases/smuggling.ts';
import { REQUEST_LINE, TARGETS, VERSIONS } from './cases/targets.ts';
import { BESIDE, TITLE, besideNginx, difference, toMarkdown } from './report.ts';
import { Rig, type Proxy } from './rig.ts';
import { expectOutcome, observeOutcome, type Observation } from './run.ts';

const CHAPTERS: readonly Chapter[] = [
  REQUEST_LINE,
  TARGETS,
  VERSIONS,
  HOSTS,
  SYNTAX,
  CONNECTION,
  LENGTHS,
  CHUNKED,
  CODINGS,
  SMUGGLING,
  PIPELINING,
  LIMITS,
];
/** Over TLS, unless all are run: what depends on the ends of connections and on reads that are cut anywhere. */
const CHAPTERS_OVER_TLS: readonly Chapter[] = TESTS_ALL_OVER_TLS
  ? CHAPTERS
  : [CONNECTION, LENGTHS, PIPELINING];
/** Of one chapter: each may have taken its whole deadline. */
const MAX_FAILURES = 3;
const MAX_BYTES_ONE_BY_ONE = 1024;
/** How much longer nginx is waited for when it seems to do otherwise than before: the machine may be busy. */
const PATIENCE = WRITES_PAGE ? [10] : [1, 10, 60];

describe('HTTP conformance', { timeout: 118_000 }, () => {
  let rig: Rig;
  /** Runs at the same time as the cases. */
  let nginx: Promise<{ one: Case; seen: Observation }[]> | null = null;
  /** The page's section about nginx. */
  const section = readSection(TITLE);
  const known = section.slice(section.indexOf(BESIDE), section.indexOf('## HTTP: cases')).trim();
  const version = nginxVersion();

  before(async () => {
    rig = await Rig.start();
    if (rig.nginx.length === 0 || (!WRITES_PAGE && !known.includes(`nginx ${version!} `))) return;
    nginx = observeAll(rig.nginx, known);
    // It is looked at in the end.
    nginx.catch(() => undefined);
  });
  after(async () => {
    await rig.stop();
  });

  const runs: (readonly [EngineName | TlsEngine, readonly Chapter[]])[] = [
    ...ENGINES.map((engine) => [engine, CHAPTERS] as const),
    ...TLS_ENGINES.map((engine) => [engine, CHAPTERS_OVER_TLS] as const),
  ];
  for (const [engine, chapters] of runs) {
    describe(`the engine ${engine}`, () => {
      for (const { title, cases } of chapters) {
        it(title, async ({ signal }) => {
          const failures: string[] = [];
          const judge = async (one: Case, cutting: 'whole' | 'bytes'): Promise<void> => {
            if (signal.aborted || failures.length === MAX_FAILURES) return;
            try {
              await expectOutcome(rig.sluice.get(engine)!, one, cutting);
            } catch (error) {
              failures.push(`${one.id} ${one.sends} (${cutting}): ${(error as Error).message}`);
            }
          };
          for (const one of cases) {
            await judge(one, 'whole');
            if (isCutEverywhere(one, engine)) await judge(one, 'bytes');
          }
          assert.equal(failures.join('\n\n'), '');
        });
      }
    });
  }

  it('is told by docs/reference/conformance.md as it is, and beside nginx if that is the same', async (t) => {
    let beside = known;
    if (nginx !== null) beside = besideNginx(version!, await nginx);
    else t.diagnostic(`what nginx does is taken from the page: there is ${version ?? 'none'} here`);
    await assertSection(toMarkdown(CHAPTERS, beside));
  });
});

/** Passing cases are also sent byte by byte. sluice's own engines give the same answer to all of these. */
function isCutEverywhere(one: Case, engine: EngineName | TlsEngine): boolean {
  if (one.first !== undefined || one.bytes.length >= MAX_BYTES_ONE_BY_ONE) return false;
  if (engine !== 'uws') return true;
  const { kind } = (one.uws ?? one).outcome;
  return kind === 'passes' || kind === 'waits';
}

/** Every nginx takes the next case when it is done with one. */
async function observeAll(
  nginxes: readonly Proxy[],
  known: string,
): Promise<{ one: Case; seen: Observation }[]> {
  const cases = CHAPTERS.flatMap((chapter) => chapter.cases);
  const results: { one: Case; seen: Observation }[] = [];
  let next = 0;
  const work = async (nginx: Proxy): Promise<void> => {
    while (next < cases.length) {
      const index = next++;
      const one = cases[index]!;
      results[index] = { one, seen: await observe(nginx, one, known) };
    }
  };
  await Promise.all(nginxes.map(work));
  return results;
}

async function observe(nginx: Proxy, one: Case, known: string): Promise<Observation> {
  let seen: Observation | null = null;
  for (const patience of PATIENCE) {
    seen = await observeOutcome(nginx, one, patience);
    const row = difference({ one, seen });
    if (row === null ? !known.includes(`\n| ${one.id} `) : known.includes(row.at(-1)!)) break;
  }
  return seen!;
}
