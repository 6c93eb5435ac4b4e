import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { AccessSettings } from '../../../src/config/types/access.ts';
import type { Config } from '../../../src/config/types/config.ts';
import type { L4Listener as L4ListenerConfig } from '../../../src/config/types/listener.ts';
import { TimerWheel } from '../../../src/core/timing/timer-wheel.ts';
import { L4Listener, type L4Environment } from '../../../src/l4/l4-listener.ts';
import type { TunnelContext, TunnelListener, TunnelOwner } from '../../../src/l4/tunnel.ts';
import { layoutOf } from '../../../src/protocol/stats-layout.ts';
import type { Metric } from '../../../src/telemetry/metrics/metric.ts';
import { pageMetrics } from '../../../src/telemetry/metrics/page-metrics.ts';
import type { Labels } from '../../../src/telemetry/block-shape.ts';
import { StatsPage, allocatePage } from '../../../src/telemetry/stats-page.ts';
import {
  entryFactsOf,
  refusedClient,
  type AdmitResult,
  type ConnectionHolds,
  type EntryFacts,
} from '../../../src/transport/entry.ts';
import { Cluster } from '../../../src/upstream/cluster.ts';
import { DescriptorGate } from '../../../src/upstream/descriptor-gate.ts';
import { FakeLimits, guardsOf } from '../access/fakes.ts';
import { capture, config, l4Listener } from '../primary/fixtures/config.ts';
import { clusterConfig, clusterState, contextOf } from '../upstream/endpoints.ts';
import { NO_JOURNAL } from '../../support/journals.ts';
import { NO_TAPS } from '../../support/taps.ts';

/** An engine that notes what is asked of it. */
class FakeEngine implements TunnelListener {
  readonly asked: string[] = [];
  readonly owner: TunnelOwner;
  listens = false;
  problem: Error | null = null;

  constructor(owner: TunnelOwner) {
    this.owner = owner;
  }

  listen(): Promise<void> {
    this.asked.push('listen');
    if (this.problem !== null) return Promise.reject(this.problem);
    this.listens = true;
    return Promise.resolve();
  }

  handOver(from: number | null): void {
    this.asked.push(`leave ${from}`);
  }

  stop(): void {
    this.asked.push('stop');
    this.listens = false;
  }

  close(): void {
    this.asked.push('close');
  }
}

const OPEN: AccessSettings = {
  deny: [],
  allow: null,
  origins: null,
  basic: null,
  jwt: null,
  forwardAuth: null,
};
const clusters = [clusterConfig(), clusterConfig({ name: 'other' })];
const other: L4ListenerConfig = { ...l4Listener, cluster: 'other' };
const byName: L4ListenerConfig = {
  ...l4Listener,
  cluster: null,
  maxConnections: 2,
  passthrough: [
    { serverNames: ['db.example.com', '*.db.example.com'], cluster: 'app' },
    { serverNames: ['mail.example.com'], cluster: 'other' },
  ],
};

function hello(serverName: string | null): EntryFacts {
  const facts = entryFactsOf('198.51.100.7');
  return { ...facts, hello: { serverName, protocols: [] } };
}

interface World extends L4Environment {
  readonly lines: { readonly msg: string; readonly [field: string]: unknown }[];
  readonly value: (metric: Metric, labels: Labels) => number;
}

function environmentOf(listeners: readonly L4ListenerConfig[]): World {
  const whole: Config = { ...config, listeners, clusters };
  const layout = layoutOf(whole, ['l4-0']);
  const page = new StatsPage(allocatePage(layout), layout);
  const pages = [page.values];
  const { log, lines } = capture();
  const clusterContext = contextOf({ pages: [page], all: pages, endpoints: [] });
  return {
    page,
    pages,
    wheel: new TimerWheel(0),
    log,
    lines: lines as unknown as World['lines'],
    value: (metric, labels) => page.values[page.slot(metric, labels)]!,
    journal: NO_JOURNAL,
    taps: NO_TAPS,
    limits: guardsOf(null),
    descriptors: new DescriptorGate(null, pages, () => 0, log),
    clusters: new Map(
      clusters.map((cluster) => [cluster.name, new Cluster(cluster, clusterState(cluster), clusterContext)]),
    ),
  };
}

function make(
  listenerConfig: L4ListenerConfig,
  environment: L4Environment,
): { listener: L4Listener; engine: FakeEngine } {
  let engine: FakeEngine | null = null;
  const listener = new L4Listener(listenerConfig, environment, (owner) => (engine = new FakeEngine(owner)));
  return { listener, engine: engine! };
}

