import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { ENGINES, TESTS_ALL_OVER_TLS, TLS_ENGINES } from '../../support/engines.ts';
import { assertSection } from '../page.ts';
import type { Chapter } from './case.ts';
import { BEYOND } from './cases/beyond.ts';
import { CLOSING } from './cases/closing.ts';
import { COMPRESSION } from './cases/compression.ts';
import { FRAMING } from './cases/framing.ts';
import { LIMITS } from './cases/limits.ts';
import { UTF8 } from './cases/utf8.ts';
import { isSecure, listenersOf } from './listeners.ts';
import { Report, runsOn } from './report.ts';
import { Rig } from './rig.ts';
import { judge } from './verdict.ts';

const CHAPTERS: readonly Chapter[] = [...FRAMING, ...UTF8, ...CLOSING, ...LIMITS, ...COMPRESSION, ...BEYOND];

/** Over TLS, unless all are run: what depends on the ends of connections and on reads that are cut anywhere. */
const CHAPTERS_OVER_TLS: readonly Chapter[] = TESTS_ALL_OVER_TLS ? CHAPTERS : [...CLOSING, ...LIMITS];

/** Of one chapter: each may have taken its whole deadline. */
const MAX_FAILURES = 3;

describe('WebSocket conformance', { timeout: 880_000 }, () => {
  const report = new Report(CHAPTERS);
  let rig: Rig;
  before(async () => {
    rig = await Rig.start();
  });
  after(async () => {
    process.stdout.write(`${report.toText()}\n`);
    await rig.stop();
  });

  describe('from both sides at once', { concurrency: true }, () => {
    for (const side of ['client', 'endpoint'] as const) {
      describe(`a hostile ${side}`, { concurrency: 1 }, () => {
        for (const chapter of CHAPTERS) {
          const { title, cases } = chapter;
          const secure = CHAPTERS_OVER_TLS.includes(chapter) ? TLS_ENGINES : [];
          const here = cases.filter((one) => runsOn(one, side));
          if (here.length === 0) continue;
          it(title, async ({ signal }) => {
            const failures: string[] = [];
            for (const one of here) {
              const own = listenersOf(one, side, 'own');
              const listeners = [
                ...own,
                ...(own.length === 0 ? [] : secure),
                ...listenersOf(one, side, 'uws'),
              ];
              for (const listener of listeners) {
                if (signal.aborted || failures.length === MAX_FAILURES) break;
                try {
                  const verdict = await judge(rig, side, listener, one);
                  if (!isSecure(listener)) report.add(verdict);
                } catch (error) {
                  failures.push(`${one.id} (${listener}): ${(error as Error).message}\n${rig.lastLines}`);
                }
              }
            }
            assert.equal(failures.join('\n\n'), '');
          });
        }
      });
    }
  });

  it('is told by docs/reference/conformance.md as it is', async (t) => {
    if (!report.isComplete || !ENGINES.includes('uws')) {
      t.skip('not every case has ended on every engine');
      return;
    }
    await assertSection(report.toMarkdown());
  });
});
