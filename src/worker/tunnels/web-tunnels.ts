import type { Socket } from 'node:net';
import { DEFAULT_TUNNEL_TIMEOUTS } from '../../config/schema/listener/passthrough.ts';
import type { L7Listener } from '../../config/types/listener.ts';
import { ClientGate } from '../../l4/client-gate.ts';
import { netTunnelMaker } from '../../l4/net/net-tunnel-maker.ts';
import type { RawTunnelMaker } from '../../l4/raw/raw-tunnel-maker.ts';
import type { TunnelMaker } from '../../l4/tunnel-maker.ts';
import { TunnelRoutes, type TunnelEnvironment } from '../../l4/tunnel-routes.ts';
import type { TunnelContext } from '../../l4/tunnel.ts';
import { Watched } from '../../loop/poller.ts';
import { ConnectionStats } from '../../telemetry/connection-stats.ts';
import type { Passthrough, TunnelEntrance } from '../../transport/client-transport.ts';
import type { AdmitResult, EntryFacts } from '../../transport/entry.ts';

/** Creates tunnels for connections of layer 7 transports: watched descriptors and Node sockets. */
export class WebTunnelMaker implements TunnelMaker<object> {
  readonly #raw: RawTunnelMaker | null;

  /** @param raw null without system calls */
  constructor(raw: RawTunnelMaker | null) {
    this.#raw = raw;
  }

  begin(context: TunnelContext, connection: object, facts: EntryFacts): void {
    if (connection instanceof Watched) this.#raw!.begin(context, connection, facts);
    else netTunnelMaker.begin(context, connection as Socket, facts);
  }

  refuse(connection: object): void {
    if (connection instanceof Watched) this.#raw!.refuse(connection);
    else netTunnelMaker.refuse(connection as Socket);
  }
}

/** The tunnels of one layer 7 listener: TLS connections with certain server names, not decrypted. */
export class WebTunnels implements Passthrough {
  /** Whether new tunnels are admitted. */
  admits = true;
  readonly #maker: TunnelMaker<object>;
  readonly #refusing: TunnelEntrance;
  /** Null admits everyone. */
  #gate: ClientGate | null;
  #routes: TunnelRoutes;
  #entrances: ReadonlyMap<TunnelContext, TunnelEntrance>;
  /** The tunnels of the listener's successor. */
  #successor: WebTunnels | null = null;

  constructor(config: L7Listener, environment: TunnelEnvironment, maker: TunnelMaker<object>) {
    const { page, pages } = environment;
    this.#maker = maker;
    this.#refusing = new RefusingEntrance(new ConnectionStats(page, pages, config.name), maker);
    this.#gate = ClientGate.of(config, environment.limits);
    this.#routes = new TunnelRoutes(rulesOf(config), environment, null);
    this.#entrances = this.#entrancesTo(this.#routes);
  }

  /** Prepares another configuration. Returns a function that applies it. */
  prepare(config: L7Listener, environment: TunnelEnvironment): () => void {
    const routes = new TunnelRoutes(rulesOf(config), environment, this.#routes);
    const entrances = this.#entrancesTo(routes);
    const gate = ClientGate.of(config, environment.limits);
    return () => {
      this.#gate = gate;
      this.#routes = routes;
      this.#entrances = entrances;
    };
  }

  admit(address: string): AdmitResult {
    if (this.#successor !== null) return this.#successor.admit(address);
    return this.#gate === null ? null : this.#gate.admit(address);
  }

  find(serverName: string | null): TunnelEntrance | null {
    if (this.#successor !== null) return this.#successor.find(serverName);
    const context = this.#routes.find(serverName);
    if (context === null) return null;
    return this.admits ? this.#entrances.get(context)! : this.#refusing;
  }

  /** The contexts of new tunnels. */
  get contexts(): readonly TunnelContext[] {
    return this.#successor?.contexts ?? this.#routes.contexts;
  }

  /** Whether tunnels under an older context may continue: see {@link TunnelRoutes.covers}. */
  covers(context: TunnelContext): boolean {
    return this.#successor?.covers(context) ?? this.#routes.covers(context);
  }

  /** Routes connections that still arrive here like the listener's successor. */
  follow(successor: WebTunnels): void {
    this.#successor = successor;
  }

  #entrancesTo({ contexts }: TunnelRoutes): ReadonlyMap<TunnelContext, TunnelEntrance> {
    return new Map(contexts.map((context) => [context, new ContextEntrance(context, this.#maker)]));
  }
}

/** Starts tunnels under one context. */
class ContextEntrance implements TunnelEntrance {
  readonly #context: TunnelContext;
  readonly #maker: TunnelMaker<object>;

  constructor(context: TunnelContext, maker: TunnelMaker<object>) {
    this.#context = context;
    this.#maker = maker;
  }

  take(connection: object, facts: EntryFacts): void {
    this.#maker.begin(this.#context, connection, facts);
  }
}

/** Refuses connections, because their listener is drained. */
class RefusingEntrance implements TunnelEntrance {
  readonly #stats: ConnectionStats;
  readonly #maker: TunnelMaker<object>;

  constructor(stats: ConnectionStats, maker: TunnelMaker<object>) {
    this.#stats = stats;
    this.#maker = maker;
  }

  take(connection: object, { holds }: EntryFacts): void {
    holds?.release();
    this.#stats.rejected('draining');
    this.#maker.refuse(connection);
    this.#stats.closed();
  }
}

function rulesOf({ name, passthrough }: L7Listener): ConstructorParameters<typeof TunnelRoutes>[0] {
  return { name, passthrough, cluster: null, ...DEFAULT_TUNNEL_TIMEOUTS };
}
