import { randomUUID } from 'node:crypto';
import { AddressRules } from '../../access/addresses/address-rules.ts';
import type { L7Listener as L7ListenerConfig } from '../../config/types/listener.ts';
import { AddressSet } from '../../core/address-set.ts';
import type { Slices } from '../../core/timing/slices.ts';
import { doStepsInSlices } from '../../core/timing/steps.ts';
import type { RouteRequest } from '../../routing/route-request.ts';
import type { RouteTable } from '../../routing/route-table.ts';
import { CLIENT_LINES, LineLimit } from '../../telemetry/line-limit.ts';
import type { Logger } from '../../telemetry/logger.ts';
import {
  identifyClient,
  type ClientIdentity,
  type ConnectionFacts,
} from '../../wire/forwarding/client-identity.ts';
import { onlyHeaderOf, type RequestHead } from '../../wire/http/request-head.ts';
import { offeredSubprotocols, wantsWebSocket } from '../../wire/upgrade/upgrade-request.ts';
import { RefusedHandshakes } from '../access-log/refused-handshakes.ts';
import { requestFactsOf, methodField } from '../access-log/request-fields.ts';
import type { EngineRefusal, RequestDispatcher } from '../contract/engine.ts';
import { ErrorPages } from '../contract/error-pages.ts';
import type { Exchange } from '../contract/exchange.ts';
import type { HandshakeFailure, ListenerStats, RequestRefusal } from '../contract/listener-stats.ts';
import { HeadSampler } from '../tracing/head-sampler.ts';
import type { UpgradeContext } from '../websocket/upgrade-order.ts';
import type { Answers } from './answers.ts';
import { checkRequest } from './client-request.ts';
import type { HeaderFilter } from './header-filter.ts';
import type { L7Environment } from './l7-environment.ts';
import { ListenerRoutes } from './listener-routes.ts';
import type { RouteTarget, RouteHandler } from './route-handler.ts';
import { RouteHandlers } from './route-handlers.ts';
import { UpgradeContexts } from './upgrade-contexts.ts';

/**
 * Methods that are refused before routing. Compared case-insensitively, because some endpoints ignore case.
 */
const REFUSED_METHODS: ReadonlyMap<string, { readonly status: 400 | 405; readonly reason: string }> = new Map(
  [
    ['CONNECT', { status: 400, reason: 'CONNECT is not supported' }],
    // TRACE echoes cookies and headers that sluice adds, which scripts must not see.
    ['TRACE', { status: 405, reason: 'TRACE is not allowed' }],
  ],
);

/**
 * Decides the answer to each request of one listener under one configuration. A new configuration has a new
 * dispatcher, which takes over the contexts of unchanged routes with their sessions.
 */
export class Dispatcher implements RequestDispatcher {
  /** Whether new upgrades are refused. */
  draining = false;
  readonly #config: L7ListenerConfig;
  readonly #log: Logger;
  readonly #stats: ListenerStats;
  readonly #routes: ListenerRoutes;
  readonly #table: RouteTable<RouteTarget>;
  readonly #headers: HeaderFilter;
  readonly #refusals: RefusedHandshakes;
  readonly #contexts: UpgradeContexts;
  readonly #makers: RouteHandlers;
  /** Handlers of the routes that have had requests: most of thousands have none. */
  readonly #handlers = new Map<RouteTarget, RouteHandler>();
  readonly #unrouted: Answers;
  /** Error pages of requests without a route. */
  readonly #pages: ErrorPages;
  readonly #unroutedLines = new LineLimit(undefined, CLIENT_LINES);
  readonly #faultLines = new LineLimit();
  readonly #trusted: (address: string) => boolean;
  /** Null without tracing. */
  readonly #sampler: HeadSampler | null;
  /** Rules for requests without a route. */
  readonly #addresses: AddressRules | null;
  #open = 0;

