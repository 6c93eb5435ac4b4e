import { randomUUID } from 'node:crypto';
import type { ClusterAction, L7Listener as L7ListenerConfig, Route, RouteAction } from '../config/types.ts';
import type { RandomPool } from '../core/random-pool.ts';
import type { TimerWheel } from '../core/timer-wheel.ts';
import { normalizePattern } from '../routing/request-path.ts';
import { expandRedirect, stripPrefix } from '../routing/rewrite.ts';
import { RouteTable } from '../routing/route-table.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { StatsPage } from '../telemetry/stats-page.ts';
import type { Cluster } from '../upstream/cluster.ts';
import { forwardedHeaders } from '../wire/forwarded.ts';
import { headerOf, type RequestHead } from '../wire/request-head.ts';
import { checkUpgrade, wantsWebSocket, type UpgradeRequest } from '../wire/upgrade-request.ts';
import type { BufferBudget } from './buffer-budget.ts';
import { addressMatcher, checkRequest, type ClientRequest } from './client-request.ts';
import type { HeaderList, HttpReply } from './http-reply.ts';
import { RequestStats, type ListenerStats } from './listener-stats.ts';
import type { Outbox } from './outbox.ts';
import { SessionStats } from './session-stats.ts';
import type { Session } from './session.ts';
import { StaticFiles } from './static/static-files.ts';
import { Upgrade, type UpgradeContext, type UpgradeReply } from './upgrade.ts';

/** What the listeners of one worker share. */
export interface L7Environment {
  readonly page: StatsPage;
  /** The values of every worker's page. */
  readonly pages: readonly Float64Array[];
  readonly wheel: TimerWheel;
  readonly log: Logger;
  readonly access: Logger | null;
  readonly clusters: ReadonlyMap<string, Cluster>;
  readonly outbox: Outbox;
  readonly budget: BufferBudget;
  readonly random: RandomPool;
}

/** One request as the listener hands it over. */
interface Exchange {
  readonly head: RequestHead;
  /** The peer's IP address as text. */
  readonly peer: string;
  readonly reply: HttpReply;
  /** When the request came, by `performance.now()`. */
  readonly startedAt: number;
  /** How to answer where the request becomes an upgrade. Called at most once, instead of using `reply`. */
  upgrade(request: UpgradeRequest): UpgradeReply;
}

/** A request with what is known of it when its route has been found. */
interface Routed {
  readonly exchange: Exchange;
  readonly request: ClientRequest;
  /** Null where it is plain HTTP. */
  readonly upgrade: UpgradeRequest | null;
  readonly groups: readonly string[];
}

/** What a route does with a request that it matches. */
type Handler = (routed: Routed) => void;

const PLAIN_TEXT = ['Content-Type', 'text/plain; charset=utf-8'] as const;
const UPGRADE_REQUIRED: HeaderList = [PLAIN_TEXT, ['Upgrade', 'websocket'], ['Sec-WebSocket-Version', '13']];
const TRY_AGAIN: HeaderList = [PLAIN_TEXT, ['Retry-After', '1']];

/** Decides what happens to each request of one listener. It knows nothing of uWS. */
export class Dispatcher {
  readonly sessions = new Set<Session>();
  readonly upgrades = new Set<Upgrade>();
  readonly #config: L7ListenerConfig;
  readonly #environment: L7Environment;
  readonly #stats: ListenerStats;
  readonly #unrouted: RequestStats;
  readonly #table: RouteTable<Handler>;
  readonly #trusted: (address: string) => boolean;
  #draining = false;