describe('a layer 4 listener', () => {
  const environment = environmentOf([l4Listener]);
  const withOther = { ...environmentOf([other]), clusters: environment.clusters };
  const chosen = (engine: FakeEngine): TunnelContext => {
    assert.ok(engine.owner.arrived(undefined));
    const context = engine.owner.choose(entryFactsOf(''), 0);
    if (typeof context === 'string') assert.fail(context);
    return context;
  };

  it('fits its address and its engine', () => {
    const { listener } = make(l4Listener, environment);
    assert.equal(listener.fits({ ...l4Listener, idleTimeoutMs: 5 }), true);
    assert.equal(listener.fits({ ...l4Listener, engine: 'raw' }), false);
    const address = { ...l4Listener.address, port: l4Listener.address.port + 1 };
    assert.equal(listener.fits({ ...l4Listener, address }), false);
  });

  it('keeps its context if nothing changes for tunnels', () => {
    const { listener, engine } = make(l4Listener, environment);
    const [before] = listener.contexts;
    listener.prepare({ ...l4Listener, maxConnections: 5 }, environment)();
    assert.deepEqual([listener.contexts[0], chosen(engine)], [before, before]);
  });

  for (const [name, changed, next] of [
    ['a setting', { ...l4Listener, idleTimeoutMs: 5 }, environment],
    ['its cluster', other, withOther],
    ['the cluster behind its name', l4Listener, environmentOf([l4Listener])],
  ] as const) {
    it(`changes its context for ${name}, at the commit`, () => {
      const { listener, engine } = make(l4Listener, environment);
      const [before] = listener.contexts;
      const commit = listener.prepare(changed, next);
      assert.deepEqual([listener.contexts[0], chosen(engine)], [before, before]);
      commit();
      assert.notEqual(listener.contexts[0], before);
      assert.equal(chosen(engine), listener.contexts[0]);
    });
  }

  it('applies reloaded address rules to new connections only', () => {
    const { listener, engine } = make(l4Listener, environment);
    const [before] = listener.contexts;
    const unruled = engine.owner.entry;
    assert.equal(unruled.admit, null);
    const access = { ...OPEN, deny: ['203.0.113.0/24'], allow: ['203.0.113.0/24', '10.0.0.0/8'] };
    const commit = listener.prepare({ ...l4Listener, access }, environment);
    assert.equal(engine.owner.entry, unruled);
    commit();
    const admit = (address: string): AdmitResult | undefined => engine.owner.entry.admit?.(address);
    const refused = { reason: 'access', detail: "the address rules refuse the client's address" };
    assert.deepEqual(['203.0.113.9', '10.0.0.1', '::1'].map(admit), [refused, null, refused]);
    assert.deepEqual([listener.contexts[0], chosen(engine)], [before, before]);
  });

  it('releases the places of a client without a tunnel, but not those of a tunnel', () => {
    const limits = new FakeLimits();
    const limited = { ...environmentOf([byName]), limits: guardsOf(limits) };
    const { listener, engine } = make(byName, limited);
    const arrive = (facts: EntryFacts): unknown => {
      assert.ok(engine.owner.arrived(undefined));
      const holds = engine.owner.entry.admit!(facts.address) as ConnectionHolds;
      return engine.owner.choose({ ...facts, holds }, 0);
    };
    assert.equal(arrive(hello('nowhere.example.com')), 'server_name');
    assert.deepEqual([limits.entered, limits.held], [['connection 198.51.100.7'], 0]);
    assert.equal(typeof arrive(hello('db.example.com')), 'object');
    assert.equal(limits.held, 1);
    limits.held = 0;
    listener.admit(false);
    assert.equal(arrive(hello('db.example.com')), 'draining');
    assert.equal(limits.held, 0);
  });

  it('counts and names a client refused by the address rules', () => {
    const world = environmentOf([l4Listener]);
    const { listener, engine } = make(l4Listener, world);
    assert.ok(engine.owner.arrived(undefined));
    const facts = { peer: '10.0.0.1', address: '203.0.113.9' };
    const refusal = refusedClient({ reason: 'access', detail: 'denied' }, facts);
    engine.owner.rejected({ ...refusal, peer: facts.peer, seconds: 0 });
    assert.equal(world.value(pageMetrics.connectionsRejected, { listener: 'tcp', reason: 'access' }), 1);
    assert.equal(world.value(pageMetrics.connectionsActive, { listener: 'tcp' }), 0);
    assert.equal(listener.connections, 0);
    const [line] = world.lines;
    assert.deepEqual(
      [line?.msg, line?.reason, line?.client, line?.address],
      ['connection rejected', 'access', '10.0.0.1', '203.0.113.9'],
    );
  });

  it('covers older tunnels to the same cluster only', () => {
    const { listener } = make(l4Listener, environment);
    const [before] = listener.contexts;
    listener.prepare({ ...l4Listener, idleTimeoutMs: 5 }, environment)();
    assert.equal(listener.covers(before!), true);
    listener.prepare(other, withOther)();
    assert.equal(listener.covers(before!), false);
  });

  it('stops listening to refuse clients, and listens again to admit them', () => {
    const { listener, engine } = make(l4Listener, environment);
    listener.admit(false);
    assert.deepEqual(engine.asked, ['stop']);
    listener.admit(true);
    assert.deepEqual(engine.asked, ['stop', 'listen']);
    assert.equal(listener.listens, true);
  });

  it('does not listen twice when clients are already admitted', async () => {
    const { listener, engine } = make(l4Listener, environment);
    await listener.listen();
    listener.admit(true);
    assert.deepEqual(engine.asked, ['listen']);
  });

  it('logs a failure to listen again', async () => {
    const { listener, engine } = make(l4Listener, environment);
    engine.problem = new Error('address in use');
    listener.admit(true);
    await new Promise((resolve) => setImmediate(resolve));
    const [line] = environment.lines.splice(0);
    assert.deepEqual([line?.msg, line?.listener], ['listening again failed', 'tcp']);
  });
});

