import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { INITIAL, press, type Shown, type TopState } from '../../../../src/cli/top/state.ts';

const SHOWN: Shown = { lines: 30, room: 10, numeric: [false, true] };

function after(keys: readonly string[], from: TopState = INITIAL, shown = SHOWN): TopState {
  return keys.reduce((state, key) => {
    const next = press(state, key, shown);
    assert.ok(typeof next === 'object', `${key} gives ${JSON.stringify(next)}`);
    return next;
  }, from);
}

describe('keys in top', () => {
  it('select a view by its number, or the next one by Tab or an arrow', () => {
    assert.equal(after(['3']).view, 'endpoints');
    assert.equal(after(['tab', 'right']).view, 'endpoints');
    assert.equal(after(['backtab']).view, 'events');
    assert.equal(after(['8', '9', '0']).view, 'all');
  });

  it('scroll no further than either end, and start at the top of another view', () => {
    assert.equal(after(['down', 'j', 'up']).offset, 1);
    assert.equal(after(['up']).offset, 0);
    assert.equal(after(['pagedown', 'pagedown', 'pagedown']).offset, 20);
    assert.equal(after(['end', 'k']).offset, 19);
    assert.equal(after(['end', 'home']).offset, 0);
    assert.equal(after(['end', '2']).offset, 0);
    // The table has fewer rows than at the last scroll.
    assert.equal(after(['up'], { ...INITIAL, offset: 1000 }).offset, 19);
  });

  it('cycle through the sort columns: text ascending, numbers descending, then unsorted', () => {
    const orders = [['s'], ['s', 's'], ['s', 's', 's'], ['<'], ['<', 'S']].map(
      (keys) => after(keys).sorts.all,
    );
    assert.deepEqual(orders, [
      { column: 0, falling: false },
      { column: 1, falling: true },
      undefined,
      { column: 1, falling: true },
      { column: 1, falling: false },
    ]);
    assert.deepEqual(after(['S']).sorts, {});
    assert.deepEqual(after(['s'], INITIAL, { ...SHOWN, numeric: [] }).sorts, {});
  });

  it('keep a separate sort order for each view', () => {
    const { sorts } = after(['2', 's', '3', '<']);
    assert.deepEqual(sorts, {
      clusters: { column: 0, falling: false },
      endpoints: { column: 1, falling: true },
    });
  });

  it('are typed into the filter until Enter or Esc', () => {
    assert.equal(after(['/', 'q', '1', ' ', 'x', 'backspace']).filter, 'q1 ');
    assert.deepEqual(after(['/', 'a', 'enter', '2']), { ...INITIAL, filter: 'a', view: 'clusters' });
    assert.deepEqual(after(['/', 'a', 'escape']), INITIAL);
    assert.deepEqual(after(['/', 'a', 'enter', 'escape']), INITIAL);
    assert.equal(after(['/', 'a', 'ctrl-u', 'up', 'tab']).filter, '');
  });

  it('enter the filter as the screen shows them, with non-ASCII characters escaped, up to 64 characters', () => {
    assert.equal(after(['/', 'ü']).filter, '\\u00fc');
    assert.equal(after(['/', ...Array<string>(100).fill('x')]).filter.length, 64);
  });

  it('pause the screen, or show the help until the next key', () => {
    assert.equal(after([' ']).paused, true);
    assert.equal(after([' ', ' ']).paused, false);
    assert.equal(after(['?']).help, true);
    assert.deepEqual(after(['?', '2']), INITIAL);
  });

  it('quit, suspend or redraw, even while the filter or the help is open', () => {
    const typing = after(['/']);
    const help = after(['?']);
    for (const state of [INITIAL, typing, help]) {
      assert.equal(press(state, 'ctrl-c', SHOWN), 'quit');
      assert.equal(press(state, 'ctrl-z', SHOWN), 'suspend');
      assert.equal(press(state, 'ctrl-l', SHOWN), 'redraw');
    }
    assert.equal(press(INITIAL, 'q', SHOWN), 'quit');
    assert.equal(press(help, 'q', SHOWN), 'quit');
  });

  it('do nothing if they are not bound', () => {
    for (const key of ['x', 'delete', 'enter', '中']) assert.equal(press(INITIAL, key, SHOWN), INITIAL);
  });
});
