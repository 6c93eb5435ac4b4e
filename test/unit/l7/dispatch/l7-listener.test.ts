import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { L7Listener as L7ListenerConfig } from '../../../../src/config/types/listener.ts';
import { Slices } from '../../../../src/core/timing/slices.ts';
import { TimerWheel } from '../../../../src/core/timing/timer-wheel.ts';
import type { Engine, EngineListener, ListenerOwner } from '../../../../src/l7/contract/engine.ts';
import type { Exchange } from '../../../../src/l7/contract/exchange.ts';
import type { L7Environment } from '../../../../src/l7/dispatch/l7-environment.ts';
import { L7Listener } from '../../../../src/l7/dispatch/l7-listener.ts';
import { layoutOf } from '../../../../src/protocol/stats-layout.ts';
import { pageMetrics } from '../../../../src/telemetry/metrics/page-metrics.ts';
import { StatsPage, allocatePage } from '../../../../src/telemetry/stats-page.ts';
import { config, l7Listener } from '../../primary/fixtures/config.ts';
import { NO_JOURNAL } from '../../../support/journals.ts';

const WEB: L7ListenerConfig = { ...l7Listener, routes: [] };

/** The engine's part of a listener: notes what it is told, and has no sockets. */
class FakeEngineListener implements EngineListener {
  readonly owner: ListenerOwner;
  readonly calls: string[] = [];
  config: L7ListenerConfig;
  listens = false;

  constructor(config: L7ListenerConfig, owner: ListenerOwner) {
    this.config = config;
    this.owner = owner;
  }

  fits({ address }: L7ListenerConfig): boolean {
    return address === this.config.address;
  }

  prepare(config: L7ListenerConfig): () => void {
    return () => {
      this.config = config;
    };
  }

  listen(): void {
    this.listens = true;
  }

  handOver(from: number | null): void {
    this.calls.push(`leave ${from}`);
  }

  stop(): void {
    this.listens = false;
    this.calls.push('stop');
  }

  close(): void {
    this.calls.push('close');
    this.owner.connectionUnused('ended', null, 1);
  }
}

