/** Listeners that are replaced or removed, and what still comes to them until they stop. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FakeConnection, World } from './fakes.ts';

const WEB = { name: 'web', address: ':80', cluster: 'blue' };
const MOVED = { name: 'web', address: ':8080', cluster: 'green' };

describe('a replaced listener that has not stopped yet', () => {
  it('keeps its context until then, and the context has later connections', async () => {
    const world = await World.listening([WEB]);
    const [old] = world.layer.made;
    await world.change([MOVED]);
    assert.deepEqual(world.older(), { connections: 0, oldest: 1 });
    const late = new FakeConnection(old!.context);
    assert.deepEqual(world.generations.liveConnections({ kind: 'all' }), [late]);
    world.clock.pass(1000);
    assert.equal(old!.listens, false);
    assert.deepEqual(world.older(), { connections: 1, oldest: 1 });
    assert.deepEqual(world.generations.liveConnections({ kind: 'cluster', name: 'blue' }), [late]);
    late.close();
    assert.deepEqual(world.older(), { connections: 0, oldest: 2 });
    assert.deepEqual(world.generations.liveConnections({ kind: 'all' }), []);
  });

  it('keeps its context while a waiting connection may become a tunnel', async () => {
    const world = await World.listening([WEB]);
    const [old] = world.layer.made;
    old!.hasArrivals = true;
    await world.change([MOVED]);
    world.clock.pass(1000);
    assert.equal(old!.listens, false);
    assert.deepEqual(world.older(), { connections: 0, oldest: 1 });
    const late = new FakeConnection(old!.context);
    old!.hasArrivals = false;
    assert.deepEqual(world.older(), { connections: 1, oldest: 1 });
    assert.deepEqual(world.generations.liveConnections({ kind: 'all' }), [late]);
    late.close();
    assert.deepEqual(world.older(), { connections: 0, oldest: 2 });
  });

  it('stops on its own schedule if its successor is replaced, too', async () => {
    const world = await World.listening([WEB]);
    await world.change([MOVED]);
    world.clock.pass(600);
    await world.change([{ ...MOVED, address: ':8081' }]);
    const listening = (): boolean[] => world.layer.made.map(({ listens }) => listens);
    assert.deepEqual(listening(), [true, true, true]);
    world.clock.pass(400);
    assert.deepEqual(listening(), [false, true, true]);
    world.clock.pass(600);
    assert.deepEqual(listening(), [false, false, true]);
    assert.deepEqual(world.older(), { connections: 0, oldest: 3 });
    const [first, second] = world.layer.made;
    assert.deepEqual([first!.asked.at(-1), second!.asked.at(-1)], ['close', 'close']);
  });

  it('closes with its worker', async () => {
    const world = await World.listening([WEB]);
    await world.change([MOVED]);
    world.generations.abort();
    assert.equal(world.layer.made[0]!.listens, false);
    world.clock.pass(1000);
    assert.equal(world.layer.made[0]!.asked.at(-1), 'close');
  });
});

describe('a removed listener whose name comes back', () => {
  it('is a new listener, and the old one closes when its connections have no further use', async () => {
    const world = await World.listening([WEB]);
    const [old] = world.layer.made;
    old!.connections = 1;
    old!.unanswered = 1;
    await world.change([]);
    await world.change([WEB]);
    const successor = world.layer.made[1]!;
    assert.equal(successor.previous, null);
    assert.equal(old!.successor, null);
    world.older();
    assert.ok(!old!.asked.includes('close'));
    old!.unanswered = 0;
    world.older();
    assert.deepEqual(old!.asked.slice(1), ['stop', 'refuse', 'close']);
    assert.deepEqual(successor.asked, ['listen']);
  });
});