  /**
   * Creates the dispatcher of a configuration. Builds its routes in slices.
   *
   * @param previous the dispatcher to replace, null for the first
   */
  static async create(
    config: L7ListenerConfig,
    environment: L7Environment,
    stats: ListenerStats,
    previous: Dispatcher | null,
    slices: Slices,
  ): Promise<Dispatcher> {
    const known = previous === null ? null : previous.#routes;
    const routes = await doStepsInSlices(ListenerRoutes.build(config, environment, known), slices);
    return new Dispatcher(config, environment, stats, routes, previous);
  }

  /**
   * @param routes all routes of the configuration
   * @param previous the dispatcher to replace, null for the first
   */
  constructor(
    config: L7ListenerConfig,
    environment: L7Environment,
    stats: ListenerStats,
    routes: ListenerRoutes,
    previous: Dispatcher | null,
  ) {
    this.#config = config;
    this.#log = environment.log;
    this.#stats = stats;
    this.#routes = routes;
    const { table, headers, handshakes } = routes;
    this.#table = table;
    this.#headers = headers;
    const { journal, wheel } = environment;
    const known = previous === null ? null : previous.#refusals;
    const window = environment.lineWindows.get(config.name)!;
    const refusals =
      known ??
      new RefusedHandshakes(journal, wheel, config.name, window, (reason) => stats.handshakeFailed(reason));
    this.#refusals = refusals;
    const contexts = new UpgradeContexts(config, environment, refusals);
    this.#contexts = contexts;
    const { reserved } = headers;
    const pages = ErrorPages.of(config.errorPages);
    this.#pages = pages;
    const terms = { pages, listener: config, environment, stats, handshakes, refusals, contexts, reserved };
    this.#makers = new RouteHandlers({ ...terms, admission: this });
    this.#unrouted = this.#makers.answersOf('none');
    const proxies = AddressSet.of(config.trustedProxies);
    this.#trusted = (address) => proxies.has(address);
    this.#addresses = AddressRules.of(config.access);
    const { tracing } = environment.config;
    this.#sampler = tracing === null ? null : new HeadSampler(tracing, environment.random);
  }

  /**
   * Takes over contexts and state of the previous dispatcher. Must be called when the configuration takes
   * effect, after its clusters have changed and before the first request.
   */
  inherit(previous: Dispatcher): void {
    this.draining = previous.draining;
    this.#contexts.inherit(previous.#contexts, this.#routes);
  }

