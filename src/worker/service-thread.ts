import { setTimeout as delay } from 'node:timers/promises';
import { TICK_MS } from '../core/timing/timer-wheel.ts';
import { messageOf } from '../core/errors.ts';
import type { FromWorker } from '../protocol/from-worker.ts';
import type { ClusterState } from '../protocol/cluster-state.ts';
import {
  scopeKey,
  type DrainScope,
  type EvictCommand,
  type Generation,
  type Heirs,
  type Pace,
  type ToWorker,
  type WorkerKind,
  type WorkerStart,
} from '../protocol/to-worker.ts';
import { Pulse } from '../protocol/pulse.ts';
import type { Logger } from '../telemetry/logger.ts';
import { pageMetrics } from '../telemetry/metrics/page-metrics.ts';
import { createEnvironment, nextEnvironment, type Environment } from './environment.ts';
import { Pacer } from './ending/pacer.ts';
import { EndingBacklog, shareOfScope } from './ending/rate-share.ts';
import type { LiveConnection, PacedConnection } from './live-connection.ts';
import { GenerationMeter } from './meters/generation-meter.ts';
import { Heartbeat } from './meters/heartbeat.ts';
import { LoopMeter } from './meters/loop-meter.ts';
import type { Change, Service } from './service.ts';

/** How long others have to take over the connections that are being opened: most handshakes need less. */
const HAND_OVER_MS = 1000;
/** After so much of its time a worker that ends has ended everything. */
const ENDED_BY = 0.95;

