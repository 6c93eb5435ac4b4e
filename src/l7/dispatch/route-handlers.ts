import { credentialMethods } from '../../access/credential-methods.ts';
import { RouteAccess } from '../../access/route-access.ts';
import type { L7Listener } from '../../config/types/listener.ts';
import type { ClusterAction, Route } from '../../config/types/route.ts';
import type { RefusedHandshakes } from '../access-log/refused-handshakes.ts';
import type { ErrorPages } from '../contract/error-pages.ts';
import { RequestStats, type ListenerStats } from '../contract/listener-stats.ts';
import { ProxiedRequest } from '../http/proxied-request.ts';
import type { HandshakeGate } from '../websocket/handshakes/handshake-gate.ts';
import { Upgrade } from '../websocket/upgrade.ts';
import { AccessGate } from './access-gate.ts';
import { Answers } from './answers.ts';
import { ClusterRoute } from './cluster-route.ts';
import type { L7Environment } from './l7-environment.ts';
import { plainHandler } from './plain-route.ts';
import { editsOf, type RouteHandler } from './route-handler.ts';
import type { UpgradeContexts } from './upgrade-contexts.ts';

/** State that the handlers of one listener share under one configuration. */
interface HandlerTerms {
  readonly listener: L7Listener;
  readonly environment: L7Environment;
  readonly stats: ListenerStats;
  readonly handshakes: HandshakeGate;
  readonly refusals: RefusedHandshakes;
  readonly contexts: UpgradeContexts;
  /** Error pages of the listener. */
  readonly pages: ErrorPages;
  /** Headers that only sluice may set. */
  readonly reserved: ReadonlySet<string>;
  /** Says whether new upgrades are refused. */
  readonly admission: { readonly draining: boolean };
}

/** Creates the handlers of a listener's routes. */
export class RouteHandlers {
  readonly #terms: HandlerTerms;

  constructor(terms: HandlerTerms) {
    this.#terms = terms;
  }

  /** Creates the answers of a route. @param route its name, or `none` for requests without a route */
  answersOf(route: string): Answers {
    const { listener, environment, stats: listenerStats, refusals: handshakes } = this.#terms;
    const { page, journal } = environment;
    const stats = new RequestStats(page, listener.name, route);
    return new Answers({ stats, listenerStats, journal, handshakes, listener: listener.name, route });
  }

  /** Creates the handler of a route. @throws if it cannot be set up */
  of(route: Route): RouteHandler {
    const { name, headers } = route;
    const answers = this.answersOf(name);
    const edits = editsOf(headers.response);
    const pages = this.#terms.pages.withRoute(route.errorPages);
    const handle = this.#guarded(route, answers, this.#actionHandler(route, answers));
    return (routed) => {
      const { reply } = routed.exchange;
      reply.edits = edits;
      reply.pages = pages;
      handle(routed);
    };
  }

  /** Wraps a route's handler in its access rules and limits. */
  #guarded(route: Route, answers: Answers, handle: RouteHandler): RouteHandler {
    const { handshakes, contexts, listener, environment } = this.#terms;
    const { accessServices, wheel, requests, config, limits: guards } = environment;
    const guard = guards.guardFor(listener.name, [...listener.limits, ...route.limits]);
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
      timeoutMs: listener.websocket.handshakeTimeoutMs,
      principal: config.log.principal,
      handshakes: isUpgraded ? handshakes.of(action.cluster) : null,
      pending: isUpgraded ? contexts.of(route, action.cluster).pending : null,
      requests,
    };
    return new AccessGate(terms, handle).handle;
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

  #clusterHandler(route: Route, action: ClusterAction, answers: Answers): RouteHandler {
    const { listener, environment, handshakes, contexts, reserved, admission } = this.#terms;
    const context = contexts.of(route, action.cluster);
    const { cluster } = context;
    const { wheel, pool, writer, dialler, bound, budget, requests, log } = environment;
    const settings = listener.http;
    const proxy = { cluster, settings, reserved, wheel, pool, writer, dialler, bound, budget, requests, log };
    return new ClusterRoute(listener, route, action, answers, admission, {
      cluster,
      createUpgrade: (order, reply) => new Upgrade(context, order, reply, handshakes.of(cluster.name)),
      createRequest: (order) => new ProxiedRequest(proxy, order),
    }).handle;
  }
}
