import { createHash, randomUUID } from 'node:crypto';
import { serialize } from 'node:v8';
import { AddressRules } from '../../access/addresses/address-rules.ts';
import { credentialMethods } from '../../access/credential-methods.ts';
import { RouteAccess } from '../../access/route-access.ts';
import type { L7Listener as L7ListenerConfig } from '../../config/types/listener.ts';
import type { ClusterAction, Route } from '../../config/types/route.ts';
import { AddressSet } from '../../core/address-set.ts';
import type { RouteRequest } from '../../routing/route-request.ts';
import { RouteTable } from '../../routing/route-table.ts';
import { CLIENT_LINES, LineLimit } from '../../telemetry/line-limit.ts';
import {
  identifyClient,
  type ClientIdentity,
  type ConnectionFacts,
} from '../../wire/forwarding/client-identity.ts';
import { onlyHeaderOf, type RequestHead } from '../../wire/http/request-head.ts';
import { offeredSubprotocols, wantsWebSocket } from '../../wire/upgrade/upgrade-request.ts';
import { RefusedHandshakes } from '../access-log/refused-handshakes.ts';
import { methodField, requestFields } from '../access-log/request-fields.ts';
import type { EngineRefusal, RequestDispatcher } from '../contract/engine.ts';
import type { Exchange } from '../contract/exchange.ts';
import {
  RequestStats,
  type HandshakeFailure,
  type ListenerStats,
  type RequestRefusal,
} from '../contract/listener-stats.ts';
import { ProxiedRequest } from '../http/proxied-request.ts';
import { HandshakeGate } from '../websocket/handshakes/handshake-gate.ts';
import type { UpgradeContext } from '../websocket/upgrade-order.ts';
import { Upgrade } from '../websocket/upgrade.ts';
import { AccessGate } from './access-gate.ts';
import { Answers } from './answers.ts';
import { checkRequest } from './client-request.ts';
import { ClusterRoute } from './cluster-route.ts';
import { HeaderFilter } from './header-filter.ts';
import type { L7Environment } from './l7-environment.ts';
import { plainHandler } from './plain-route.ts';
import { editsOf, type RouteHandler } from './route-handler.ts';
import { UpgradeContexts } from './upgrade-contexts.ts';

/**
 * Methods that are refused before routing. Compared without regard to case, since some endpoints ignore it.
 */
const REFUSED_METHODS: ReadonlyMap<string, { readonly status: 400 | 405; readonly reason: string }> = new Map(
  [
    ['CONNECT', { status: 400, reason: 'CONNECT is not supported' }],
    // TRACE echoes cookies and the headers that the proxy adds, which scripts must not see.
    ['TRACE', { status: 405, reason: 'TRACE is not allowed' }],
  ],
);

/** What the route table holds for a route. */
interface RoutedTo {
  readonly handle: RouteHandler;
  /** A digest, equal for routes that do the same, whatever their names and conditions. */
  readonly effect: string;
}

/**
 * Decides what happens to each request of one listener under one configuration. A new configuration brings a
 * new dispatcher, which takes over the contexts of unchanged routes with their sessions.
 */
export class Dispatcher implements RequestDispatcher {
  /** Whether new upgrades are refused. */
  draining = false;
  readonly #config: L7ListenerConfig;
  readonly #environment: L7Environment;
  readonly #stats: ListenerStats;
  readonly #handshakes: HandshakeGate;
  readonly #unrouted: Answers;
  readonly #refusals: RefusedHandshakes;
  readonly #contexts: UpgradeContexts;
  readonly #unroutedLines = new LineLimit(undefined, CLIENT_LINES);
  readonly #table: RouteTable<RoutedTo>;
  readonly #headers: HeaderFilter;
  readonly #trusted: (address: string) => boolean;
  /** For requests that no route takes. */
  readonly #addresses: AddressRules | null;
  #open = 0;

