import type { L7Listener as L7ListenerConfig } from '../../config/types/listener.ts';
import type { Slices } from '../../core/timing/slices.ts';
import { CLIENT_LINES, LineLimit } from '../../telemetry/line-limit.ts';
import type { Journal } from '../../telemetry/journal/journal.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { logFault, refusalOf } from '../../transport/admission.ts';
import type { Passthrough } from '../../transport/client-transport.ts';
import type { EntryRejection } from '../../transport/entry.ts';
import { RejectedConnections } from '../../transport/rejected-connections.ts';
import type { DescriptorGate } from '../../upstream/descriptor-gate.ts';
import type { BoundConnections } from '../bound/bound-connections.ts';
import type { Engine, EngineListener, ListenerOwner } from '../contract/engine.ts';
import { ListenerStats, type UnusedReason } from '../contract/listener-stats.ts';
import type { UpgradeContext } from '../websocket/upgrade-order.ts';
import { Dispatcher } from './dispatcher.ts';
import type { L7Environment } from './l7-environment.ts';

/** A listener's surroundings, apart from its engine. */
interface Surroundings {
  /** The listener to replace, whose sessions live on, or null. */
  readonly previous: L7Listener | null;
  /** Takes connections that are tunnelled, or null. */
  readonly passthrough: Passthrough | null;
}

/** One layer 7 listener in one worker, whatever engine carries its connections. */
export class L7Listener implements ListenerOwner {
  #config: L7ListenerConfig;
  readonly #log: Logger;
  readonly #journal: Journal;
  readonly #bound: BoundConnections;
  readonly #descriptors: DescriptorGate;
  readonly #stats: ListenerStats;
  readonly #unusedLines = new LineLimit(undefined, CLIENT_LINES);
  readonly #rejected: RejectedConnections;
  readonly passthrough: Passthrough | null;
  readonly #carrier: EngineListener;
  #dispatcher: Dispatcher;
  /**
   * The listener that handles requests instead of this one, or null. First the listener that this one
   * replaces, until its own configuration takes effect. Later the successor that has replaced this one.
   */
  #other: L7Listener | null;
  #connections = 0;
  #closed = false;

