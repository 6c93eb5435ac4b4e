import { OpenAdmission } from '../../access/admission/open-admission.ts';
import type { Admission } from '../../access/contract/admission.ts';
import type { Certificate, L7Listener } from '../../config/types/listener.ts';
import type { ClusterAction, Route } from '../../config/types/route.ts';
import { copyOfText } from '../../core/copy.ts';
import { normalizePattern } from '../../routing/request-path.ts';
import { pathRewriter } from '../../routing/rewrite.ts';
import type { Cluster } from '../../upstream/cluster.ts';
import { clientCertValue } from '../../wire/forwarding/client-cert-header.ts';
import { forwardedHeaders, viaElement } from '../../wire/forwarding/forwarded-headers.ts';
import { connectionLoginFinder } from '../../wire/http/connection-auth.ts';
import type { HeaderEdits } from '../../wire/http/header-edits.ts';
import type { UpstreamTarget } from '../../wire/http/request-encoding.ts';
import { headerOf, joinedHeaderOf } from '../../wire/http/request-head.ts';
import { checkUpgrade } from '../../wire/upgrade/upgrade-request.ts';
import type { Exchange } from '../contract/exchange.ts';
import type { UpgradeReply } from '../contract/upgrade-reply.ts';
import type { ProxyOrder } from '../http/proxy-order.ts';
import type { UpgradeOrder } from '../websocket/upgrade-order.ts';
import type { Answers } from './answers.ts';
import { pickContextOf } from './request-pick.ts';
import { editsOf, type RoutedRequest, type RouteHandler } from './route-handler.ts';

const DOT_SEGMENT = 'the rewritten path has a dot segment';

/** Listener settings that its routes to clusters use. */
type ListenerSettings = Pick<L7Listener, 'address' | 'tls' | 'http' | 'websocket' | 'via' | 'forwarded'>;

/** Creates the upgrades and requests of a route to its cluster. */
interface ClusterCarrier {
  /** The cluster, whose configuration may change. */
  readonly cluster: Pick<Cluster, 'config'>;
  /** Creates the handshake with an endpoint. Call `start` to begin it. */
  createUpgrade(order: UpgradeOrder, reply: UpgradeReply): { start(): void; clientGone(): void };
  /** Creates the request to an endpoint. Call `start` to begin it. */
  createRequest(order: ProxyOrder): { start(): void };
}

/** Sends the requests of one route to its cluster: handshakes as upgrades, others as plain requests. */
export class ClusterRoute {
  readonly #listener: ListenerSettings;
  readonly #action: ClusterAction;
  readonly #answers: Answers;
  readonly #admission: { readonly draining: boolean };
  readonly #carrier: ClusterCarrier;
  readonly #requestEdits: HeaderEdits;
  readonly #loginOf: ReturnType<typeof connectionLoginFinder>;
  readonly #strippedPrefix: string;
  /** Whether endpoints get X-Forwarded-Client-Cert. */
  readonly #forwardsCert: boolean;
  /** The URI that all certificates of the listener share, or null. */
  readonly #ownUri: string | null;
  readonly #rewrite: ReturnType<typeof pathRewriter>;

  /** @param admission says whether new upgrades are refused */
  constructor(
    listener: ListenerSettings,
    route: Pick<Route, 'headers'>,
    action: ClusterAction,
    answers: Answers,
    admission: { readonly draining: boolean },
    carrier: ClusterCarrier,
  ) {
    this.#listener = listener;
    this.#action = action;
    this.#answers = answers;
    this.#admission = admission;
    this.#carrier = carrier;
    this.#requestEdits = editsOf(route.headers.request);
    this.#loginOf = connectionLoginFinder(this.#requestEdits);
    this.#rewrite = pathRewriter(action.rewrite);
    this.#strippedPrefix = normalizePattern(action.rewrite.stripPrefix ?? '');
    this.#forwardsCert = listener.tls?.clientCertificates?.forward ?? false;
    this.#ownUri = commonUri(listener.tls?.certificates ?? []);
  }

  readonly handle: RouteHandler = (routed) => {
    const { wantsUpgrade } = routed;
    switch (this.#action.upgrade) {
      case 'only':
        if (wantsUpgrade) this.#upgrade(routed);
        else this.#answers.refuse(routed.exchange, 426, 'this address requires a WebSocket upgrade', null);
        return;
      case 'also':
        if (wantsUpgrade) this.#upgrade(routed);
        else this.#proxy(routed);
        return;
      case 'never':
        // A server may ignore Upgrade and answer in HTTP (RFC 9110 section 7.8).
        this.#proxy(routed);
    }
  };

