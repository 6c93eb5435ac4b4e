import { setTimeout as delay } from 'node:timers/promises';
import { messageOf } from '../core/errors.ts';
import { TICK_MS } from '../core/timing/timer-wheel.ts';
import type { AccessCommand, SessionAnswer, SessionQuestion } from '../protocol/access.ts';
import type { ClusterRecord } from '../protocol/cluster-record.ts';
import type { FromWorker } from '../protocol/from-worker.ts';
import { Pulse } from '../protocol/pulse.ts';
import type { TapCommand } from '../protocol/tap.ts';
import {
  scopeKey,
  type DrainScope,
  type EvictCommand,
  type GenerationChange,
  type Successors,
  type Pace,
  type ToWorker,
  type WorkerKind,
  type WorkerStart,
} from '../protocol/to-worker.ts';
import type { WorkerLogger } from '../telemetry/worker-logger.ts';
import { pageMetrics } from '../telemetry/metrics/page-metrics.ts';
import { SessionAnswers, type SessionGroup } from './access/session-answers.ts';
import { Pacer } from './ending/pacer.ts';
import { EndingBacklog, shareOfScope } from './ending/rate-share.ts';
import { createEnvironment, nextEnvironment, type Environment } from './environment.ts';
import type { LiveConnection, PacedConnection } from './live-connection.ts';
import { GenerationMeter } from './meters/generation-meter.ts';
import { Heartbeat } from './meters/heartbeat.ts';
import { LoopMeter } from './meters/loop-meter.ts';
import type { PreparedChange, Service } from './service.ts';

/** Time for arriving connections to complete before the listeners stop. Most handshakes need less. */
const HAND_OVER_MS = 1000;
/** Fraction of the grace period until the remaining sessions are closed, so that none is aborted. */
const END_FRACTION = 0.95;

/** A prepared generation. It is either committed, or dropped by {@link abortPrepared}. */
interface Prepared {
  readonly environment: Environment;
  readonly change: PreparedChange;
  readonly commit: () => void;
  readonly abort: () => void;
}

/** Runs a service across generations: applies changes, drains it at a limited rate, and ends it. */
export class ServiceThread {
  readonly #kind: WorkerKind;
  readonly #service: Service;
  readonly #loopMeter: LoopMeter;
  readonly #generationMeter: GenerationMeter;
  readonly #ticker: NodeJS.Timeout | undefined;
  /** Drained scopes, by key. */
  readonly #drained: Map<string, DrainScope>;
  /**
   * Pacers of drains by their scope's key. Others are under `end`, `evict` with a scope's key, or `lost` with
   * the generation that left connections behind.
   */
  readonly #pacers = new Map<string, Pacer>();
  readonly #backlog: EndingBacklog;
  readonly #sessions: SessionAnswers;
  #environment: Environment;
  #prepared: Prepared | null = null;
  /** Settles when no generation is being prepared. */
  #preparation: Promise<unknown> = Promise.resolve();
  /** The generation being prepared. 0 without one, or if it was dropped. */
  #preparing = 0;
  #listening: Promise<void> | null = null;
  #ending = false;
  /** Resolves at the end of the hand-over, or at once if nobody takes over. */
  #handedOver: Promise<void> = Promise.resolve();

  constructor(
    start: WorkerStart,
    log: WorkerLogger,
    send: (message: FromWorker) => void,
    create: (environment: Environment, start: WorkerStart) => Service,
  ) {
    const environment = (this.#environment = createEnvironment(start, log, send, () => this.#service));
    const { wheel, page, pages } = environment;
    this.#backlog = new EndingBacklog(page.values, pages, page.slot(pageMetrics.connectionsEnding, {}));
    this.#kind = start.kind;
    this.#drained = new Map(start.drained.map((scope) => [scopeKey(scope), scope]));
    const service = (this.#service = create(environment, start));
    const { revocations } = environment.clients;
    const groups = (): readonly SessionGroup[] => service.sessions();
    this.#sessions = new SessionAnswers({ run: start.run, wheel, revocations, groups });
    // An inner loop drives the wheel itself.
    if (service.innerLoop === null) {
      this.#ticker = setInterval(() => wheel.advance(performance.now()), TICK_MS);
    }
    new Heartbeat(new Pulse(start.pulse), wheel);
    this.#loopMeter = new LoopMeter(page, start.name, service);
    this.#generationMeter = new GenerationMeter(page, start.name, () => {
      const { generation } = this;
      const older = service.older(generation);
      this.#environment.slots.release(older.oldest);
      return { generation, ...older };
    });
  }