  private constructor(
    config: L7ListenerConfig,
    environment: L7Environment,
    engine: Engine,
    stats: ListenerStats,
    dispatcher: Dispatcher,
    { previous, passthrough }: Surroundings,
  ) {
    this.#config = config;
    this.#log = environment.log;
    this.#journal = environment.journal;
    this.#bound = environment.bound;
    this.#descriptors = environment.descriptors;
    this.#stats = stats;
    this.#rejected = new RejectedConnections(
      config.name,
      stats.connections,
      this.#log,
      environment.journal,
      this.#unusedLines,
    );
    this.passthrough = passthrough;
    this.#dispatcher = dispatcher;
    this.#other = previous;
    this.#carrier = engine.createListener(config, this);
  }

  /** Creates a listener in slices. It does not listen yet. */
  static async create(
    config: L7ListenerConfig,
    environment: L7Environment,
    engine: Engine,
    surroundings: Surroundings,
    slices: Slices,
  ): Promise<L7Listener> {
    const stats = new ListenerStats(environment.page, environment.pages, config.name);
    const before = surroundings.previous === null ? null : surroundings.previous.dispatcher;
    const dispatcher = await Dispatcher.create(config, environment, stats, before, slices);
    slices.check();
    return new L7Listener(config, environment, engine, stats, dispatcher, surroundings);
  }

  /** Whether the listener can switch to this configuration without a new listening socket. */
  fits(config: L7ListenerConfig): boolean {
    return config.engine === this.#config.engine && this.#carrier.fits(config);
  }

  /** Prepares a configuration that {@link fits}. Resolves to a function that applies it. */
  async prepare(config: L7ListenerConfig, environment: L7Environment, slices: Slices): Promise<() => void> {
    const next = await Dispatcher.create(config, environment, this.#stats, this.#dispatcher, slices);
    slices.check();
    const commit = this.#carrier.prepare(config);
    return () => {
      commit();
      this.#config = config;
      next.inherit(this.#dispatcher);
      this.#dispatcher = next;
    };
  }

  /** Takes over the sessions of the replaced listener, because this listener's configuration takes effect. */
  inherit(previous: L7Listener): void {
    this.#other = null;
    this.#dispatcher.inherit(previous.#dispatcher);
  }

  get dispatcher(): Dispatcher {
    return this.#other === null ? this.#dispatcher : this.#other.dispatcher;
  }

  /** Contexts of new sessions, one per route to a cluster that has had requests. */
  get contexts(): readonly UpgradeContext[] {
    return this.dispatcher.contexts;
  }

  /** Whether new sessions use a context. */
  uses(context: UpgradeContext): boolean {
    return this.dispatcher.uses(context);
  }

  /** Whether a current route replaces the route of an older context. */
  covers(context: UpgradeContext): boolean {
    return this.dispatcher.covers(context);
  }

  /** Counts the open requests of the current configuration, even after another one has replaced it. */
  get requests(): { readonly open: number } {
    return this.dispatcher;
  }

  /** Serves upgrades, or refuses them with 503. Other requests are always answered. */
  admit(admitted: boolean): void {
    this.dispatcher.draining = !admitted;
  }

  /** Lets the listener that has replaced this one answer requests on this listener's connections. */
  follow(successor: L7Listener): void {
    this.#other = successor;
  }

  /** Starts to accept connections: see {@link EngineListener.listen}. */
  listen(): Promise<void> | void {
    return this.#carrier.listen();
  }

  /** Whether new connections can still arrive. */
  get listens(): boolean {
    return this.#carrier.listens;
  }

  /** Hands new connections over to other sockets: see {@link EngineListener.handOver}. */
  handOver(from: number | null): void {
    this.#carrier.handOver(from);
  }

  /** Stops accepting. Connections that the kernel has not handed over yet are reset. */
  stop(): void {
    this.#carrier.stop();
  }

  /** Number of open connections in this worker, including sessions and idle connections. */
  get connections(): number {
    return this.#connections;
  }

  /** Number of unanswered requests. */
  get unanswered(): number {
    return this.dispatcher.open;
  }

  /** Closes everything at once: see {@link EngineListener.close}. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#dispatcher.flushLog();
    this.#carrier.close();
  }

  connectionOpened(descriptor?: number): boolean {
    const { connections } = this.#stats;
    const reason = refusalOf(this.#config, connections, this.#descriptors, descriptor);
    this.#connections++;
    connections.opened();
    if (reason === null) return true;
    connections.rejected(reason);
    this.#journal.connectionRefused({ kind: 'connection', listener: this.#config.name, reason });
    return false;
  }

  connectionClosed(): void {
    this.#connections--;
    this.#stats.connections.closed();
    this.#bound.clientClosed();
  }

  connectionTunnelled(): void {
    this.#connections--;
  }

  connectionRejected(rejection: EntryRejection): void {
    this.#rejected.add(rejection);
  }

  acceptFailed(code: string, isFirst: boolean): boolean {
    return this.#stats.connections.acceptFailed(this.#log, code, isFirst);
  }

  acceptFault(error: unknown): void {
    logFault(this.#log, this.#config.name, error);
  }

  get logsUnused(): boolean {
    return this.#log.isLevelEnabled('debug');
  }

  connectionUnused(reason: UnusedReason, peer: string | null, seconds: number): void {
    // No client is responsible if the listener itself closes the connections.
    if (this.#closed) return;
    this.#stats.connectionUnused(reason);
    const more = peer === null ? null : this.#unusedLines.take();
    if (more === null) return;
    const { name: listener, tls } = this.#config;
    const fields = { listener, client: peer, reason, secure: tls !== null, seconds, ...more };
    this.#log.debug(fields, 'connection ended without a request');
  }
}
