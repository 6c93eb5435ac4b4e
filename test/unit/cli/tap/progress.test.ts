import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TapCounts } from '../../../../src/cli/tap/counts.ts';
import { showProgress } from '../../../../src/cli/tap/progress.ts';

describe('the progress of a recording', () => {
  it('is one line on a terminal, and is erased at the end', () => {
    const counts = new TapCounts();
    let screen = '';
    let tick = (): void => undefined;
    let isStopped = false;
    const output = { isTTY: true, write: (text: string) => (screen += text) };
    const end = showProgress(counts, output, (_, run) => {
      tick = run;
      return () => (isStopped = true);
    });
    counts.add({ type: 'lost', at: 1, frames: 2, sessions: 0, lines: 0 });
    tick();
    assert.equal(screen, '\r\u001b[K0 sessions, 0 frames, LOST 2 frames');
    end();
    assert.match(screen, /\r\u001b\[K$/);
    assert.ok(isStopped);
  });

  it('is not shown without a terminal', () => {
    let screen = '';
    showProgress(new TapCounts(), { write: (text: string) => (screen += text) })();
    assert.equal(screen, '');
  });
});