  get generation(): number {
    return this.#environment.generation;
  }

  /** Lets the service listen: see {@link Service.listen}. */
  listen(made?: () => void): Promise<void> {
    this.#listening = this.#service.listen(made).then(() => this.#applyDrains());
    return this.#listening;
  }

  /** Prepares the next generation, in slices. Returns the reason of a failure, or null if it is ready. */
  prepare(next: GenerationChange): Promise<string | null> {
    const problem = this.#preparation.then(async () => {
      this.#preparing = next.generation;
      try {
        await this.#listening;
        const prepared = await this.#prepareNow(next);
        // The primary does not wait forever.
        if (this.#preparing === next.generation) this.#prepared = prepared;
        else abortPrepared(prepared);
        return null;
      } catch (error) {
        return messageOf(error);
      } finally {
        this.#preparing = 0;
      }
    });
    this.#preparation = problem;
    return problem;
  }

  async #prepareNow(next: GenerationChange): Promise<Prepared> {
    const { environment, commit, abort } = nextEnvironment(this.#environment, next);
    try {
      return { environment, change: await this.#service.prepare(environment), commit, abort };
    } catch (error) {
      abort();
      throw error;
    }
  }

  settle(generation: number, commits: boolean): void {
    const prepared = this.#prepared;
    this.#prepared = null;
    if (this.#preparing === generation) this.#preparing = 0;
    if (prepared?.environment.generation !== generation) return;
    const { environment, change, commit } = prepared;
    if (!commits) {
      abortPrepared(prepared);
      return;
    }
    commit();
    this.#environment = environment;
    const lost = new Set(change.commit());
    // New listeners may be in drained scopes.
    this.#applyDrains();
    this.#generationMeter.write();
    if (lost.size > 0) this.#endLost(lost);
  }

  setPages(pages: readonly SharedArrayBuffer[]): void {
    const views = pages.map((buffer) => new Float64Array(buffer));
    this.#environment.pages.splice(0, Infinity, ...views);
  }

  update(record: ClusterRecord): void {
    this.#environment.clusters.update(record);
  }

  evict(command: EvictCommand): void {
    const { cluster, endpoint, count, perSecond, reason } = command;
    const scope = { kind: 'endpoint', cluster, name: endpoint } as const;
    const chosen = this.#service
      .liveConnections(scope)
      .slice(0, count)
      .map((connection) => new Evicted(connection, reason));
    const pace = { rate: perSecond, deadlineMs: Infinity, jitterMs: 0 };
    const collect = (): PacedConnection[] => chosen.filter(({ isOver }) => !isOver);
    // Replaces an eviction in progress: the new count includes the rest of the old one.
    this.#replacePacer(`evict ${scopeKey(scope)}`, new Pacer(this.#environment.wheel, collect, pace, false));
  }

  /** Answers the primary's question about the worker's sessions. */
  answer(question: SessionQuestion): SessionAnswer {
    return this.#sessions.answer(question);
  }

  /** Handles a message from the primary about clients. */
  handle(command: Exclude<AccessCommand, { type: 'ask' }>): void {
    this.#environment.clients.handle(command);
  }

  /** Handles a message from the primary about taps. */
  tap(command: TapCommand): void {
    this.#environment.taps.handle(command);
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
    return new Pacer(wheel, () => this.#service.liveConnections(scope), pace, true, { share });
  }

  undrain(scope: DrainScope): void {
    this.#drained.delete(scopeKey(scope));
    this.#replacePacer(scopeKey(scope), null);
    if (this.#ending) return;
    this.#admit(scope, true);
    // The scope may be within another drained scope.
    this.#applyDrains();
  }

  /** Stops the acceptance of new work in all drained scopes. */
  #applyDrains(): void {
    for (const scope of this.#drained.values()) this.#admit(scope, false);
  }

  #admit(scope: DrainScope, admitted: boolean): void {
    this.#service.admit(scope, admitted);
    if (scope.kind === 'cluster') this.#environment.clusters.admit(scope.name, admitted);
  }

  /** Ends the service. Resolves when the task may end. */
  async end({ graceMs, pace, successors }: Extract<ToWorker, { type: 'end' }>): Promise<void> {
    const service = this.#service;
    if (graceMs === 0) return;
    const endsAt = performance.now() + graceMs;
    if (this.#ending) {
      await Promise.race([this.#handedOver, delay(graceMs)]);
      await service.untilEmpty(Math.max(0, endsAt - performance.now()));
      return;
    }
    this.#ending = true;
    this.#loopMeter.stop();
    this.#generationMeter.stop();
    if (successors !== null) {
      service.handOver(this.#successorsFrom(successors));
      this.#handedOver = delay(Math.min(HAND_OVER_MS, graceMs));
      await this.#handedOver;
    }
    service.stop();
    if (successors === null) service.cancelPending();
    const { wheel } = this.#environment;
    const collect =
      successors !== null ? () => service.liveConnections({ kind: 'all' }) : () => service.closedAtEnd();
    const leftMs = Math.max(0, endsAt - performance.now());
    // Slightly before the end of the grace period, so that no session is aborted.
    const deadlineMs = Math.min(pace?.deadlineMs ?? Infinity, leftMs * END_FRACTION);
    const atOnce = { rate: Infinity, jitterMs: 0 };
    const share = this.#backlog.share();
    this.#replacePacer(
      'end',
      new Pacer(wheel, collect, { ...(pace ?? atOnce), deadlineMs }, true, { share }),
    );
    await service.untilEmpty(leftMs);
    // The thread may have been too busy for the pacer's deadline.
    for (const target of collect()) target.end();
  }

  close(): void {
    for (const pacer of this.#pacers.values()) pacer.cancel();
    if (this.#prepared !== null) abortPrepared(this.#prepared);
    this.#service.abort();
    clearInterval(this.#ticker);
    this.#loopMeter.stop();
    this.#generationMeter.stop();
  }

  /**
   * Posts the waiting access lines, events, spans and tap lines, after {@link close} has ended the last
   * sessions.
   */
  flush(): void {
    const { journal, spans, taps } = this.#environment;
    journal.flush();
    spans.flush();
    taps.flush();
  }

  /** Returns the successors' first socket on an address, for {@link Service.handOver}. */
  #successorsFrom(successors: Successors): number | null {
    switch (successors) {
      case 'process':
        // Its workers started to listen after all workers of this process.
        return this.#environment.config.workers[this.#kind];
      case 'newest':
        return -1;
      case 'siblings':
        return null;
    }
  }

  /** Ends connections left behind by a change of generation, at the rate of drains. */
  #endLost(lost: Set<LiveConnection>): void {
    const { wheel, config } = this.#environment;
    const share = this.#backlog.share();
    const collect = (): LiveConnection[] => {
      const live = new Set(this.#service.liveConnections({ kind: 'all' }));
      for (const target of lost) if (!live.has(target)) lost.delete(target);
      return [...lost];
    };
    this.#replacePacer(`lost-${this.generation}`, new Pacer(wheel, collect, config.drain, false, { share }));
  }

  #replacePacer(key: string, pacer: Pacer | null): void {
    this.#pacers.get(key)?.cancel();
    if (pacer === null) this.#pacers.delete(key);
    else this.#pacers.set(key, pacer);
    for (const [other, { isOver }] of this.#pacers) if (isOver) this.#pacers.delete(other);
  }
}

function abortPrepared({ change, abort }: Prepared): void {
  change.abort();
  abort();
}

/** A connection to evict. It ends at its first turn, even if it is busy. */
class Evicted implements PacedConnection {
  isOver = false;
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

  undrain(): void {
    // An evicted connection never waits for a later turn.
  }

  end(): void {
    this.isOver = true;
    this.#connection.evict(this.#reason);
  }
}