/** A service from one generation to the next, and what goes on around it. */
export class ServiceThread {
  readonly #kind: WorkerKind;
  readonly #service: Service;
  readonly #loopMeter: LoopMeter;
  readonly #generationMeter: GenerationMeter;
  readonly #ticker: NodeJS.Timeout | undefined;
  /** What takes no new work, by its key. */
  readonly #drained: Map<string, DrainScope>;
  /** Of drains, by their scope, and under `lost` of what a change has left behind. */
  readonly #pacers = new Map<string, Pacer>();
  readonly #backlog: EndingBacklog;
  #environment: Environment;
  #prepared: {
    readonly environment: Environment;
    readonly change: Change;
    readonly commit: () => void;
  } | null = null;
  #listening: Promise<void> | null = null;
  #ending = false;
  /** Resolves when others have the connections that begin, and this one has those that had begun. */
  #handedOver: Promise<void> = Promise.resolve();

  constructor(
    start: WorkerStart,
    log: Logger,
    say: (message: FromWorker) => void,
    create: (environment: Environment, start: WorkerStart) => Service,
  ) {
    const environment = (this.#environment = createEnvironment(start, log, say));
    const { wheel, page, pages } = environment;
    this.#backlog = new EndingBacklog(page.values, pages, page.slot(pageMetrics.connectionsEnding, {}));
    this.#kind = start.kind;
    this.#drained = new Map(start.drained.map((scope) => [scopeKey(scope), scope]));
    const service = (this.#service = create(environment, start));
    // A loop of the service's own drives the wheel itself.
    if (service.innerLoop === null) {
      this.#ticker = setInterval(() => wheel.advance(performance.now()), TICK_MS);
    }
    new Heartbeat(new Pulse(start.pulse), wheel);
    this.#loopMeter = new LoopMeter(page, start.name, service);
    this.#generationMeter = new GenerationMeter(page, start.name, () => {
      const { generation } = this;
      return { generation, ...service.older(generation) };
    });
  }

  get generation(): number {
    return this.#environment.generation;
  }

  listen(): Promise<void> {
    this.#listening = this.#service.listen().then(() => this.#close());
    return this.#listening;
  }

  /** Returns what is in the way, or null. */
  async prepare(next: Generation): Promise<string | null> {
    try {
      await this.#listening;
      const { environment, commit } = nextEnvironment(this.#environment, next);
      const change = await this.#service.prepare(environment);
      this.#prepared = { environment, change, commit };
      return null;
    } catch (error) {
      return messageOf(error);
    }
  }

  settle(generation: number, commits: boolean): void {
    const prepared = this.#prepared;
    this.#prepared = null;
    if (prepared?.environment.generation !== generation) return;
    const { environment, change, commit } = prepared;
    if (!commits) {
      change.abort();
      return;
    }
    commit();
    this.#environment = environment;
    const lost = new Set(change.commit());
    // What is new may belong to what is drained.
    this.#close();
    this.#generationMeter.write();
    if (lost.size > 0) this.#endLost(lost);
  }

  setPages(pages: readonly SharedArrayBuffer[]): void {
    const views = pages.map((buffer) => new Float64Array(buffer));
    this.#environment.pages.splice(0, Infinity, ...views);
  }

  update(state: ClusterState): void {
    this.#environment.clusters.get(state.cluster)?.update(state);
  }

  evict(command: EvictCommand): void {
    const { cluster, endpoint, count, perSecond, reason } = command;
    const scope = { kind: 'endpoint', cluster, name: endpoint } as const;
    const chosen = this.#service
      .living(scope)
      .slice(0, count)
      .map((connection) => new Evicted(connection, reason));
    const pace = { rate: perSecond, deadlineMs: Infinity, jitterMs: 0 };
    const collect = (): PacedConnection[] => chosen.filter(({ over }) => !over);
    // In place of one that is under way: what that has left has been counted anew.
    this.#replacePacer(`evict ${scopeKey(scope)}`, new Pacer(this.#environment.wheel, collect, pace, false));
  }

  drain({ scope, pace, counted }: Extract<ToWorker, { type: 'drain' }>): void {
    if (this.#ending) return;
    this.#drained.set(scopeKey(scope), scope);
    this.#admit(scope, false);
    this.#replacePacer(scopeKey(scope), pace === null ? null : this.#drainer(scope, pace, counted));
  }

  #drainer(scope: DrainScope, pace: Pace, counted: readonly number[]): Pacer {
    const { wheel, page, pages } = this.#environment;
    const share = shareOfScope(page.values, pages, counted);
    return new Pacer(wheel, () => this.#service.living(scope), pace, true, { share });
  }

  undrain(scope: DrainScope): void {
    this.#drained.delete(scopeKey(scope));
    this.#replacePacer(scopeKey(scope), null);
    if (this.#ending) return;
    this.#admit(scope, true);
    // It may lie in another that is drained.
    this.#close();
  }

  /** Lets everything that is drained take no new work. */
  #close(): void {
    for (const scope of this.#drained.values()) this.#admit(scope, false);
  }

  #admit(scope: DrainScope, admitted: boolean): void {
    this.#service.admit(scope, admitted);
    if (scope.kind !== 'cluster') return;
    const cluster = this.#environment.clusters.get(scope.name);
    if (cluster !== undefined) cluster.draining = !admitted;
  }

  /** Resolves when the task may end. */
  async end({ graceMs, pace, heirs }: Extract<ToWorker, { type: 'end' }>): Promise<void> {
    const service = this.#service;
    if (graceMs === 0) return;
    if (this.#ending) {
      const endsAt = performance.now() + graceMs;
      await Promise.race([this.#handedOver, delay(graceMs)]);
      await service.emptied(Math.max(0, endsAt - performance.now()));
      return;
    }
    this.#ending = true;
    this.#loopMeter.stop();
    this.#generationMeter.stop();
    const endsAt = performance.now() + graceMs;
    if (heirs !== null) {
      service.leave(this.#heirsFrom(heirs));
      this.#handedOver = delay(Math.min(HAND_OVER_MS, graceMs));
      await this.#handedOver;
    }
    service.stop();
    if (heirs === null) service.cancelPending();
    const { wheel } = this.#environment;
    const collect = heirs !== null ? () => service.living({ kind: 'all' }) : () => service.closedAtEnd();
    const leftMs = Math.max(0, endsAt - performance.now());
    // Ended a little before the time is over, so that they are not cut.
    const deadlineMs = Math.min(pace?.deadlineMs ?? Infinity, leftMs * ENDED_BY);
    const atOnce = { rate: Infinity, jitterMs: 0 };
    const share = this.#backlog.share();
    this.#replacePacer(
      'end',
      new Pacer(wheel, collect, { ...(pace ?? atOnce), deadlineMs }, true, { share }),
    );
    await service.emptied(leftMs);
    // Where the thread was late for all that.
    for (const target of collect()) target.end();
  }

  close(): void {
    for (const pacer of this.#pacers.values()) pacer.cancel();
    this.#prepared?.change.abort();
    this.#service.abort();
    clearInterval(this.#ticker);
    this.#loopMeter.stop();
    this.#generationMeter.stop();
  }

  /** Where the heirs begin among the sockets on an address, as {@link Service.leave} has it. */
  #heirsFrom(heirs: Heirs): number | null {
    switch (heirs) {
      case 'process':
        // Its workers have begun to listen after all of ours.
        return this.#environment.config.workers[this.#kind];
      case 'newest':
        return -1;
      case 'siblings':
        return null;
    }
  }

  /** Ends what runs on something that a change has taken away, at the pace of drains. */
  #endLost(lost: Set<LiveConnection>): void {
    const { wheel, config } = this.#environment;
    const share = this.#backlog.share();
    const collect = (): LiveConnection[] => {
      const living = new Set(this.#service.living({ kind: 'all' }));
      for (const target of lost) if (!living.has(target)) lost.delete(target);
      return [...lost];
    };
    this.#replacePacer(`lost-${this.generation}`, new Pacer(wheel, collect, config.drain, false, { share }));
  }

  #replacePacer(key: string, pacer: Pacer | null): void {
    this.#pacers.get(key)?.cancel();
    if (pacer === null) this.#pacers.delete(key);
    else this.#pacers.set(key, pacer);
    for (const [other, { over }] of this.#pacers) if (over) this.#pacers.delete(other);
  }
}

/** A connection that is to be ended so that its client goes elsewhere, whatever it is doing. */
class Evicted implements PacedConnection {
  over = false;
  readonly #connection: LiveConnection;
  readonly #reason: string;

  constructor(connection: LiveConnection, reason: string) {
    this.#connection = connection;
    this.#reason = reason;
  }

  drain(): boolean {
    this.end();
    return true;
  }

  end(): void {
    this.over = true;
    this.#connection.evict(this.#reason);
  }
}
