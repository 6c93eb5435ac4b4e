import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Retirement } from '../../../../src/worker/generations/retirement.ts';

describe('a live part of an older generation', () => {
  it('is counted until it is over, and then dropped once', () => {
    const retirement = new Retirement();
    let sessions = 3;
    let over = 0;
    retirement.add({ generation: 1, live: () => sessions, countsConnections: true, onOver: () => over++ });
    retirement.add({ generation: 2, live: () => 7 });
    assert.deepEqual(retirement.sweep(4), { connections: 3, oldest: 1 });
    sessions = 1;
    assert.deepEqual(retirement.sweep(4), { connections: 1, oldest: 1 });
    sessions = 0;
    assert.deepEqual(retirement.sweep(5), { connections: 0, oldest: 2 });
    sessions = 9;
    assert.deepEqual(retirement.sweep(5), { connections: 0, oldest: 2 });
    assert.equal(over, 1);
  });

  it('counts as part of the current generation if that has a listener of its name', () => {
    const retirement = new Retirement();
    let isThere = true;
    retirement.add({ generation: 1, live: () => 1, isCurrent: () => isThere });
    assert.deepEqual(retirement.sweep(8), { connections: 0, oldest: 8 });
    isThere = false;
    assert.deepEqual(retirement.sweep(9), { connections: 0, oldest: 8 });
  });

  it('is not over while it may grow', () => {
    const retirement = new Retirement();
    let mayGrow = true;
    let over = 0;
    retirement.add({ generation: 1, live: () => 0, mayGrow: () => mayGrow, onOver: () => over++ });
    assert.deepEqual(retirement.sweep(3), { connections: 0, oldest: 1 });
    assert.equal(over, 0);
    mayGrow = false;
    assert.deepEqual(retirement.sweep(3), { connections: 0, oldest: 3 });
    assert.equal(over, 1);
  });

  it('does not exist before a replacement', () => {
    assert.deepEqual(new Retirement().sweep(3), { connections: 0, oldest: 3 });
  });
});