  #upgrade(routed: RoutedRequest): void {
    const { exchange, entry, place } = routed;
    const { client } = exchange;
    const upgrade = checkUpgrade(exchange.head);
    if ('status' in upgrade) {
      this.#answers.refuseHandshake(exchange, upgrade.status, upgrade.reason, 'bad_request');
      return;
    }
    if (this.#admission.draining) {
      this.#answers.refuseHandshake(exchange, 503, 'the proxy is draining', 'draining');
      return;
    }
    const path = this.#rewrite(routed.request.path, routed.groups);
    if (path === null) {
      this.#answers.refuseHandshake(exchange, 400, DOT_SEGMENT, 'dot_segment');
      return;
    }
    const order = {
      head: exchange.head,
      to: this.#targetOf(routed, path),
      login: this.#loginOf(exchange.head),
      subprotocols: upgrade.subprotocols,
      extensions: this.#offeredExtensions(exchange),
      pick: pickContextOf(this.#carrier.cluster.config, exchange.head, client.address),
      secure: client.secure,
      via: this.#listener.via,
      client,
      admission: entry?.admission ?? openAdmission(client),
      place,
      ownSubprotocol: entry?.subprotocol ?? null,
      requestId: client.requestId,
      requester: exchange,
      engine: exchange.engine,
      startedAt: exchange.startedAt,
    };
    // The upgrade or its session releases the admission.
    exchange.admission = null;
    const handshake = this.#carrier.createUpgrade(order, exchange.upgrade(upgrade));
    exchange.reply.onAborted(() => handshake.clientGone());
    handshake.start();
  }

  /**
   * Returns the extensions to offer to the endpoint: the client's if frames pass unchanged, otherwise none.
   */
  #offeredExtensions({ head, engine }: Exchange): string {
    if (this.#listener.websocket.compression !== 'passthrough' || !engine.passesExtensions) return '';
    return joinedHeaderOf(head, 'sec-websocket-extensions') ?? '';
  }

  #proxy(routed: RoutedRequest): void {
    const { exchange, entry } = routed;
    this.#answers.begin(exchange);
    const { head } = exchange;
    const { maxBodySize } = this.#listener.http;
    if (maxBodySize > 0 && Number(headerOf(head, 'content-length') ?? 0) > maxBodySize) {
      const detail = 'the request body is too large';
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
    const request = this.#carrier.createRequest({
      head,
      to: this.#targetOf(routed, path),
      login: this.#loginOf(head),
      body: exchange.body,
      reply: exchange.reply,
      requester: exchange,
      pick: pickContextOf(this.#carrier.cluster.config, head, client),
      secure: exchange.client.secure,
      via: this.#listener.via,
      requestId,
      admittedAt: entry === null ? exchange.startedAt : performance.now(),
      done: (status, endpoint, refusal, attempts, own) =>
        this.#answers.ended(exchange, status, { by: { cluster, endpoint }, refusal, attempts, ...own }),
    });
    request.start();
  }

  /**
   * Returns the target and headers that replace the client's.
   *
   * @param path the rewritten path
   */
  #targetOf({ exchange, request, entry }: RoutedRequest, path: string): UpstreamTarget {
    const { head, client, facts } = exchange;
    const { via, forwarded: style } = this.#listener;
    const { rewrite, cluster } = this.#action;
    const isStripped = rewrite.stripPrefix !== null && path !== request.path;
    const prefix = isStripped ? this.#strippedPrefix : '';
    const forwarded = forwardedHeaders(head, client, facts, prefix, style);
    if (via) forwarded.push('Via', viaElement(head.isHttp10));
    if (this.#forwardsCert && facts.certificate !== null) {
      forwarded.push('X-Forwarded-Client-Cert', clientCertValue(facts.certificate, this.#ownUri));
    }
    if (entry !== null) forwarded.push(...entry.forwarded);
    client.trace?.addHeaders(forwarded);
    return {
      target: head.query === '' && head.hasEmptyQuery !== true ? path : `${path}?${head.query}`,
      // The endpoint gets HTTP/1.1, which needs a Host. nginx also sends the upstream's name if there is
      // none.
      host: rewrite.host ?? (request.host === '' ? cluster : null),
      forwarded,
      edits: this.#requestEdits,
    };
  }
}

/**
 * Returns the URI that all certificates share, or null. It is unknown here which certificate a client got.
 */
function commonUri(certificates: readonly Certificate[]): string | null {
  const [first = null, ...others] = new Set(certificates.map(({ uri }) => uri));
  return others.length === 0 ? first : null;
}

function openAdmission({ address, certificate }: Exchange['client']): Admission {
  return new OpenAdmission(copyOfText(address), certificate === null ? '' : copyOfText(certificate.subject));
}
