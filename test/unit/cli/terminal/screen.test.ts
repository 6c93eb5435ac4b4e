import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { span } from '../../../../src/cli/terminal/line.ts';
import { Screen } from '../../../../src/cli/terminal/screen.ts';

describe('the screen', () => {
  it('is drawn once, then only where it changes', () => {
    const screen = new Screen(true);
    const first = [[span('one')], [span('two')]];
    assert.equal(screen.update(first, 10), '\u001b[1;1Hone\u001b[K\u001b[2;1Htwo\u001b[K');
    assert.equal(screen.update(first, 10), '');
    assert.equal(screen.update([[span('one')], [span('2')]], 10), '\u001b[2;1H2\u001b[K');
  });

  it('is redrawn at another width, and after it is forgotten', () => {
    const screen = new Screen(true);
    const lines = [[span('one')]];
    const all = screen.update(lines, 10);
    assert.equal(screen.update(lines, 9), all);
    screen.forget();
    assert.equal(screen.update(lines, 9), all);
  });

  it('does not clear the last character of a full line', () => {
    assert.equal(new Screen(true).update([[span('full')]], 4), '\u001b[1;1Hfull');
  });

  it('uses only bold and reverse if colours are off', () => {
    const lines = [[span('a', 'bad'), span('b', 'good'), span('c', 'bar'), span('d', 'dim')]];
    assert.equal(new Screen(false).update(lines, 4), '\u001b[1;1H\u001b[1ma\u001b[0mb\u001b[7mc\u001b[0md');
    assert.match(new Screen(true).update(lines, 4), /\u001b\[1;31ma\u001b\[0m\u001b\[32mb/);
  });

  it('replaces control characters with spaces', () => {
    const line = [span('a\u001b[2Jb\u009bc\nd\u007f')];
    assert.equal(new Screen(true).update([line], 10), '\u001b[1;1Ha [2Jb c d ');
  });
});
