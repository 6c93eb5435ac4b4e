import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { symbolsOf } from '../../../../src/cli/terminal/line.ts';
import { TopProgram } from '../../../../src/cli/top/program.ts';
import { liveFrame } from '../../../support/http/live-frame.ts';

function start() {
  const calls: string[] = [];
  const written: string[] = [];
  const size = { width: 80, height: 24 };
  const host = {
    size,
    write: (text: string) => void written.push(text),
    suspend: () => void calls.push('suspend'),
    quit: () => void calls.push('quit'),
  };
  const program = new TopProgram(host, { symbols: symbolsOf({}), colours: false }, liveFrame(0));
  /** Returns the output since the last call. */
  const drawn = (): string => written.splice(0).join('');
  return { program, calls, drawn, size };
}

describe('the top program', () => {
  it('draws the first frame at once, and rates after the second', () => {
    const { program, drawn } = start();
    assert.match(drawn(), /sluice 1\.2\.3[^]*messages\/s \S*-/);
    program.onFrame(liveFrame(1));
    assert.match(drawn(), /messages\/s \S*15k/);
  });

  it('draws nothing if nothing has changed', () => {
    const { program, drawn } = start();
    program.onFrame(liveFrame(1));
    drawn();
    program.onKey('x');
    assert.equal(drawn(), '');
  });

  it('draws only the rows that have changed', () => {
    const { program, drawn } = start();
    program.onFrame(liveFrame(1));
    drawn();
    program.onFrame(liveFrame(2));
    const text = drawn();
    assert.match(text, /12:00:02Z/);
    assert.doesNotMatch(text, /messages\/s/);
  });

  it('freezes the screen while paused, and resumes with the newest frame', () => {
    const { program, drawn } = start();
    program.onKey(' ');
    assert.match(drawn(), /PAUSED/);
    program.onFrame(liveFrame(1));
    program.onFrame(liveFrame(2));
    assert.equal(drawn(), '');
    program.onKey(' ');
    assert.match(drawn(), /12:00:02Z/);
  });

  it('reports a lost connection, even while paused, until a frame arrives', () => {
    const { program, drawn } = start();
    program.onKey(' ');
    program.onLost('nothing listens there');
    assert.match(drawn(), /LOST, trying again[^]*nothing listens there/);
    program.onFrame(liveFrame(1));
    assert.doesNotMatch(drawn(), /LOST/);
  });

  it('reports a restart for ten frames', () => {
    const { program, drawn } = start();
    program.onFrame(liveFrame(1, { pid: 7 }));
    assert.match(drawn(), /the proxy was restarted/);
    for (let second = 2; second <= 11; second++) program.onFrame(liveFrame(second, { pid: 7 }));
    drawn();
    program.onRedraw();
    assert.doesNotMatch(drawn(), /restarted/);
  });

  it('wants events only while their view is shown and not paused', () => {
    const { program, drawn } = start();
    assert.equal(program.wantsEvents, false);
    program.onKey('7');
    assert.equal(program.wantsEvents, true);
    program.onEvents({ rows: [], problem: 'no token' });
    assert.match(drawn(), /no token/);
    program.onKey(' ');
    assert.equal(program.wantsEvents, false);
    program.onEvents({ rows: [], problem: 'late' });
    assert.doesNotMatch(drawn(), /late/);
  });

  it('redraws everything after a resize and on Ctrl-L', () => {
    const { program, drawn, size } = start();
    drawn();
    Object.assign(size, { width: 60, height: 14 });
    program.onRedraw();
    assert.match(drawn(), /\[1 all\]\S* 2 clust /);
    program.onKey('ctrl-l');
    assert.match(drawn(), /sluice 1\.2\.3/);
  });

  it('quits and suspends through its host', () => {
    const { program, calls } = start();
    program.onKey('ctrl-z');
    program.onKey('q');
    assert.deepEqual(calls, ['suspend', 'quit']);
  });
});