class Rig {
  readonly engineListeners: FakeEngineListener[] = [];
  readonly lines: unknown[] = [];
  readonly statuses: number[] = [];
  /** Number of client closes that bound connections were notified of. */
  clientsClosed = 0;
  /** Whether descriptors are left. */
  hasDescriptors = true;
  /** Arguments of the calls to the gate of descriptors. */
  readonly descriptors: (number | undefined)[] = [];
  logsDebug = false;
  readonly #page: StatsPage;
  readonly #environment: L7Environment;
  readonly #engine = {
    createListener: (each: L7ListenerConfig, owner: ListenerOwner) => {
      const listener = new FakeEngineListener(each, owner);
      this.engineListeners.push(listener);
      return listener;
    },
  } as Partial<Engine> as Engine;

  /** @param others open connections of the listener in other workers */
  constructor(others = 0) {
    const layout = layoutOf({ ...config, listeners: [WEB] }, ['l7-0']);
    this.#page = new StatsPage(allocatePage(layout), layout);
    const other = new StatsPage(allocatePage(layout), layout);
    other.values[this.#slot('connectionsActive', {})]! += others;
    this.#environment = {
      config,
      page: this.#page,
      pages: [this.#page.values, other.values],
      descriptors: {
        admits: (_: string, descriptor?: number) => {
          this.descriptors.push(descriptor);
          return this.hasDescriptors;
        },
      },
      wheel: new TimerWheel(0),
      log: {
        isLevelEnabled: () => this.logsDebug,
        debug: (fields: object, text: string) => this.lines.push({ ...fields, text }),
        error: (fields: object, text: string) => this.lines.push({ ...fields, text }),
      },
      journal: NO_JOURNAL,
      lineWindows: new Map([['web', new SharedArrayBuffer(64)]]),
      clusters: new Map(),
      bound: { clientClosed: () => this.clientsClosed++ },
    } as unknown as L7Environment;
  }

  listener(
    changes: Partial<L7ListenerConfig> = {},
    previous: L7Listener | null = null,
    slices = new Slices(setImmediate),
  ): Promise<L7Listener> {
    const surroundings = { previous, passthrough: null };
    return L7Listener.create({ ...WEB, ...changes }, this.#environment, this.#engine, surroundings, slices);
  }

  prepare(listener: L7Listener, changes: Partial<L7ListenerConfig>): Promise<() => void> {
    return listener.prepare({ ...WEB, ...changes }, this.#environment, new Slices(setImmediate));
  }

  /** Hands a request to the listener as its engine does. No route matches it. */
  request({ dispatcher }: ListenerOwner): { end(): void } {
    const head = { method: 'GET', path: '/', query: '', headers: ['host', 'a'] };
    const facts = { peer: '192.0.2.1', port: 80, secure: false, certificate: null, vpcEndpointId: null };
    const client = dispatcher.identify(head, facts);
    const reply = { send: (status: number) => this.statuses.push(status), cutBy: null };
    const engine = { checksHeads: false };
    const exchange = { engine, facts, head, body: null, client, reply, startedAt: 0, inFlight: null };
    dispatcher.dispatch(exchange as unknown as Exchange);
    return { end: () => dispatcher.over(exchange as unknown as Exchange) };
  }

  count(metric: 'connectionsActive' | 'connections'): number {
    return this.#page.values[this.#slot(metric, {})]!;
  }

  rejected(reason: 'limit' | 'descriptors'): number {
    return this.#page.values[this.#slot('connectionsRejected', { reason })]!;
  }

  acceptFailures(reason: 'aborted' | 'process_limit'): number {
    return this.#page.values[this.#slot('acceptFailures', { reason })]!;
  }

  unused(reason: 'ended' | 'silent'): number {
    return this.#page.values[this.#slot('connectionsUnused', { reason })]!;
  }

  #slot(metric: keyof typeof pageMetrics, labels: Record<string, string>): number {
    return this.#page.slot(pageMetrics[metric], { listener: 'web', ...labels });
  }
}

describe('a listener of layer 7', () => {
  it('counts its connections until they close, and reports each close to bound connections', async () => {
    const rig = new Rig();
    const listener = await rig.listener();
    assert.deepEqual([listener.connectionOpened(), listener.connectionOpened()], [true, true]);
    assert.deepEqual([listener.connections, rig.count('connectionsActive')], [2, 2]);
    listener.connectionClosed();
    assert.deepEqual([listener.connections, rig.clientsClosed], [1, 1]);
    assert.deepEqual([rig.count('connectionsActive'), rig.count('connections')], [1, 2]);
  });

  it('rejects connections over maxConnections of all workers, and counts them until they close', async () => {
    const rig = new Rig(2);
    const listener = await rig.listener({ maxConnections: 3 });
    assert.deepEqual([listener.connectionOpened(), listener.connectionOpened()], [true, false]);
    assert.deepEqual([rig.rejected('limit'), listener.connections], [1, 2]);
    listener.connectionClosed();
    listener.connectionClosed();
    assert.equal(listener.connectionOpened(), true);
  });

  it('rejects connections while descriptors are short', async () => {
    const rig = new Rig();
    const listener = await rig.listener({ maxConnections: 1 });
    rig.hasDescriptors = false;
    assert.equal(listener.connectionOpened(), false);
    assert.deepEqual([rig.rejected('descriptors'), rig.rejected('limit')], [1, 0]);
  });

  it("passes the connection's descriptor on to the descriptor gate, if known", async () => {
    const rig = new Rig();
    const listener = await rig.listener();
    listener.connectionOpened(25);
    listener.connectionOpened();
    assert.deepEqual(rig.descriptors, [25, undefined]);
  });

  it('counts failed accepts, and logs a lasting failure once', async () => {
    const rig = new Rig();
    const listener = await rig.listener();
    assert.equal(listener.acceptFailed('ECONNABORTED', true), true);
    assert.equal(listener.acceptFailed('EMFILE', true), false);
    assert.equal(listener.acceptFailed('EMFILE', false), false);
    listener.acceptFault('broken');
    assert.deepEqual([rig.acceptFailures('aborted'), rig.acceptFailures('process_limit')], [1, 2]);
    assert.deepEqual(rig.lines, [
      { listener: 'web', code: 'EMFILE', reason: 'process_limit', text: 'accept failed' },
      { err: 'broken', listener: 'web', text: 'serving a connection failed' },
    ]);
  });

  it('applies a changed limit when the change takes effect', async () => {
    const rig = new Rig(1);
    const listener = await rig.listener();
    const commit = await rig.prepare(listener, { maxConnections: 1 });
    assert.equal(listener.connectionOpened(), true);
    commit();
    assert.equal(listener.connectionOpened(), false);
    assert.equal(rig.engineListeners[0]!.config.maxConnections, 1);
  });

  it('leaves pending requests with their dispatcher', async () => {
    const rig = new Rig();
    const listener = await rig.listener();
    const first = listener.dispatcher;
    const request = rig.request(rig.engineListeners[0]!.owner);
    (await rig.prepare(listener, {}))();
    assert.notEqual(listener.dispatcher, first);
    rig.request(rig.engineListeners[0]!.owner);
    assert.deepEqual([first.open, listener.dispatcher.open, listener.unanswered], [1, 1, 1]);
    request.end();
    assert.deepEqual([first.open, listener.dispatcher.open], [0, 1]);
    assert.deepEqual(rig.statuses, [404, 404]);
  });

  it('still drains after a change that was prepared before', async () => {
    const rig = new Rig();
    const listener = await rig.listener();
    const commit = await rig.prepare(listener, {});
    listener.admit(false);
    commit();
    assert.equal(listener.dispatcher.draining, true);
    listener.admit(true);
    assert.equal(listener.dispatcher.draining, false);
  });

  it('drains if it replaces a listener that drains', async () => {
    const rig = new Rig();
    const before = await rig.listener();
    before.admit(false);
    const heir = await rig.listener({}, before);
    heir.inherit(before);
    before.follow(heir);
    assert.equal(heir.dispatcher.draining, true);
  });

  it('leaves its requests to the listener that it replaces until it takes effect', async () => {
    const rig = new Rig();
    const old = await rig.listener();
    const heir = await rig.listener({}, old);
    const [, engineListener] = rig.engineListeners;
    assert.equal(engineListener!.owner.dispatcher, old.dispatcher);
    const request = rig.request(engineListener!.owner);
    const { dispatcher } = old;
    heir.inherit(old);
    old.follow(heir);
    assert.equal(old.dispatcher, heir.dispatcher);
    assert.notEqual(heir.dispatcher, dispatcher);
    assert.deepEqual([dispatcher.open, heir.unanswered], [1, 0]);
    request.end();
    assert.equal(dispatcher.open, 0);
  });

  it('is not created after the change was abandoned', async () => {
    const rig = new Rig();
    const slices = new Slices(setImmediate);
    slices.cancel(new Error('the worker has ended'));
    await assert.rejects(rig.listener({}, null, slices), { message: 'the worker has ended' });
    assert.deepEqual(rig.engineListeners, []);
  });

  it('leaves requests of its remaining connections to its successor, and keeps their count', async () => {
    const rig = new Rig();
    const [old, heir] = [await rig.listener(), await rig.listener()];
    const [engineListener] = rig.engineListeners;
    assert.equal(old.connectionOpened(), true);
    old.follow(heir);
    assert.equal(engineListener!.owner.dispatcher, heir.dispatcher);
    (await rig.prepare(heir, {}))();
    rig.request(engineListener!.owner);
    assert.deepEqual([heir.unanswered, old.unanswered, old.connections, heir.connections], [1, 1, 1, 0]);
  });

  it('counts connections without a request, and logs their clients at debug level', async () => {
    const rig = new Rig();
    const { owner } = (await rig.listener(), rig.engineListeners[0]!);
    assert.equal(owner.logsUnused, false);
    owner.connectionUnused('silent', null, 10);
    rig.logsDebug = true;
    assert.equal(owner.logsUnused, true);
    owner.connectionUnused('ended', '192.0.2.1', 0.5);
    assert.deepEqual([rig.unused('silent'), rig.unused('ended')], [1, 1]);
    assert.deepEqual(rig.lines, [
      {
        listener: 'web',
        client: '192.0.2.1',
        reason: 'ended',
        secure: false,
        seconds: 0.5,
        text: 'connection ended without a request',
      },
    ]);
  });

  it('does not count unused connections that it closes itself', async () => {
    const rig = new Rig();
    const listener = await rig.listener();
    listener.close();
    listener.close();
    assert.deepEqual(rig.engineListeners[0]!.calls, ['close']);
    assert.equal(rig.unused('ended'), 0);
  });

  it('passes fits, listen, leave and stop on to its engine', async () => {
    const rig = new Rig();
    const listener = await rig.listener();
    const address = { ...WEB.address };
    assert.deepEqual([listener.fits(WEB), listener.fits({ ...WEB, address })], [true, false]);
    assert.equal(listener.fits({ ...WEB, engine: 'raw' }), false);
    void listener.listen();
    assert.equal(listener.listens, true);
    listener.handOver(-2);
    listener.stop();
    assert.equal(listener.listens, false);
    assert.deepEqual(rig.engineListeners[0]!.calls, ['leave -2', 'stop']);
  });
});
