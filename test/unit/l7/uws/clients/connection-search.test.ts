import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ConnectionSearch, MAX_WAITING } from '../../../../../src/l7/uws/clients/connection-search.ts';
import { KnownConnections } from '../../../../../src/l7/uws/clients/known-connections.ts';
import { FakeKernel } from './fake-kernel.ts';

class Rig {
  readonly kernel = new FakeKernel();
  readonly search: ConnectionSearch;
  /** Descriptors that were found, by the name of their request; null for none. */
  readonly found = new Map<string, number | null>();
  /** The longest time that was spent at once. */
  longest = 0;
  #due: (() => void)[] = [];
  #delayed: [number, () => void][] = [];

  constructor(connections: number, silence = 0) {
    for (let fd = 7; fd < 7 + connections; fd++) this.kernel.accept(fd, silence);
    this.search = new ConnectionSearch(this.kernel, new KnownConnections(this.kernel, this.kernel), {
      now: () => this.kernel.now,
      later: (callback) => this.#due.push(callback),
      soon: (callback) => this.#due.push(callback),
      delay: (ms, callback) => this.#delayed.push([ms, callback]),
    });
  }

  find(name: string, fd: number, address?: string): () => void {
    const requester = this.kernel.requester(fd, { address });
    return this.search.find(requester, (client) => {
      assert.ok(!this.found.has(name));
      this.found.set(name, client?.fd ?? null);
    });
  }

  /** One step at most. */
  step(): boolean {
    const before = this.kernel.now;
    for (const callback of this.#due.splice(0)) callback();
    this.longest = Math.max(this.longest, this.kernel.now - before);
    const [delayed] = this.#delayed.splice(0, 1);
    if (delayed !== undefined) {
      this.kernel.now += delayed[0];
      delayed[1]();
    }
    return this.#due.length > 0;
  }

  run(): void {
    for (let steps = 0; this.step(); steps++) assert.ok(steps < 1000);
  }
}

describe('the search for clients', () => {
  it('finds connections among many other descriptors', () => {
    const rig = new Rig(300);
    for (const fd of [7, 134, 135, 306]) {
      rig.find(`${fd}`, fd);
      rig.run();
      assert.equal(rig.found.get(`${fd}`), fd);
    }
  });

  it('finds those of all waiting requests at once', () => {
    const rig = new Rig(400);
    for (let fd = 7; fd < 407; fd++) rig.find(`${fd}`, fd);
    assert.equal(rig.found.size, 0);
    rig.run();
    for (let fd = 7; fd < 407; fd++) assert.equal(rig.found.get(`${fd}`), fd);
    assert.ok(rig.kernel.looks <= 407, `${rig.kernel.looks}`);
    assert.ok(rig.kernel.hidden <= 400);
  });

  it('hides only recently active connections', () => {
    const rig = new Rig(5000, 100_000);
    rig.kernel.sockets.get(4000)!.silence = 0;
    rig.find('late', 4000);
    rig.run();
    assert.deepEqual([rig.found.get('late'), rig.kernel.hidden], [4000, 1]);
  });

  it('finds a connection whose bytes were read long after they arrived', () => {
    const rig = new Rig(5000, 100_000);
    rig.find('slow', 4000);
    rig.run();
    assert.equal(rig.found.get('slow'), 4000);
  });

  it('takes a fifth of the time after 50 ms, in steps of a few milliseconds', () => {
    const rig = new Rig(60_000, 100_000);
    rig.find('slow', 59_000);
    rig.run();
    assert.equal(rig.found.get('slow'), 59_000);
    assert.ok(rig.longest < 3, `${rig.longest} ms`);
    const busy = rig.kernel.looks * 0.001;
    assert.ok(busy > 100);
    assert.ok(busy <= 53 + rig.kernel.now * 0.2, `${busy} of ${rig.kernel.now} ms`);
  });

  it('starts at its latest hit', () => {
    const rig = new Rig(20_000, 100_000);
    for (const fd of [15_000, 15_010]) {
      rig.kernel.sockets.get(fd)!.silence = 0;
      const before = rig.kernel.looks;
      rig.find(`${fd}`, fd);
      rig.run();
      assert.equal(rig.found.get(`${fd}`), fd);
      assert.equal(rig.kernel.looks - before > 3000, fd === 15_000);
    }
  });

  it('finds connections of requests that arrive in the middle of a round', () => {
    const rig = new Rig(5000, 100_000);
    rig.find('first', 4500);
    rig.step();
    rig.find('second', 10);
    rig.run();
    assert.deepEqual([rig.found.get('first'), rig.found.get('second')], [4500, 10]);
  });

  it('gives up if no descriptor matches, after 5 s, or without a free descriptor', () => {
    const rig = new Rig(10);
    rig.kernel.accept(5000);
    const requester = rig.kernel.requester(5000);
    rig.kernel.sockets.delete(5000);
    rig.search.find(requester, (client) => rig.found.set('gone', client?.fd ?? null));
    rig.run();
    assert.equal(rig.found.get('gone'), null);
    const late = new Rig(10_000, 100_000);
    late.find('late', 9999);
    late.step();
    late.kernel.now += 5000;
    late.run();
    assert.equal(late.found.get('late'), null);
    const full = new Rig(1);
    full.kernel.isFull = true;
    full.find('full', 7);
    full.run();
    assert.equal(full.found.get('full'), null);
  });

  it('forgets requests whose client has disconnected', () => {
    const rig = new Rig(2);
    rig.find('gone', 7)();
    rig.find('stays', 8);
    rig.run();
    assert.deepEqual([...rig.found], [['stays', 8]]);
  });

  it('drops a request of the network with the most if too many wait', () => {
    const rig = new Rig(2000);
    for (let count = 0; count < MAX_WAITING; count++) rig.find(`flood${count}`, 7 + count, '192.0.2.1');
    rig.find('more', 1500, '192.0.2.1');
    assert.deepEqual([...rig.found], [['more', null]]);
    rig.find('honest', 1900, '198.51.100.1');
    assert.deepEqual([...rig.found.keys()], ['more', 'flood0']);
    rig.run();
    assert.equal(rig.found.get('honest'), 1900);
    assert.equal(rig.found.get('flood1'), 8);
  });

  it('finds one at once if few are open, in a twentieth of the time', () => {
    const rig = new Rig(300);
    rig.find('waits', 7);
    let count = 0;
    while (rig.search.findNow(rig.kernel.requester(250))?.fd === 250) count++;
    // Each look at 251 descriptors takes 0.251 ms, and 100 ms may be spent at once.
    assert.ok(count > 390 && count < 430, `${count}`);
    rig.kernel.now += 20;
    assert.equal(rig.search.findNow(rig.kernel.requester(250))?.fd, 250);
    rig.run();
    assert.equal(rig.found.get('waits'), 7);
    assert.equal(new Rig(3000).search.findNow(rig.kernel.requester(252)), null);
  });
});