describe('a layer 4 listener that chooses by server name', () => {
  const choose = ({ owner }: FakeEngine, facts: EntryFacts): string => {
    assert.ok(owner.arrived(undefined));
    const choice = owner.choose(facts, performance.now());
    return typeof choice === 'string' ? `refused: ${choice}` : choice.cluster.name;
  };
  /** Open connections, and those that were refused for this reason. */
  const counts = ({ value }: World, reason: string): [number, number] => [
    value(pageMetrics.connectionsActive, { listener: 'tcp' }),
    value(pageMetrics.connectionsRejected, { listener: 'tcp', reason }),
  ];

  it('maps each server name to its cluster, with one context per cluster', () => {
    const { listener, engine } = make(byName, environmentOf([byName]));
    assert.deepEqual(
      listener.contexts.map(({ cluster }) => cluster.name),
      ['app', 'other'],
    );
    assert.equal(engine.owner.entry.readsHello, true);
    assert.equal(choose(engine, hello('db.example.com')), 'app');
    assert.equal(choose(engine, hello('x.db.example.com')), 'app');
  });

  it('refuses, counts and logs other names, missing names and other protocols', () => {
    const environment = environmentOf([byName]);
    const { listener, engine } = make({ ...byName, maxConnections: 0 }, environment);
    for (const facts of [hello('example.com'), hello(null), entryFactsOf('')]) {
      assert.equal(choose(engine, facts), 'refused: server_name');
    }
    assert.equal(choose(engine, hello('mail.example.com')), 'other');
    assert.deepEqual(counts(environment, 'server_name'), [1, 3]);
    assert.equal(listener.connections, 0);
    const [line] = environment.lines;
    assert.deepEqual(
      [line?.msg, line?.reason, line?.serverName],
      ['connection rejected', 'server_name', 'example.com'],
    );
  });

  it('sends everything else to its default cluster', () => {
    const config = { ...byName, cluster: 'app', maxConnections: 0 };
    const { listener, engine } = make(config, environmentOf([config]));
    assert.equal(listener.contexts.length, 2);
    for (const facts of [hello('example.com'), hello(null), entryFactsOf('')]) {
      assert.equal(choose(engine, facts), 'app');
    }
  });

  it('counts a connection from the accept on, so that limits include waiting ones', () => {
    const environment = environmentOf([byName]);
    const { listener, engine } = make(byName, environment);
    const { owner } = engine;
    assert.deepEqual([owner.arrived(1), owner.arrived(2), owner.arrived(3)], [true, true, false]);
    assert.equal(listener.connections, 2);
    assert.deepEqual(counts(environment, 'limit'), [2, 1]);
    owner.rejected({ reason: 'hello_timeout', detail: '', peer: '', seconds: 10 });
    owner.lost(null);
    assert.equal(listener.connections, 0);
    assert.deepEqual(counts(environment, 'hello_timeout'), [0, 1]);
    assert.ok(owner.arrived(4));
    owner.lost(new Error('why'));
    assert.deepEqual(
      environment.lines.map(({ msg }) => msg),
      ['connection rejected', 'serving a connection failed'],
    );
  });

  it('refuses connections that arrived before a drain', () => {
    const environment = environmentOf([byName]);
    const { listener, engine } = make(byName, environment);
    listener.admit(false);
    assert.equal(choose(engine, hello('db.example.com')), 'refused: draining');
    assert.deepEqual(counts(environment, 'draining'), [0, 1]);
    listener.admit(true);
    assert.equal(choose(engine, hello('db.example.com')), 'app');
  });

  it('keeps the contexts of clusters whose rules stay', () => {
    const both = environmentOf([byName]);
    const { listener } = make(byName, both);
    const [app, otherContext] = listener.contexts;
    const fewer = { ...byName, passthrough: [{ serverNames: ['new.example.com'], cluster: 'app' }] };
    listener.prepare(fewer, both)();
    assert.deepEqual(listener.contexts, [app]);
    assert.deepEqual([listener.covers(app!), listener.covers(otherContext!)], [true, false]);
    listener.prepare(byName, both)();
    assert.equal(listener.contexts[0], app);
  });

  it('closes connections without a tunnel when it closes', () => {
    const { listener, engine } = make(byName, environmentOf([byName]));
    listener.close();
    assert.deepEqual(engine.asked, ['close']);
  });
});
