import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Config } from '../../../src/config/types/config.ts';
import type { L4Listener as L4ListenerConfig } from '../../../src/config/types/listener.ts';
import { TimerWheel } from '../../../src/core/timing/timer-wheel.ts';
import { L4Listener, type L4Environment } from '../../../src/l4/l4-listener.ts';
import type { TunnelContext, TunnelListener } from '../../../src/l4/tunnel.ts';
import { layoutOf } from '../../../src/protocol/stats-layout.ts';
import { StatsPage, allocatePage } from '../../../src/telemetry/stats-page.ts';
import { Cluster } from '../../../src/upstream/cluster.ts';
import { DescriptorGate } from '../../../src/upstream/descriptor-gate.ts';
import { capture, config, l4Listener } from '../primary/fixtures/config.ts';
import { clusterConfig, clusterState, homeOf } from '../upstream/endpoints.ts';

/** An engine that notes what is asked of it. */
class FakeEngine implements TunnelListener {
  readonly asked: string[] = [];
  readonly context: TunnelContext;
  listens = false;
  used: TunnelContext | null = null;
  problem: Error | null = null;

  constructor(context: TunnelContext) {
    this.context = context;
  }

  listen(): Promise<void> {
    this.asked.push('listen');
    if (this.problem !== null) return Promise.reject(this.problem);
    this.listens = true;
    return Promise.resolve();
  }

  fits({ engine }: L4ListenerConfig): boolean {
    return engine === this.context.config.engine;
  }

  use(context: TunnelContext): void {
    this.used = context;
  }

  leave(from: number | null): void {
    this.asked.push(`leave ${from}`);
  }

  stop(): void {
    this.asked.push('stop');
    this.listens = false;
  }
}

const clusters = [clusterConfig(), clusterConfig({ name: 'other' })];
const other: L4ListenerConfig = { ...l4Listener, cluster: 'other' };

function environmentOf(
  listeners: readonly L4ListenerConfig[],
): L4Environment & { readonly lines: unknown[] } {
  const whole: Config = { ...config, listeners, clusters };
  const layout = layoutOf(whole, ['l4-0']);
  const page = new StatsPage(allocatePage(layout), layout);
  const pages = [page.values];
  const { log, lines } = capture();
  const home = homeOf({ pages: [page], all: pages, endpoints: [] });
  return {
    page,
    pages,
    wheel: new TimerWheel(0),
    log,
    lines,
    access: null,
    descriptors: new DescriptorGate(null, pages, () => 0, log),
    clusters: new Map(
      clusters.map((cluster) => [cluster.name, new Cluster(cluster, clusterState(cluster), home)]),
    ),
  };
}

describe('a layer 4 listener', () => {
  const environment = environmentOf([l4Listener]);
  const withOther = { ...environmentOf([other]), clusters: environment.clusters };

  function make(): { listener: L4Listener; engine: FakeEngine } {
    let engine: FakeEngine | null = null;
    const listener = new L4Listener(l4Listener, environment, (context) => (engine = new FakeEngine(context)));
    return { listener, engine: engine! };
  }

  it('fits what its engine fits', () => {
    const { listener } = make();
    assert.equal(listener.fits({ ...l4Listener, idleTimeoutMs: 5 }), true);
    assert.equal(listener.fits({ ...l4Listener, engine: 'raw' }), false);
  });

  it('keeps its context if nothing changes for tunnels', () => {
    const { listener, engine } = make();
    const [before] = listener.contexts;
    listener.prepare({ ...l4Listener }, environment)();
    assert.equal(listener.contexts[0], before);
    assert.equal(engine.used, null);
  });

  for (const [name, changed, next] of [
    ['a setting', { ...l4Listener, idleTimeoutMs: 5 }, environment],
    ['its cluster', other, withOther],
    ['the access log', l4Listener, { ...environment, access: environment.log }],
    ['the cluster behind its name', l4Listener, environmentOf([l4Listener])],
  ] as const) {
    it(`takes another context for ${name}, and only when the change is committed`, () => {
      const { listener, engine } = make();
      const [before] = listener.contexts;
      const commit = listener.prepare(changed, next);
      assert.equal(listener.contexts[0], before);
      assert.equal(engine.used, null);
      commit();
      assert.notEqual(listener.contexts[0], before);
      assert.equal(engine.used, listener.contexts[0]);
    });
  }

  it('covers tunnels of an older context to the same cluster, and no others', () => {
    const { listener } = make();
    const [before] = listener.contexts;
    listener.prepare({ ...l4Listener, idleTimeoutMs: 5 }, environment)();
    assert.equal(listener.covers(before!), true);
    listener.prepare(other, withOther)();
    assert.equal(listener.covers(before!), false);
  });

  it('stops to refuse clients, and listens again to admit them', () => {
    const { listener, engine } = make();
    listener.admit(false);
    assert.deepEqual(engine.asked, ['stop']);
    listener.admit(true);
    assert.deepEqual(engine.asked, ['stop', 'listen']);
    assert.equal(listener.listens, true);
  });

  it('does not listen twice to admit clients that it admits already', async () => {
    const { listener, engine } = make();
    await listener.listen();
    listener.admit(true);
    assert.deepEqual(engine.asked, ['listen']);
  });

  it('logs that it cannot listen again', async () => {
    const { listener, engine } = make();
    engine.problem = new Error('address in use');
    listener.admit(true);
    await new Promise((resolve) => setImmediate(resolve));
    const [line] = environment.lines.splice(0) as { msg: string; listener: string }[];
    assert.deepEqual([line?.msg, line?.listener], ['the listener does not listen again', 'tcp']);
  });
});
