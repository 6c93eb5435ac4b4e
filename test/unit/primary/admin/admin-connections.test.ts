import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AdminConnections, type AdminConnection } from '../../../../src/primary/admin/admin-connections.ts';

const LIMITS = { maxConnections: 6, maxPerAddress: 3, answerTimeoutMs: 10_000 };

/** Connections whose sockets only note by name that they are closed, and whose clock stands still until it is set. */
class Rig {
  now = 0;
  readonly closed: string[] = [];
  readonly told: string[] = [];
  readonly connections = new AdminConnections({
    ...LIMITS,
    now: () => this.now,
    onClose: (reason, address) => this.told.push(`${reason} ${address}`),
  });

  add(name: string, address = name.slice(0, 1)): AdminConnection {
    return this.connections.add(address, { close: () => this.closed.push(name) });
  }

  /** Adds connections `a1 a2 b1 …`, the letter being the address. */
  fill(names: string): AdminConnection[] {
    return names.split(' ').map((name) => this.add(name));
  }
}

describe('admin connections', () => {
  it('admits connections up to its limits and closes none', () => {
    const rig = new Rig();
    rig.fill('a1 a2 a3 b1 b2 c1');
    assert.deepEqual([rig.connections.size, rig.closed], [6, []]);
  });

  it('closes the oldest idle connection of an address at its limit', () => {
    const rig = new Rig();
    rig.fill('a1 b1 a2 a3 a4 a5');
    assert.deepEqual(rig.closed, ['a1', 'a2']);
    assert.deepEqual(rig.told, ['address a', 'address a']);
    assert.equal(rig.connections.size, 4);
  });

  it('counts idle time from the end of the last request', () => {
    const rig = new Rig();
    const [first] = rig.fill('a1 a2 a3');
    first!.begin();
    first!.end();
    rig.fill('a4 a5');
    assert.deepEqual(rig.closed, ['a2', 'a3']);
  });

  it('closes no request in progress while its address has an idle connection', () => {
    const rig = new Rig();
    const [first, second] = rig.fill('a1 a2 a3');
    first!.begin();
    second!.begin();
    rig.fill('a4 a5 a6');
    assert.deepEqual(rig.closed, ['a3', 'a4', 'a5']);
    assert.ok(first!.busy && second!.busy);
  });

  it('closes the oldest request if all connections of an address are busy', () => {
    const rig = new Rig();
    const [first, second, third] = rig.fill('a1 a2 a3');
    for (const connection of [second!, first!, third!]) connection.begin();
    rig.add('a4');
    assert.deepEqual(rig.closed, ['a2']);
  });

  it('closes a connection of the address with the most connections when it is full', () => {
    const rig = new Rig();
    rig.fill('b1 c1 d1 a1 a2 a3');
    rig.add('e1');
    assert.deepEqual(rig.closed, ['a1']);
    assert.deepEqual(rig.told, ['full a']);
    assert.equal(rig.connections.size, 6);
  });

  it('closes the oldest idle connection when no address has more than another', () => {
    const rig = new Rig();
    const [b1] = rig.fill('b1 a1 a2 b2 c1 c2');
    b1!.begin();
    rig.add('d1');
    assert.deepEqual(rig.closed, ['a1']);
    const [, c1] = [rig.add('d2'), rig.connections.size];
    assert.equal(c1, 6);
    assert.deepEqual(rig.closed, ['a1', 'b2']);
  });

  it('admits everybody when everything is busy, at the cost of the largest holder', () => {
    const rig = new Rig();
    for (const connection of rig.fill('b1 a1 a2 a3 c1 c2')) connection.begin();
    rig.add('d1').begin();
    rig.add('e1').begin();
    assert.deepEqual(rig.closed, ['a1', 'a2']);
  });

  it('limits a flood from a few addresses to its own connections', () => {
    const rig = new Rig();
    const probe = rig.add('p1');
    for (let round = 0; round < 1000; round++) {
      const connection = rig.add(`x${round}`, 'abcd'[round % 4]);
      if (round % 2 === 0) connection.begin();
    }
    assert.equal(rig.connections.size, LIMITS.maxConnections);
    assert.ok(!rig.closed.includes('p1'));
    probe.begin();
    probe.end();
    assert.equal(rig.closed.length, 1001 - LIMITS.maxConnections);
  });

  it('closes connections that do not receive an answer in time, and none that waits for one', () => {
    const rig = new Rig();
    const [slow, waiting, quick, idle] = rig.fill('a1 a2 b1 c1');
    for (const connection of [slow!, waiting!, quick!]) connection.begin();
    slow!.answered();
    quick!.answered();
    quick!.end();
    rig.now = 9999;
    rig.connections.expire();
    assert.deepEqual(rig.closed, []);
    rig.now = 10_000;
    rig.connections.expire();
    assert.deepEqual([rig.closed, rig.told], [['a1'], ['slow_reader a']]);
    quick!.begin();
    rig.now = 100_000;
    rig.connections.expire();
    assert.deepEqual(rig.closed, ['a1']);
    assert.ok(waiting!.busy && !idle!.busy);
  });

  it('ignores earlier answers when it times a request', () => {
    const rig = new Rig();
    const [connection] = rig.fill('a1');
    connection!.begin();
    connection!.end();
    connection!.answered();
    rig.now = LIMITS.answerTimeoutMs;
    connection!.begin();
    rig.connections.expire();
    assert.deepEqual(rig.closed, []);
  });

  it('forgets connections that have closed, whatever is reported of them later', () => {
    const rig = new Rig();
    const connections = rig.fill('a1 a2 a3 b1');
    for (const connection of connections) {
      connection.begin();
      connection.remove();
      connection.remove();
      connection.end();
    }
    assert.equal(rig.connections.size, 0);
    rig.fill('a4 a5 a6');
    assert.deepEqual([rig.connections.size, rig.closed], [3, []]);
  });
});