  /** @param previous the dispatcher that this one replaces; null for the first */
  constructor(
    config: L7ListenerConfig,
    environment: L7Environment,
    stats: ListenerStats,
    previous: Dispatcher | null,
  ) {
    this.draining = previous?.draining ?? false;
    this.#config = config;
    this.#environment = environment;
    this.#stats = stats;
    const { page, pages, access, wheel } = environment;
    this.#handshakes = new HandshakeGate(config.name, config, upgradedClusters(config), wheel, page, pages);
    const known = previous === null ? null : previous.#refusals;
    const window = environment.lineWindows.get(config.name)!;
    this.#refusals =
      known?.fits(access) === true
        ? known
        : new RefusedHandshakes(access, wheel, config.name, window, (reason) =>
            stats.handshakeFailed(reason),
          );
    const contexts = previous === null ? null : previous.#contexts;
    this.#contexts = new UpgradeContexts(config, environment, this.#refusals, contexts);
    this.#unrouted = this.#answers('none');
    this.#headers = new HeaderFilter(config, environment.clusters);
    const proxies = AddressSet.of(config.trustedProxies);
    this.#trusted = (address) => proxies.has(address);
    this.#addresses = AddressRules.of(config.access);
    this.#table = new RouteTable(
      config.routes.map((route) => ({
        match: route.match,
        value: { handle: this.#handler(route), effect: effectOf(route) },
      })),
    );
  }

  identify(head: RequestHead, connection: ConnectionFacts): ClientIdentity {
    return identifyClient(head, connection, this.#trusted, randomUUID);
  }

  /** Requests that have not been answered yet. */
  get open(): number {
    return this.#open;
  }

  dispatch(exchange: Exchange): void {
    this.#open++;
    const wantsUpgrade = wantsWebSocket(exchange.head);
    const failure = wantsUpgrade ? 'bad_request' : null;
    const head = this.#headers.filter(exchange.head);
    if (head === null) {
      this.#turnAway(exchange, 400, "a header's name has an underscore", 'bad_header', failure);
      return;
    }
    exchange.head = head;
    const request = checkRequest(head, this.#config.paths, exchange.engine.checksHeads);
    if ('problem' in request) {
      const { problem, detail } = request;
      this.#turnAway(exchange, 400, detail, problem, failure);
      return;
    }
    const refused = REFUSED_METHODS.get(head.method.toUpperCase());
    if (refused !== undefined) {
      this.#turnAway(exchange, refused.status, refused.reason, 'bad_method', failure);
      return;
    }
    const asked: RouteRequest = {
      host: request.host,
      path: request.path,
      query: head.query,
      subprotocols: wantsUpgrade ? offeredSubprotocols(head) : [],
      certificate: exchange.facts.certificate,
      header: (name) => onlyHeaderOf(head, name),
    };
    const hit = this.#table.match(asked);
    if (hit === null) {
      if (this.#addresses?.admits(exchange.client.address) === false) {
        this.#turnAway(exchange, 403, 'the address is not allowed', 'access', wantsUpgrade ? 'access' : null);
        this.#stats.accessRefused('address');
        return;
      }
      const detail = 'no route for this request';
      if (wantsUpgrade) this.#unrouted.refuseHandshake(exchange, 404, detail, 'no_route');
      else this.#unrouted.refuse(exchange, 404, detail, null);
      return;
    }
    if ('status' in hit) {
      const problem = hit.status === 414 ? 'bad_target' : 'condition';
      this.#turnAway(exchange, hit.status, hit.reason, problem, failure);
      return;
    }
    const detail = request.spelling === null ? null : this.#ambiguity(asked, request.spelling, hit.value);
    if (detail !== null) {
      this.#turnAway(exchange, 400, detail, 'ambiguous_path', wantsUpgrade ? 'ambiguous_path' : null);
      return;
    }
    hit.value.handle({ exchange, request, wantsUpgrade, entry: null, place: null, groups: hit.groups });
  }

  refuse(exchange: Exchange, { status, reason, detail }: EngineRefusal): void {
    this.#open++;
    this.#turnAway(exchange, status, detail, reason, null);
  }

  over(exchange: Exchange): void {
    this.#open--;
    exchange.inFlight?.over();
    exchange.admission?.release();
  }

  /** Returns why a path is ambiguous; null if all its readings take routes of one effect. */
  #ambiguity(request: RouteRequest, spelling: string, { effect }: RoutedTo): string | null {
    switch (this.#table.compareReadings(request, spelling, (other) => other.effect === effect)) {
      case 'all hold':
        return null;
      case 'one does not':
        return 'the path can be read as one of another route';
      case 'too many':
        return 'the path can be read in too many ways';
    }
  }

  /**
   * Refuses a request before any route gets it.
   *
   * @param reason the counter of a plain request
   * @param failure the counter of a handshake; null for a plain request
   */
  #turnAway(
    exchange: Exchange,
    status: 403 | 405 | EngineRefusal['status'],
    detail: string,
    reason: RequestRefusal,
    failure: HandshakeFailure | null,
  ): void {
    const { log } = this.#environment;
    const more = log.isLevelEnabled('debug') ? this.#unroutedLines.take() : null;
    if (more !== null) {
      const { head, client } = exchange;
      const fields = { ...requestFields(head, client), method: methodField(head) };
      log.debug(
        { listener: this.#config.name, ...fields, status, reason, detail, ...more },
        'request refused',
      );
    }
    if (failure === null) this.#unrouted.refuse(exchange, status, detail, reason);
    else this.#unrouted.refuseHandshake(exchange, status, detail, failure);
  }

  /** Writes the line that counts refused handshakes without lines of their own. */
  flushLog(): void {
    this.#refusals.flush();
  }

  /** The contexts of the routes to clusters. */
  get contexts(): readonly UpgradeContext[] {
    return this.#contexts.all;
  }

  /** Whether a current route replaces the one behind an older context. */
  covers(context: UpgradeContext): boolean {
    return this.#contexts.covers(context);
  }

  #handler(route: Route): RouteHandler {
    const { name, headers } = route;
    const answers = this.#answers(name);
    const edits = editsOf(headers.response);
    const handle = this.#guarded(route, answers, this.#actionHandler(route, answers));
    return (routed) => {
      routed.exchange.reply.edits = edits;
      handle(routed);
    };
  }