  constructor(config: L7ListenerConfig, environment: L7Environment, stats: ListenerStats) {
    this.#config = config;
    this.#environment = environment;
    this.#stats = stats;
    this.#unrouted = new RequestStats(environment.page, config.name, 'none');
    this.#trusted = addressMatcher(config.trustedProxies);
    this.#table = new RouteTable(
      config.routes.map((route) => ({
        match: route.match,
        value: this.#handler(route, new RequestStats(environment.page, config.name, route.name)),
      })),
    );
  }

  /** Answers the request, now or later. */
  dispatch(exchange: Exchange): void {
    const { head } = exchange;
    const request = checkRequest(head);
    if (typeof request === 'string') {
      if (wantsWebSocket(head)) this.#stats.handshakeFailed('bad_request');
      refuse(exchange, this.#unrouted, 400, request);
      return;
    }
    let upgrade: UpgradeRequest | null = null;
    if (wantsWebSocket(head)) {
      const checked = checkUpgrade(head);
      if ('status' in checked) {
        const { status, reason } = checked;
        this.#stats.handshakeFailed('bad_request');
        refuse(exchange, this.#unrouted, status, reason);
        return;
      }
      upgrade = checked;
    }
    const hit = this.#table.match({
      host: request.host,
      path: request.path,
      query: head.query,
      subprotocols: upgrade?.subprotocols ?? [],
      header: (name) => headerOf(head, name),
    });
    if (hit === null) {
      if (upgrade !== null) this.#stats.handshakeFailed('no_route');
      refuse(exchange, this.#unrouted, 404, 'no route for this request');
      return;
    }
    hit.value({ exchange, request, upgrade, groups: hit.groups });
  }

  /** Takes no more upgrades, gives up those under way and closes every session with 1012. */
  drain(): void {
    this.#draining = true;
    for (const upgrade of this.upgrades) upgrade.cancel();
    for (const session of this.sessions) session.close(1012, 'service restart');
  }

  #handler(route: Route, stats: RequestStats): Handler {
    const { action } = route;
    if (action.kind === 'cluster') return this.#clusterHandler(route, action, stats);
    const handle = plainHandler(action, stats);
    return (routed) => {
      if (routed.upgrade !== null) this.#stats.handshakeFailed('not_websocket');
      handle(routed);
    };
  }

  #clusterHandler(route: Route, action: ClusterAction, stats: RequestStats): Handler {
    const { name: listener, address, tls } = this.#config;
    const context = this.#upgradeContext(route, action);
    const prefix = action.stripPrefix === null ? null : normalizePattern(action.stripPrefix);
    return ({ exchange, request, upgrade }) => {
      if (upgrade === null) {
        refuse(exchange, stats, 426, 'this address speaks WebSocket');
        return;
      }
      if (this.#draining) {
        this.#stats.handshakeFailed('draining');
        refuse(exchange, stats, 503, 'the proxy is shutting down');
        return;
      }
      const { head, path } = request;
      const connection = { address: exchange.peer, port: address.port, secure: tls !== null };
      const forwarded = forwardedHeaders(head, connection, this.#trusted, randomUUID);
      const target = prefix === null ? path : stripPrefix(path, prefix);
      const order = {
        head,
        target: head.query === '' ? target : `${target}?${head.query}`,
        subprotocols: upgrade.subprotocols,
        forwarded: forwarded.headers,
        identity: {
          listener,
          route: route.name,
          cluster: action.cluster,
          client: forwarded.clientAddress,
          requestId: forwarded.requestId,
        },
      };
      const attempt = new Upgrade(context, order, exchange.upgrade(upgrade));
      exchange.reply.onAborted(() => attempt.clientGone());
      attempt.start();
    };
  }

  #upgradeContext(route: Route, action: ClusterAction): UpgradeContext {
    const { name, websocket } = this.#config;
    const { page, clusters, log, access, wheel, outbox, budget, random } = this.#environment;
    const cluster = clusters.get(action.cluster)!;
    return {
      cluster,
      log,
      pending: this.upgrades,
      countFailure: (reason) => this.#stats.handshakeFailed(reason),
      session: {
        settings: websocket,
        randomMasks: cluster.config.masking === 'random',
        stats: new SessionStats(page, name, route.name, cluster.name),
        wheel,
        outbox,
        budget,
        random,
        sessions: this.sessions,
        access,
      },
    };
  }
}

/** What the routes do that need no endpoint. */
function plainHandler(action: Exclude<RouteAction, ClusterAction>, stats: RequestStats): Handler {
  switch (action.kind) {
    case 'static': {
      const files = new StaticFiles(action);
      return ({ exchange, request: { head, path } }) => {
        const wanted = { method: head.method, path, header: (name: string) => headerOf(head, name) };
        files.serve(wanted, exchange.reply, (status) => stats.answered(status, secondsOf(exchange)));
      };
    }
    case 'respond': {
      const headers: HeaderList = [['Content-Type', action.contentType]];
      return ({ exchange }) => send(exchange, stats, action.status, headers, action.body);
    }
    case 'redirect':
      return ({ exchange, groups }) => {
        const location = expandRedirect(action.to, groups, exchange.head.query);
        send(exchange, stats, action.status, [['Location', location]], '');
      };
  }
}

function refuse(
  exchange: Exchange,
  stats: RequestStats,
  status: 400 | 404 | 426 | 503,
  reason: string,
): void {
  const headers = status === 426 ? UPGRADE_REQUIRED : status === 503 ? TRY_AGAIN : [PLAIN_TEXT];
  // A connection on which nonsense came may be out of step.
  send(exchange, stats, status, headers, `${reason}\n`, status === 400);
}

function send(
  exchange: Exchange,
  stats: RequestStats,
  status: number,
  headers: HeaderList,
  body: string,
  close = false,
): void {
  exchange.reply.send(status, headers, body, close);
  stats.answered(status, secondsOf(exchange));
}

function secondsOf(exchange: Exchange): number {
  return (performance.now() - exchange.startedAt) / 1000;
}
