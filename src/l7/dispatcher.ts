import type { L7Listener as L7ListenerConfig, Route } from '../config/types.ts';
import { RouteTable } from '../routing/route-table.ts';
import { headerOf } from '../wire/request-head.ts';
import { checkUpgrade, wantsWebSocket, type UpgradeRequest } from '../wire/upgrade-request.ts';
import { addressMatcher, checkRequest } from './client-request.ts';
import { ClusterRoute, type UnderWay } from './cluster-action.ts';
import type { L7Environment } from './environment.ts';
import { Answers, editsOf, type Exchange, type Handler } from './exchange.ts';
import { RequestStats, type ListenerStats } from './listener-stats.ts';
import { plainHandler } from './plain-action.ts';
import type { Session } from './session.ts';
import type { Upgrade } from './upgrade.ts';

/** Decides what happens to each request of one listener. It knows nothing of uWS. */
export class Dispatcher {
  readonly #config: L7ListenerConfig;
  readonly #environment: L7Environment;
  readonly #stats: ListenerStats;
  readonly #unrouted: Answers;
  readonly #table: RouteTable<Handler>;
  readonly #trusted: (address: string) => boolean;
  readonly #underWay: UnderWay = { sessions: new Set(), upgrades: new Set(), draining: false };

  constructor(config: L7ListenerConfig, environment: L7Environment, stats: ListenerStats) {
    this.#config = config;
    this.#environment = environment;
    this.#stats = stats;
    const { page, access } = environment;
    this.#unrouted = new Answers(new RequestStats(page, config.name, 'none'), access, config.name, 'none');
    this.#trusted = addressMatcher(config.trustedProxies);
    this.#table = new RouteTable(
      config.routes.map((route) => ({ match: route.match, value: this.#handler(route) })),
    );
  }

  get sessions(): ReadonlySet<Session> {
    return this.#underWay.sessions;
  }

  get upgrades(): ReadonlySet<Upgrade> {
    return this.#underWay.upgrades;
  }

  /** Answers the request, now or later. */
  dispatch(exchange: Exchange): void {
    const { head } = exchange;
    const request = checkRequest(head);
    if (typeof request === 'string') {
      if (wantsWebSocket(head)) this.#stats.handshakeFailed('bad_request');
      this.#unrouted.refuse(exchange, 400, request);
      return;
    }
    let upgrade: UpgradeRequest | null = null;
    if (wantsWebSocket(head)) {
      const checked = checkUpgrade(head);
      if ('status' in checked) {
        const { status, reason } = checked;
        this.#stats.handshakeFailed('bad_request');
        this.#unrouted.refuse(exchange, status, reason);
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
      this.#unrouted.refuse(exchange, 404, 'no route for this request');
      return;
    }
    hit.value({ exchange, request, upgrade, groups: hit.groups });
  }

  /** Takes no more upgrades, gives up those under way and closes every session with 1012. */
  drain(): void {
    this.#underWay.draining = true;
    for (const upgrade of this.upgrades) upgrade.cancel();
    for (const session of this.sessions) session.close(1012, 'service restart');
  }

  #handler(route: Route): Handler {
    const { action, name, headers } = route;
    const { page, access } = this.#environment;
    const listener = this.#config.name;
    const stats = new RequestStats(page, listener, name);
    const answers = new Answers(stats, access, listener, name, editsOf(headers.response));
    if (action.kind === 'cluster') {
      return new ClusterRoute(this.#config, route, action, this.#environment, {
        answers,
        stats: this.#stats,
        underWay: this.#underWay,
        trusted: this.#trusted,
      }).handle;
    }
    const handle = plainHandler(action, answers);
    return (routed) => {
      if (routed.upgrade !== null) this.#stats.handshakeFailed('not_websocket');
      handle(routed);
    };
  }
}