  identify(head: RequestHead, connection: ConnectionFacts): ClientIdentity {
    return identifyClient(head, connection, this.#trusted, randomUUID, this.#sampler);
  }

  /** Number of unanswered requests. */
  get open(): number {
    return this.#open;
  }

  dispatch(exchange: Exchange): void {
    this.#open++;
    const wantsUpgrade = wantsWebSocket(exchange.head);
    const failure = wantsUpgrade ? 'bad_request' : null;
    const head = this.#headers.filter(exchange.head);
    if (head === null) {
      this.#refuseUnrouted(exchange, 400, "a header's name has an underscore", 'bad_header', failure);
      return;
    }
    exchange.head = head;
    const request = checkRequest(head, this.#config.paths, exchange.engine.checksHeads);
    if ('problem' in request) {
      const { problem, detail } = request;
      this.#refuseUnrouted(exchange, 400, detail, problem, failure);
      return;
    }
    const refused = REFUSED_METHODS.get(head.method.toUpperCase());
    if (refused !== undefined) {
      this.#refuseUnrouted(exchange, refused.status, refused.reason, 'bad_method', failure);
      return;
    }
    const routeRequest: RouteRequest = {
      host: request.host,
      path: request.path,
      query: head.query,
      subprotocols: wantsUpgrade ? offeredSubprotocols(head) : [],
      certificate: exchange.facts.certificate,
      header: (name) => onlyHeaderOf(head, name),
    };
    const hit = this.#table.match(routeRequest);
    if (hit === null) {
      exchange.reply.pages = this.#pages;
      if (this.#addresses?.admits(exchange.client.address) === false) {
        this.#refuseUnrouted(
          exchange,
          403,
          'the address is not allowed',
          'access',
          wantsUpgrade ? 'access' : null,
        );
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
      this.#refuseUnrouted(exchange, hit.status, hit.reason, problem, failure);
      return;
    }
    const detail =
      request.spelling === null ? null : this.#ambiguity(routeRequest, request.spelling, hit.value);
    if (detail !== null) {
      this.#refuseUnrouted(exchange, 400, detail, 'ambiguous_path', wantsUpgrade ? 'ambiguous_path' : null);
      return;
    }
    const { trace } = exchange.client;
    if (trace !== null) this.#sampler?.routed(trace, hit.value.route.name);
    const handle = this.#handlers.get(hit.value) ?? this.#makeHandler(hit.value);
    handle({ exchange, request, wantsUpgrade, entry: null, place: null, groups: hit.groups });
  }

  refuse(exchange: Exchange, { status, reason, detail }: EngineRefusal): void {
    this.#open++;
    this.#refuseUnrouted(exchange, status, detail, reason, null);
  }

  over(exchange: Exchange): void {
    this.#open--;
    exchange.inFlight?.over();
    exchange.admission?.release();
  }

  /** Returns why a path is ambiguous. Null if all its readings match routes with the same effect. */
  #ambiguity(request: RouteRequest, spelling: string, to: RouteTarget): string | null {
    const isSame = (other: RouteTarget): boolean => other === to || other.effect === to.effect;
    switch (this.#table.compareReadings(request, spelling, isSame)) {
      case 'all hold':
        return null;
      case 'one does not':
        return 'the path is ambiguous and may match another route';
      case 'too many':
        return 'the path is ambiguous in too many ways';
    }
  }

  /**
   * Refuses a request before routing.
   *
   * @param reason label of a plain request's counter
   * @param failure label of a handshake's counter, null for a plain request
   */
  #refuseUnrouted(
    exchange: Exchange,
    status: 403 | 405 | EngineRefusal['status'],
    detail: string,
    reason: RequestRefusal,
    failure: HandshakeFailure | null,
  ): void {
    const log = this.#log;
    const more = log.isLevelEnabled('debug') ? this.#unroutedLines.take() : null;
    if (more !== null) {
      const { head, client } = exchange;
      const { isHttp10: _, ...facts } = requestFactsOf(head, client, false);
      const fields = { ...facts, method: methodField(head) };
      log.debug(
        { listener: this.#config.name, ...fields, status, reason, detail, ...more },
        'request refused',
      );
    }
    if (failure === null) this.#unrouted.refuse(exchange, status, detail, reason);
    else this.#unrouted.refuseHandshake(exchange, status, detail, failure);
  }

  /** Writes the count of refused handshakes without their own lines. */
  flushLog(): void {
    this.#refusals.flush();
  }

  /** Contexts of the routes to clusters that have had requests. */
  get contexts(): readonly UpgradeContext[] {
    return this.#contexts.all;
  }

  /** Whether new sessions use a context. */
  uses(context: UpgradeContext): boolean {
    return this.#contexts.has(context);
  }

  /** Whether a current route replaces the route of an older context. */
  covers({ route, cluster }: UpgradeContext): boolean {
    return this.#routes.replaces(route, cluster.name);
  }

  /** Creates the handler of a route. If that fails, returns a handler that refuses one request. */
  #makeHandler(to: RouteTarget): RouteHandler {
    try {
      const handle = this.#makers.of(to.route);
      this.#handlers.set(to, handle);
      return handle;
    } catch (error) {
      const more = this.#faultLines.take();
      const fields = { err: error, listener: this.#config.name, route: to.route.name };
      if (more !== null) this.#log.error({ ...fields, ...more }, 'the route cannot be served');
      return ({ exchange, wantsUpgrade }) => {
        const detail = 'the route cannot be served';
        if (wantsUpgrade) this.#unrouted.refuseHandshake(exchange, 503, detail, 'own_shortage');
        else this.#unrouted.refuse(exchange, 503, detail, null, 'own_shortage');
      };
    }
  }
}
