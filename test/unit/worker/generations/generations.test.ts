/** How the listeners of a worker go from one generation to the next. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FakeConnection, type FakeListener, WORKERS, World, environmentOf } from './fakes.ts';

const WEB = { name: 'web', address: ':80', cluster: 'blue' };
const API = { name: 'api', address: ':81', cluster: 'blue' };

describe('the first generation', () => {
  it('listens everywhere before the layer starts', async () => {
    const { layer } = await World.listening([WEB, API]);
    assert.deepEqual(
      layer.made.map(({ asked, previous }) => ({ asked, previous })),
      [
        { asked: ['listen'], previous: null },
        { asked: ['listen'], previous: null },
      ],
    );
    assert.deepEqual(layer.asked, ['started']);
  });

  it('rejects if a listener cannot listen', async () => {
    const { generations, layer } = new World([WEB]);
    layer.problems.set(':80', 'address in use');
    await assert.rejects(generations.listen(), /address in use/);
    assert.deepEqual(layer.asked, []);
  });
});

describe('a listener that fits the next configuration', () => {
  it('changes in place, and only when the change is committed', async () => {
    const { generations, layer } = await World.listening([WEB]);
    const [listener] = layer.made;
    const change = await generations.prepare(environmentOf(2, [{ ...WEB, cluster: 'green' }]));
    assert.deepEqual(listener!.asked, ['listen']);
    assert.equal(listener!.context.cluster, 'blue');
    change.commit();
    assert.deepEqual(listener!.asked, ['listen', 'use']);
    assert.equal(layer.made.length, 1);
    assert.deepEqual(layer.asked, ['started', 'committed 2']);
  });

  it('stays unchanged if the change is aborted', async () => {
    const { generations, layer } = await World.listening([WEB]);
    (await generations.prepare(environmentOf(2, [{ ...WEB, cluster: 'green' }]))).abort();
    assert.deepEqual(layer.made[0]!.asked, ['listen']);
  });

  it('keeps its sessions under a context that does not change', async () => {
    const world = await World.listening([WEB]);
    new FakeConnection(world.layer.made[0]!.context);
    assert.deepEqual(await world.change([WEB]), []);
    assert.deepEqual(world.older(), { connections: 0, oldest: 2 });
    assert.equal(world.generations.liveConnections({ kind: 'all' }).length, 1);
  });

  it('loses the sessions of a cluster that its routes no longer use', async () => {
    const world = await World.listening([WEB]);
    const session = new FakeConnection(world.layer.made[0]!.context);
    assert.deepEqual(await world.change([{ ...WEB, cluster: 'green' }]), [session]);
    assert.deepEqual(world.older(), { connections: 1, oldest: 1 });
    assert.deepEqual(world.generations.liveConnections({ kind: 'all' }), [session]);
    session.close();
    assert.deepEqual(world.older(), { connections: 0, oldest: 2 });
    assert.deepEqual(world.generations.liveConnections({ kind: 'all' }), []);
  });

  it('keeps requests of the older configuration until they are answered', async () => {
    const world = await World.listening([WEB]);
    const { requests } = world.layer.made[0]!;
    requests.open = 2;
    await world.change([WEB]);
    assert.deepEqual(world.older(), { connections: 0, oldest: 1 });
    requests.open = 0;
    assert.deepEqual(world.older(), { connections: 0, oldest: 2 });
  });
});

describe('a listener that does not fit the next configuration', () => {
  const MOVED = { ...WEB, address: ':8080' };

  it('has a successor that listens before the change is committed', async () => {
    const { generations, layer } = await World.listening([WEB]);
    const change = await generations.prepare(environmentOf(2, [MOVED]));
    const [old, successor] = layer.made;
    assert.equal(successor!.previous, old);
    assert.deepEqual([old!.asked, successor!.asked], [['listen'], ['listen']]);
    change.abort();
    assert.deepEqual([old!.asked, successor!.asked], [['listen'], ['listen', 'stop', 'close']]);
  });

  it('hands its address over to the successors of all workers, and stops a second later', async () => {
    const world = await World.listening([WEB]);
    await world.change([MOVED]);
    const [old, successor] = world.layer.made;
    assert.equal(old!.successor, successor);
    assert.deepEqual(old!.asked, ['listen', `leave ${-WORKERS}`]);
    world.clock.pass(999);
    assert.equal(old!.listens, true);
    world.clock.pass(1);
    assert.equal(old!.listens, false);
    assert.deepEqual(successor!.asked, ['listen', 'inherit :80']);
  });

  it('closes after its last connection', async () => {
    const world = await World.listening([WEB]);
    const [old] = world.layer.made;
    old!.connections = 1;
    await world.change([MOVED]);
    world.older();
    world.clock.pass(1000);
    world.older();
    assert.ok(!old!.asked.includes('close'));
    old!.connections = 0;
    world.older();
    assert.deepEqual(old!.asked, ['listen', `leave ${-WORKERS}`, 'stop', 'close']);
    world.older();
    assert.equal(old!.asked.length, 4);
  });

  it('does not close while it still listens, even without connections', async () => {
    const world = await World.listening([WEB]);
    await world.change([MOVED]);
    world.older();
    assert.deepEqual(world.layer.made[0]!.asked, ['listen', `leave ${-WORKERS}`]);
  });

  it('counts as part of the current generation as long as its name is configured', async () => {
    const world = await World.listening([WEB, API]);
    world.layer.made[0]!.connections = 1;
    await world.change([MOVED, API]);
    world.clock.pass(1000);
    assert.deepEqual(world.older(), { connections: 0, oldest: 2 });
    await world.change([API]);
    assert.deepEqual(world.older(), { connections: 0, oldest: 2 });
  });

  it('keeps the sessions that its successor covers', async () => {
    const world = await World.listening([WEB]);
    const session = new FakeConnection(world.layer.made[0]!.context);
    assert.deepEqual(await world.change([MOVED]), []);
    assert.deepEqual(world.older(), { connections: 1, oldest: 1 });
    assert.deepEqual(world.generations.liveConnections({ kind: 'listener', name: 'web' }), [session]);
  });

  it('changes nothing if its successor cannot listen', async () => {
    const world = await World.listening([WEB, API]);
    world.layer.problems.set(':8080', 'address in use');
    const next = environmentOf(2, [{ ...API, address: ':8081' }, MOVED]);
    await assert.rejects(world.generations.prepare(next), /address in use/);
    const [web, api, newApi, newWeb] = world.layer.made;
    assert.deepEqual([web!.asked, api!.asked], [['listen'], ['listen']]);
    assert.deepEqual(newApi!.asked, ['listen', 'stop', 'close']);
    assert.deepEqual(newWeb!.asked, ['close']);
    assert.deepEqual(world.layer.asked, ['started']);
    assert.deepEqual(world.generations.older(1), { connections: 0, oldest: 1 });
  });
});

describe('a removed listener', () => {
  it('stops at once, refuses new sessions and loses all of its connections', async () => {
    const world = await World.listening([WEB, API]);
    const [web, api] = world.layer.made;
    const session = new FakeConnection(web!.context);
    new FakeConnection(api!.context);
    assert.deepEqual(await world.change([API]), [session]);
    assert.deepEqual(web!.asked, ['listen', 'stop', 'refuse']);
    assert.deepEqual(api!.asked, ['listen', 'use']);
  });

  it('closes idle connections as soon as no session and no request is left', async () => {
    const world = await World.listening([WEB]);
    const [web] = world.layer.made;
    const session = new FakeConnection(web!.context);
    web!.connections = 2;
    web!.unanswered = 1;
    await world.change([]);
    world.older();
    session.close();
    world.older();
    assert.ok(!web!.asked.includes('close'));
    web!.unanswered = 0;
    world.older();
    assert.ok(web!.asked.includes('close'));
  });
});

describe('a removed endpoint', () => {
  it('loses its sessions, also under contexts that stay', async () => {
    const world = await World.listening([WEB]);
    const { context } = world.layer.made[0]!;
    const gone = new FakeConnection(context, 'a');
    new FakeConnection(context, 'b');
    new FakeConnection(context, null);
    gone.endpoint!.removed = true;
    assert.deepEqual(await world.change([WEB]), [gone]);
  });

  it('loses a session only once, even if its cluster is removed, too', async () => {
    const world = await World.listening([WEB]);
    const session = new FakeConnection(world.layer.made[0]!.context, 'a');
    session.endpoint!.removed = true;
    assert.deepEqual(await world.change([{ ...WEB, cluster: 'green' }]), [session]);
  });
});

describe('the scope of a drain', () => {
  const GREEN = { name: 'api', address: ':81', cluster: 'green' };

  for (const [name, scope, expected] of [
    ['all', { kind: 'all' }, ['web a', 'web b', 'api a']],
    ['a listener', { kind: 'listener', name: 'web' }, ['web a', 'web b']],
    ['a cluster', { kind: 'cluster', name: 'green' }, ['api a']],
    ['an endpoint of one cluster', { kind: 'endpoint', cluster: 'blue', name: 'a' }, ['web a']],
    ['nothing that is there', { kind: 'listener', name: 'none' }, []],
  ] as const) {
    it(`includes ${name}`, async () => {
      const { generations, layer } = await World.listening([WEB, GREEN]);
      const [web, api] = layer.made;
      new FakeConnection(web!.context, 'a');
      new FakeConnection(web!.context, 'b');
      new FakeConnection(api!.context, 'a');
      const living = generations.liveConnections(scope);
      assert.deepEqual(
        living.map(({ context, endpoint }) => `${context.listener} ${endpoint?.label}`),
        expected,
      );
    });
  }

  it('includes connections of older generations', async () => {
    const world = await World.listening([WEB]);
    const session = new FakeConnection(world.layer.made[0]!.context, 'a');
    await world.change([GREEN]);
    assert.deepEqual(world.generations.liveConnections({ kind: 'cluster', name: 'blue' }), [session]);
  });

  it('stops and restarts new work on its listeners', async () => {
    const { generations, layer } = await World.listening([WEB, API]);
    const [web, api] = layer.made;
    generations.admit({ kind: 'listener', name: 'web' }, false);
    // A cluster and an endpoint may have a listener's name.
    generations.admit({ kind: 'cluster', name: 'api' }, false);
    generations.admit({ kind: 'endpoint', cluster: 'blue', name: 'api' }, false);
    generations.admit({ kind: 'all' }, true);
    assert.deepEqual(web!.asked, ['listen', 'refuse', 'admit']);
    assert.deepEqual(api!.asked, ['listen', 'admit']);
  });
});

describe('a worker that ends', () => {
  it('stops, and refuses new sessions if nobody takes over', async () => {
    const { generations, layer } = await World.listening([WEB]);
    generations.stop();
    assert.deepEqual(layer.made[0]!.asked, ['listen', 'stop', 'refuse']);
  });

  it('serves connections that arrive while others take over', async () => {
    const { generations, layer } = await World.listening([WEB]);
    generations.handOver(-1);
    generations.stop();
    assert.deepEqual(layer.made[0]!.asked, ['listen', 'leave -1', 'stop']);
  });

  it('cancels pending handshakes, also of older generations', async () => {
    const world = await World.listening([WEB]);
    let cancelled = 0;
    const { pending } = world.layer.made[0]!.context;
    pending.add({ cancel: () => cancelled++ });
    await world.change([{ ...WEB, cluster: 'green' }]);
    assert.deepEqual(world.older(), { connections: 1, oldest: 1 });
    world.generations.cancelPending();
    assert.equal(cancelled, 1);
  });

  it('closes its sessions itself, but not its tunnels', async () => {
    const { generations, layer } = await World.listening([WEB, API]);
    const [web, api] = layer.made;
    const session = new FakeConnection(web!.context);
    api!.context.hasTunnels = true;
    new FakeConnection(api!.context);
    assert.deepEqual(generations.closedAtEnd(), [session]);
  });

  const OCCUPANTS: readonly (readonly [string, (listener: FakeListener) => unknown])[] = [
    ['a session', ({ context }) => new FakeConnection(context)],
    ['a handshake', ({ context }) => context.pending.add({ cancel: () => undefined })],
    ['a request', (listener) => (listener.unanswered = 1)],
    ['an idle connection', (listener) => (listener.connections = 1)],
  ];
  for (const [name, occupy] of OCCUPANTS) {
    it(`is not empty with ${name}, even of a replaced listener`, async () => {
      const world = await World.listening([WEB]);
      occupy(world.layer.made[0]!);
      await world.change([{ ...WEB, address: ':8080' }]);
      let isEmpty = false;
      void world.generations.untilEmpty(60_000).then(() => (isEmpty = true));
      world.clock.pass(500);
      await Promise.resolve();
      assert.equal(isEmpty, false);
    });
  }

  it('waits longer for idle connections if others have taken over', async () => {
    for (const [leaves, ms] of [
      [false, 1000],
      [true, 5000],
    ] as const) {
      const { generations, layer, clock } = await World.listening([WEB]);
      layer.made[0]!.connections = 1;
      if (leaves) generations.handOver(null);
      let isEmpty = false;
      void generations.untilEmpty(60_000).then(() => (isEmpty = true));
      clock.pass(ms - 50);
      await Promise.resolve();
      assert.equal(isEmpty, false);
      clock.pass(50);
      await Promise.resolve();
      assert.equal(isEmpty, true);
    }
  });
});

describe('a worker that aborts', () => {
  it('aborts all connections of all generations before it frees shared state', async () => {
    const world = await World.listening([WEB]);
    const session = new FakeConnection(world.layer.made[0]!.context);
    await world.change([{ ...WEB, address: ':8080' }]);
    world.generations.abort();
    assert.deepEqual(session.asked, ['abort']);
    for (const { asked, listens } of world.layer.made) {
      assert.equal(listens, false);
      assert.equal(asked.at(-1), 'close');
    }
    assert.deepEqual(world.layer.asked, ['started', 'committed 2', 'aborting', 'close']);
    // The delayed stop of the replaced listener finds nothing to do.
    world.clock.pass(1000);
    assert.equal(world.layer.made[0]!.asked.at(-1), 'close');
  });

  it('frees shared state even if a connection cannot be aborted', async () => {
    const { generations, layer } = await World.listening([WEB]);
    const session = new FakeConnection(layer.made[0]!.context);
    session.abort = () => {
      throw new Error('cannot be cut');
    };
    assert.throws(() => generations.abort(), /cannot be cut/);
    assert.equal(layer.asked.at(-1), 'close');
  });
});
