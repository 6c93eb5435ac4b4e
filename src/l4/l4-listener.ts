import type { L4Listener as L4ListenerConfig } from '../config/types/listener.ts';
import { formatAddress, type TcpAddress } from '../core/address.ts';
import { ConnectionStats } from '../telemetry/connection-stats.ts';
import type { Journal } from '../telemetry/journal/journal.ts';
import type { Logger } from '../telemetry/logger.ts';
import { logFault, refusalOf } from '../transport/admission.ts';
import {
  entryTermsOf,
  refusedName,
  type EntryFacts,
  type EntryRejection,
  type EntryTerms,
} from '../transport/entry.ts';
import { RejectedConnections } from '../transport/rejected-connections.ts';
import type { DescriptorGate } from '../upstream/descriptor-gate.ts';
import { ClientGate } from './client-gate.ts';
import { TunnelRoutes, type TunnelEnvironment } from './tunnel-routes.ts';
import type { TunnelContext, TunnelListener, TunnelOwner, TunnelRefusal } from './tunnel.ts';

/** State shared by the layer 4 listeners of one worker. */
export interface L4Environment extends TunnelEnvironment {
  readonly descriptors: DescriptorGate;
}

/** One layer 4 listener in one worker, for any engine. */
export class L4Listener implements TunnelOwner {
  /** Layer 4 has no requests. */
  readonly requests = null;
  readonly unanswered = 0;
  readonly #carrier: TunnelListener;
  readonly #stats: ConnectionStats;
  readonly #rejected: RejectedConnections;
  readonly #log: Logger;
  readonly #journal: Journal;
  readonly #descriptors: DescriptorGate;
  #config: L4ListenerConfig;
  #entry: EntryTerms;
  #routes: TunnelRoutes;
  #admits = true;
  /** Accepted connections that have no tunnel yet. */
  #arrivals = 0;

  /** @param engine creates the engine's part of the listener */
  constructor(
    config: L4ListenerConfig,
    environment: L4Environment,
    engine: (owner: TunnelOwner) => TunnelListener,
  ) {
    const { page, pages, log, journal, descriptors } = environment;
    this.#config = config;
    this.#entry = termsOf(config, environment);
    this.#routes = new TunnelRoutes(config, environment, null);
    this.#stats = new ConnectionStats(page, pages, config.name);
    this.#rejected = new RejectedConnections(config.name, this.#stats, log, journal);
    this.#log = log;
    this.#journal = journal;
    this.#descriptors = descriptors;
    this.#carrier = engine(this);
  }

  /** Whether the listener can serve another configuration on its current socket. */
  fits({ address, engine }: L4ListenerConfig): boolean {
    return engine === this.#config.engine && formatAddress(address) === formatAddress(this.#config.address);
  }

  /** Prepares another configuration that {@link fits}. Returns a function that applies it. */
  prepare(config: L4ListenerConfig, environment: L4Environment): () => void {
    const routes = new TunnelRoutes(config, environment, this.#routes);
    const entry = termsOf(config, environment);
    return () => {
      this.#config = config;
      this.#entry = entry;
      this.#routes = routes;
    };
  }

  /** Does nothing: the tunnels of a replaced listener keep their contexts. */
  inherit(): void {
    // See above.
  }

  /** The contexts of new tunnels. */
  get contexts(): readonly TunnelContext[] {
    return this.#routes.contexts;
  }

  /** Whether new tunnels use this context. */
  uses(context: TunnelContext): boolean {
    return this.#routes.contexts.includes(context);
  }

  /** Whether new tunnels lead to the cluster of an older context, so that its tunnels may continue. */
  covers(context: TunnelContext): boolean {
    return this.#routes.covers(context);
  }

  /** Number of connections without a tunnel. Contexts hold the tunnels. */
  get connections(): number {
    return this.#arrivals;
  }

  /** Resolves when the listener accepts connections. Rejects if the address cannot be bound. */
  listen(): Promise<void> {
    return this.#carrier.listen();
  }

  get listens(): boolean {
    return this.#carrier.listens;
  }

  /** Whether new tunnels may still start. */
  get mayGrow(): boolean {
    return this.listens || this.#arrivals > 0;
  }

  /** Hands new connections over to other sockets: see {@link TunnelListener.handOver}. */
  handOver(from: number | null): void {
    this.#carrier.handOver(from);
  }

  /** Stops accepting connections. Tunnels continue, and the listener may listen again. */
  stop(): void {
    this.#carrier.stop();
  }

  /** Stops, or listens again. Layer 4 can refuse a client only by closing its connection. */
  admit(admitted: boolean): void {
    this.#admits = admitted;
    if (!admitted) {
      this.stop();
      return;
    }
    // A drain that was only announced did not stop the listener. Listening again would lose the raw engine's
    // socket.
    if (this.listens) return;
    void this.listen().catch((error: unknown) => {
      this.#log.error({ err: error, listener: this.#config.name }, 'listening again failed');
    });
  }

  /** Does nothing: a tunnel keeps its context and never brings a second request. */
  follow(): void {
    // See above.
  }

  /** Stops, and closes connections without a tunnel. Tunnels belong to their contexts. */
  close(): void {
    this.#carrier.close();
  }

  get address(): TcpAddress {
    return this.#config.address;
  }

  get entry(): EntryTerms {
    return this.#entry;
  }

  arrived(descriptor: number | undefined): boolean {
    const reason = refusalOf(this.#config, this.#stats, this.#descriptors, descriptor);
    if (reason !== null) {
      this.#stats.rejected(reason);
      this.#journal.connectionRefused({ kind: 'connection', listener: this.#config.name, reason });
      return false;
    }
    this.#stats.opened();
    this.#arrivals++;
    return true;
  }

  choose({ peer, hello, holds }: EntryFacts, since: number): TunnelContext | TunnelRefusal {
    this.#arrivals--;
    if (!this.#admits) {
      holds?.release();
      this.#stats.rejected('draining');
      this.#stats.closed();
      return 'draining';
    }
    const serverName = hello === null ? null : hello.serverName;
    const context = this.#routes.find(serverName);
    if (context !== null) return context;
    holds?.release();
    this.#stats.closed();
    const seconds = (performance.now() - since) / 1000;
    this.#rejected.add({ ...refusedName(serverName), peer, seconds });
    return 'server_name';
  }

  rejected(rejection: EntryRejection): void {
    this.#arrivals--;
    this.#stats.closed();
    this.#rejected.add(rejection);
  }

  lost(fault: unknown): void {
    this.#arrivals--;
    this.#stats.closed();
    if (fault !== null) this.acceptFault(fault);
  }

  acceptFailed(code: string, isFirst: boolean): boolean {
    return this.#stats.acceptFailed(this.#log, code, isFirst);
  }

  acceptFault(error: unknown): void {
    logFault(this.#log, this.#config.name, error);
  }
}

/** Returns the first bytes required of connections, and the check of their addresses. */
function termsOf(config: L4ListenerConfig, environment: L4Environment): EntryTerms {
  const gate = ClientGate.of(config, environment.limits);
  return entryTermsOf(config, gate === null ? null : (address) => gate.admit(address));
}