  /** Puts the route's access settings and limits in front of its handler. */
  #guarded(route: Route, answers: Answers, handle: RouteHandler): RouteHandler {
    const { name: listener, limits, websocket } = this.#config;
    const { accessServices, wheel, requests, config, limits: guards } = this.#environment;
    const guard = guards.setOf(listener, [...limits, ...route.limits]);
    if (route.access === null && guard === null) return handle;
    const { action } = route;
    const isUpgraded = action.kind === 'cluster' && action.upgrade !== 'never';
    const terms = {
      access: new RouteAccess(
        route.access,
        credentialMethods(route.access, accessServices),
        guard,
        accessServices.revocations,
      ),
      route: route.name,
      answers,
      wheel,
      timeoutMs: websocket.handshakeTimeoutMs,
      principal: config.log.principal,
      handshakes: isUpgraded ? this.#handshakes.of(action.cluster) : null,
      pending: isUpgraded ? this.#contexts.of(route, action.cluster).pending : null,
      requests,
    };
    return new AccessGate(terms, handle).handle;
  }

  #answers(route: string): Answers {
    const { page, access } = this.#environment;
    const listener = this.#config.name;
    const stats = new RequestStats(page, listener, route);
    const handshakes = this.#refusals;
    return new Answers({ stats, listenerStats: this.#stats, access, handshakes, listener, route });
  }

  #clusterHandler(route: Route, action: ClusterAction, answers: Answers): RouteHandler {
    const context = this.#contexts.of(route, action.cluster);
    const { cluster } = context;
    const { wheel, pool, writer, dialler, bound, budget, requests, log } = this.#environment;
    const settings = this.#config.http;
    const { own } = this.#headers;
    const proxy = { cluster, settings, own, wheel, pool, writer, dialler, bound, budget, requests, log };
    const handshakes = this.#handshakes;
    return new ClusterRoute(this.#config, route, action, answers, this, {
      cluster,
      createUpgrade: (order, reply) => new Upgrade(context, order, reply, handshakes.of(cluster.name)),
      createRequest: (order) => new ProxiedRequest(proxy, order),
    }).handle;
  }

  #actionHandler(route: Route, answers: Answers): RouteHandler {
    const { action } = route;
    if (action.kind === 'cluster') {
      return this.#clusterHandler(route, action, answers);
    }
    const handle = plainHandler(action, answers);
    const refuse = plainHandler(action, answers.forHandshakes('not_websocket'));
    return (routed) => {
      answers.begin(routed.exchange);
      if (routed.wantsUpgrade) refuse(routed);
      else handle(routed);
    };
  }
}

/** Lists the clusters that a listener's handshakes go to. */
function upgradedClusters({ routes }: L7ListenerConfig): Set<string> {
  const names = new Set<string>();
  for (const { action } of routes) {
    if (action.kind === 'cluster' && action.upgrade !== 'never') names.add(action.cluster);
  }
  return names;
}

/** Returns a digest of what a route does. A digest, since the text of a `respond` action may be long. */
function effectOf(route: Route): string {
  const effect = serialize({ ...route, name: null, match: null });
  return createHash('sha256').update(effect).digest('base64');
}
