/** The lines of refused handshakes under one configuration and the next. */
import assert from 'node:assert/strict';
import { afterEach, describe, it, mock } from 'node:test';
import type { Journal } from '../../../../src/telemetry/journal/journal.ts';
import { journalOf, type JournalLine } from '../../../support/journals.ts';
import { HANDSHAKE } from './exchanges.ts';
import { listener, type World } from './world.ts';

const LINES_PER_SECOND = 100;

afterEach(() => mock.restoreAll());

/** A dispatcher that refused more handshakes in one second than get separate lines. */
function flooded(more: number): { before: World; journal: Journal; lines: JournalLine[] } {
  mock.method(Date, 'now', () => 0);
  const lines: JournalLine[] = [];
  const journal = journalOf(lines);
  const before = listener({ routes: [], journal });
  for (let count = 0; count < LINES_PER_SECOND + more; count++) before.take({ headers: HANDSHAKE });
  assert.equal(lines.length, LINES_PER_SECOND);
  lines.length = 0;
  return { before, journal, lines };
}

describe('refused handshakes without their own lines', () => {
  it('are still counted under the next configuration', () => {
    const { before, journal, lines } = flooded(3);
    const next = listener({ routes: [], journal }, before);
    next.take({ headers: HANDSHAKE });
    assert.deepEqual(lines, []);
    next.dispatcher.flushLog();
    assert.deepEqual(
      lines.map(({ msg, count }) => [msg, count]),
      [['handshakes refused', 4]],
    );
  });
});
