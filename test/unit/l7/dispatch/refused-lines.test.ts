/** The lines of refused handshakes under one configuration and the next. */
import assert from 'node:assert/strict';
import { afterEach, describe, it, mock } from 'node:test';
import { capture } from '../../primary/fixtures/config.ts';
import { HANDSHAKE } from './exchanges.ts';
import { listener, type World } from './world.ts';

const LINES_PER_SECOND = 100;

afterEach(() => mock.restoreAll());

/** A dispatcher that has refused more handshakes in one second than get lines of their own. */
function flooded(more: number): { before: World; access: ReturnType<typeof capture> } {
  mock.method(Date, 'now', () => 0);
  const access = capture();
  const before = listener({ routes: [], access: access.log });
  for (let count = 0; count < LINES_PER_SECOND + more; count++) before.take({ headers: HANDSHAKE });
  assert.equal(access.lines.length, LINES_PER_SECOND);
  access.lines.length = 0;
  return { before, access };
}

describe('handshakes that are refused without a line of their own', () => {
  it('are counted on under the next configuration', () => {
    const { before, access } = flooded(3);
    const next = listener({ routes: [], access: access.log }, before);
    next.take({ headers: HANDSHAKE });
    assert.deepEqual(access.lines, []);
    next.dispatcher.flushLog();
    assert.deepEqual(
      access.lines.map(({ msg, count }) => [msg, count]),
      [['handshakes refused', 4]],
    );
  });

  it('stay with the log of the configuration before, if the next has another', () => {
    const { before, access } = flooded(3);
    const other = capture();
    const next = listener({ routes: [], access: other.log }, before);
    next.take({ headers: HANDSHAKE });
    assert.deepEqual([other.lines.length, access.lines.length], [1, 0]);
  });
});
