import type { L7Listener as L7ListenerConfig } from '../../config/types/listener.ts';
import type { ClusterAction, Route } from '../../config/types/route.ts';
import { normalizePattern } from '../../routing/request-path.ts';
import { pathRewriter } from '../../routing/rewrite.ts';
import { loginsOf } from '../../wire/http/connection-auth.ts';
import { forwardedHeaders, viaElement } from '../../wire/forwarding/forwarded-headers.ts';
import { headerOf } from '../../wire/http/request-head.ts';
import type { HeaderEdits } from '../../wire/http/header-edits.ts';
import { checkUpgrade } from '../../wire/upgrade/upgrade-request.ts';
import type { UpstreamTarget } from '../../wire/http/request-encoding.ts';
import type { L7Environment } from './environment.ts';
import { editsOf, type Answers, type Handler, type Routed } from '../contract/exchange.ts';
import type { HandshakeGate } from '../websocket/handshakes/handshake-gate.ts';
import { ProxiedRequest } from '../http/proxied-request.ts';
import type { ProxyContext } from '../http/proxy-order.ts';
import { pickContextOf } from './request-pick.ts';
import { Upgrade, type UpgradeContext } from '../websocket/upgrade.ts';

const DOT_SEGMENT = 'the rewritten path has a dot segment';

/** Sends the requests of one route to its cluster: handshakes as upgrades, the others as they are. */
export class ClusterRoute {
  readonly #config: L7ListenerConfig;
  readonly #action: ClusterAction;
  readonly #answers: Answers;
  readonly #admission: { readonly draining: boolean };
  readonly #handshakes: HandshakeGate;
  readonly #upgrades: UpgradeContext;
  readonly #requests: ProxyContext;
  readonly #requestEdits: HeaderEdits;
  readonly #loginOf: ReturnType<typeof loginsOf>;
  readonly #strippedPrefix: string;
  readonly #rewrite: ReturnType<typeof pathRewriter>;

  constructor(
    config: L7ListenerConfig,
    route: Route,
    action: ClusterAction,
    environment: L7Environment,
    listener: {
      answers: Answers;
      /** Says whether new upgrades are refused. */
      admission: { readonly draining: boolean };
      handshakes: HandshakeGate;
      upgrades: UpgradeContext;
    },
  ) {
    this.#config = config;
    this.#action = action;
    this.#answers = listener.answers;
    this.#admission = listener.admission;
    this.#handshakes = listener.handshakes;
    this.#requestEdits = editsOf(route.headers.request);
    this.#loginOf = loginsOf(this.#requestEdits);
    this.#rewrite = pathRewriter(action.rewrite);
    this.#strippedPrefix = normalizePattern(action.rewrite.stripPrefix ?? '');
    const { clusters, log, wheel, pool, writer, dialler, bound, budget, requests } = environment;
    const cluster = clusters.get(action.cluster)!;
    this.#requests = {
      cluster,
      settings: config.http,
      wheel,
      pool,
      writer,
      dialler,
      bound,
      budget,
      requests,
      log,
    };
    this.#upgrades = listener.upgrades;
  }

  readonly handle: Handler = (routed) => {
    const { wantsUpgrade } = routed;
    switch (this.#action.upgrade) {
      case 'only':
        if (wantsUpgrade) this.#upgrade(routed);
        else this.#answers.refuse(routed.exchange, 426, 'this address speaks WebSocket', null);
        return;
      case 'also':
        if (wantsUpgrade) this.#upgrade(routed);
        else this.#proxy(routed);
        return;
      case 'never':
        // Whoever does not speak the other protocol goes on in this one (RFC 9110 section 7.8).
        this.#proxy(routed);
    }
  };

  #upgrade(routed: Routed): void {
    const { exchange } = routed;
    const { client } = exchange;
    const upgrade = checkUpgrade(exchange.head);
    if ('status' in upgrade) {
      this.#answers.refuseHandshake(exchange, upgrade.status, upgrade.reason, 'bad_request');
      return;
    }
    if (this.#admission.draining) {
      this.#answers.refuseHandshake(exchange, 503, 'the proxy is shutting down', 'draining');
      return;
    }
    const path = this.#rewrite(routed.request.path, routed.groups);
    if (path === null) {
      this.#answers.refuseHandshake(exchange, 400, DOT_SEGMENT, 'dot_segment');
      return;
    }
    const order = {
      head: exchange.head,
      to: this.#addressed(routed, path),
      login: this.#loginOf(exchange.head),
      subprotocols: upgrade.subprotocols,
      pick: pickContextOf(this.#upgrades.cluster.config, exchange.head, client.address),
      secure: client.secure,
      via: this.#config.via,
      client,
      asker: exchange,
      startedAt: exchange.startedAt,
    };
    const attempt = new Upgrade(
      this.#upgrades,
      order,
      exchange.upgrade(upgrade),
      this.#handshakes.of(this.#action.cluster),
    );
    exchange.reply.onAborted(() => attempt.clientGone());
    attempt.start();
  }

  #proxy(routed: Routed): void {
    const { exchange } = routed;
    this.#answers.begin(exchange);
    const { head } = exchange;
    const { maxBodySize } = this.#config.http;
    if (maxBodySize > 0 && Number(headerOf(head, 'content-length') ?? 0) > maxBodySize) {
      const detail = 'the body of the request is larger than allowed';
      this.#answers.refuse(exchange, 413, detail, 'body_too_large');
      return;
    }
    const path = this.#rewrite(routed.request.path, routed.groups);
    if (path === null) {
      this.#answers.refuse(exchange, 400, DOT_SEGMENT, 'dot_segment');
      return;
    }
    const { address: client, requestId } = exchange.client;
    const { cluster } = this.#action;
    new ProxiedRequest(this.#requests, {
      head,
      to: this.#addressed(routed, path),
      login: this.#loginOf(head),
      body: exchange.body,
      reply: exchange.reply,
      asker: exchange,
      pick: pickContextOf(this.#upgrades.cluster.config, head, client),
      secure: exchange.client.secure,
      via: this.#config.via,
      requestId,
      done: (status, endpoint, refusal) =>
        this.#answers.ended(exchange, status, { by: { cluster, endpoint }, refusal }),
    }).start();
  }

  /** Makes what goes upstream in place of the client's own target and headers. @param path after the rewrite */
  #addressed({ exchange, request }: Routed, path: string): UpstreamTarget {
    const { head, peer, client } = exchange;
    const { address, tls, via, forwarded: style } = this.#config;
    const connection = { address: peer, port: address.port, secure: tls !== null };
    const isStripped = this.#action.rewrite.stripPrefix !== null && path !== request.path;
    const prefix = isStripped ? this.#strippedPrefix : '';
    const forwarded = forwardedHeaders(head, client, connection, prefix, style);
    return {
      target: head.query === '' ? path : `${path}?${head.query}`,
      host: this.#action.rewrite.host,
      forwarded: via ? [...forwarded, 'Via', viaElement()] : forwarded,
      edits: this.#requestEdits,
    };
  }
}
