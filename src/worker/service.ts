import { setTimeout as delay } from 'node:timers/promises';
import { TICK_MS } from '../core/timer-wheel.ts';
import { messageOf } from '../core/errors.ts';
import type { FromWorker } from '../protocol/from-worker.ts';
import type { ClusterState } from '../protocol/cluster-state.ts';
import {
  scopeKey,
  type DrainScope,
  type EvictCommand,
  type Generation,
  type Pace,
  type ToWorker,
  type WorkerStart,
} from '../protocol/to-worker.ts';
import { createWorkerLogger } from '../telemetry/logger.ts';
import type { Logger } from '../telemetry/logger.ts';
import { createEnvironment, nextEnvironment, type Environment } from './environment.ts';
import { GenerationMeter } from './generation-meter.ts';
import { LoopMeter, type InnerLoop } from './loop-meter.ts';
import { Pacer, type Drainable, type Evictable } from './pacer.ts';

/** How long others have to take over the connections that are being opened: most handshakes need less. */
const HAND_OVER_MS = 1000;
/** After so much of its time a worker that ends has ended everything. */
const ENDED_BY = 0.95;

/** A change that is ready to be made. */
export interface Change {
  /** Makes it. Returns what lives and has lost what it ran on. */
  readonly commit: () => readonly Drainable[];
  readonly abort: () => void;
}

/** What one kind of worker does; the thread around it is the same for all. */
export interface Service {
  /** The loop that the thread waits in, or null where that is Node's. */
  readonly innerLoop: InnerLoop | null;
  /** Resolves when every listener accepts connections; rejects where one cannot. */
  listen(): Promise<void>;
  /** Gets ready for another generation; rejects where that cannot be, and nothing has changed then. */
  prepare(next: Environment): Promise<Change>;
  /** How much lives of older generations than this one, and the oldest of which anything does. */
  older(generation: number): { readonly connections: number; readonly oldest: number };
  /** The sessions and tunnels of a scope. */
  living(scope: DrainScope): readonly (Drainable & Evictable)[];
  /** Lets a scope take new work, or not. */
  admit(scope: DrainScope, admitted: boolean): void;
  /**
   * Lets other threads and processes have the connections that begin now, before {@link stop}. Those that have begun
   * are served also after that.
   */
  leave(): void;
  /** Accepts no more connections. */
  stop(): void;
  /** Answers now what is still being negotiated. */
  cancelPending(): void;
  /** What a worker that ends does not wait for, but ends itself: sessions, not tunnels. */
  sessions(): readonly Drainable[];
  /** Resolves when nothing is left or the time is over. */
  emptied(mostMs: number): Promise<void>;
  /** Closes everything now. Safe at any time, and more than once. */
  abort(): void;
}

/**
 * Runs a service as a worker's task until it is drained, or fails. An exception that nothing caught ends this
 * task alone: the service is closed, which uWS needs for the thread to live on, and the task rejects with it.
 */
export async function runService(
  start: WorkerStart,
  create: (environment: Environment, start: WorkerStart) => Service,
): Promise<void> {
  const { port, config, name } = start;
  const say = (message: FromWorker): void => port.postMessage(message);
  const log = createWorkerLogger(config.log, name, (lines) => say({ type: 'log', lines }));
  const outcome = Promise.withResolvers<undefined>();
  const onFault = (error: unknown): void => outcome.reject(error);
  process.on('uncaughtException', onFault);
  let thread: ServiceThread | null = null;
  try {
    const running = (thread = new ServiceThread(start, log, say, create));
    port.on('message', (command: ToWorker) => {
      switch (command.type) {
        case 'prepare':
          void running.prepare(command).then((problem) => {
            say({ type: 'prepared', generation: command.generation, problem });
          });
          break;
        case 'settle':
          running.settle(command.generation, command.commit);
          break;
        case 'pages':
          running.setPages(command.pages);
          break;
        case 'drain':
          running.drain(command.scope, command.pace);
          break;
        case 'undrain':
          running.undrain(command.scope);
          break;
        case 'end':
          running.end(command).then(() => outcome.resolve(undefined), onFault);
          break;
        case 'cluster':
          running.update(command.state);
          break;
        case 'evict':
          running.evict(command);
          break;
        case 'fault':
          setImmediate(() => {
            throw new Error('fault injected');
          });
          break;
        default:
          command satisfies never;
      }
    });
    await Promise.race([running.listen(), outcome.promise]);
    say({ type: 'listening', generation: running.generation });
    await outcome.promise;
  } finally {
    // Not inside the callback that failed: uWS may still be at work around it.
    await turn();
    thread?.close();
    // Handles close over the next turns; only then may the thread end.
    await turn();
    await turn();
    process.off('uncaughtException', onFault);
    log.flush();
    port.close();
  }
}

