import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FailureWindow } from '../../../../src/primary/clusters/failure-window.ts';

describe('a window of failures', () => {
  it('counts each client network once, until it has not failed for a whole window', () => {
    const window = new FailureWindow(1000);
    for (const client of ['192.0.2.1', '192.0.2.2', '192.0.2.1', '2001:db8::1', '2001:db8::2', '']) {
      window.add(client, 0);
    }
    assert.equal(window.clients(0), 4);
    window.add('192.0.2.1', 500);
    assert.equal(window.clients(999), 4);
    assert.equal(window.clients(1000), 1);
    assert.equal(window.clients(1500), 0);
  });

  it('remembers at most 256 networks', () => {
    const window = new FailureWindow(1000);
    for (let index = 0; index < 100_000; index++) window.add(`10.${index >> 16}.${index >> 8}.${index}`, 0);
    assert.equal(window.clients(0), 256);
  });

  it('reports the successes of the window once its samples cover it', () => {
    const window = new FailureWindow(1000);
    assert.equal(window.sample({ own: 5, others: 50 }, 0), null);
    assert.deepEqual([window.isSampleDue(99), window.isSampleDue(100)], [false, true]);
    assert.equal(window.sample({ own: 6, others: 60 }, 999), null);
    assert.deepEqual(window.sample({ own: 8, others: 90 }, 1500), { own: 3, others: 40 });
    assert.deepEqual(window.sample({ own: 8, others: 95 }, 2000), { own: 2, others: 35 });
    window.clear();
    assert.equal(window.sample({ own: 9, others: 99 }, 2100), null);
  });
});