/** A service from one generation to the next, and what goes on around it. */
class ServiceThread {
  readonly #service: Service;
  readonly #loopMeter: LoopMeter;
  readonly #generationMeter: GenerationMeter;
  readonly #ticker: NodeJS.Timeout | undefined;
  /** What takes no new work, by its key. */
  readonly #drained: Map<string, DrainScope>;
  /** Of drains, by their scope, and under `lost` of what a change has left behind. */
  readonly #pacers = new Map<string, Pacer>();
  #environment: Environment;
  #prepared: {
    readonly environment: Environment;
    readonly change: Change;
    readonly commit: () => void;
  } | null = null;
  #listening: Promise<void> | null = null;
  #ending = false;

  constructor(
    start: WorkerStart,
    log: Logger,
    say: (message: FromWorker) => void,
    create: (environment: Environment, start: WorkerStart) => Service,
  ) {
    const environment = (this.#environment = createEnvironment(start, log, say));
    const { wheel, page } = environment;
    this.#drained = new Map(start.drained.map((scope) => [scopeKey(scope), scope]));
    const service = (this.#service = create(environment, start));
    // A loop of the service's own drives the wheel itself.
    if (service.innerLoop === null) {
      this.#ticker = setInterval(() => wheel.advance(performance.now()), TICK_MS);
    }
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
    const collect = (): Drainable[] => chosen.filter(({ over }) => !over);
    // In place of one that is under way: what that has left has been counted anew.
    this.#replacePacer(`evict ${scopeKey(scope)}`, new Pacer(this.#environment.wheel, collect, pace, false));
  }

  drain(scope: DrainScope, pace: Pace | null): void {
    if (this.#ending) return;
    this.#drained.set(scopeKey(scope), scope);
    this.#admit(scope, false);
    const { wheel } = this.#environment;
    const pacer = pace === null ? null : new Pacer(wheel, () => this.#service.living(scope), pace, true);
    this.#replacePacer(scopeKey(scope), pacer);
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
  async end({ graceMs, pace, handOver }: Extract<ToWorker, { type: 'end' }>): Promise<void> {
    const service = this.#service;
    if (graceMs === 0) return;
    if (this.#ending) {
      await service.emptied(graceMs);
      return;
    }
    this.#ending = true;
    this.#loopMeter.stop();
    this.#generationMeter.stop();
    const endsAt = performance.now() + graceMs;
    if (handOver) {
      service.leave();
      await delay(Math.min(HAND_OVER_MS, graceMs));
    }
    service.stop();
    if (!handOver) service.cancelPending();
    const { wheel } = this.#environment;
    const collect = handOver ? () => service.living({ kind: 'all' }) : () => service.sessions();
    const leftMs = Math.max(0, endsAt - performance.now());
    // Ended a little before the time is over, so that they are not cut.
    const deadlineMs = Math.min(pace?.deadlineMs ?? Infinity, leftMs * ENDED_BY);
    const atOnce = { rate: Infinity, jitterMs: 0 };
    this.#replacePacer('end', new Pacer(wheel, collect, { ...(pace ?? atOnce), deadlineMs }, true));
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

  /** Ends what runs on something that a change has taken away, at the pace of drains. */
  #endLost(lost: Set<Drainable>): void {
    const { wheel, config } = this.#environment;
    const { rate, deadlineMs, jitterMs } = config.drain;
    // Every worker has its part of it; how large, none can know.
    const share = { rate: rate / Math.max(1, config.workers.l7), deadlineMs, jitterMs };
    const collect = (): Drainable[] => {
      const living = new Set<Drainable>(this.#service.living({ kind: 'all' }));
      for (const target of lost) if (!living.has(target)) lost.delete(target);
      return [...lost];
    };
    this.#replacePacer(`lost-${this.generation}`, new Pacer(wheel, collect, share, false));
  }

  #replacePacer(key: string, pacer: Pacer | null): void {
    this.#pacers.get(key)?.cancel();
    if (pacer === null) this.#pacers.delete(key);
    else this.#pacers.set(key, pacer);
    for (const [other, { over }] of this.#pacers) if (over) this.#pacers.delete(other);
  }
}

/** A connection that is to be ended so that its client goes elsewhere, whatever it is doing. */
class Evicted implements Drainable {
  over = false;
  readonly #connection: Evictable;
  readonly #reason: string;

  constructor(connection: Evictable, reason: string) {
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

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
