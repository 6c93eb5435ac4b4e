import type { AccessSettings } from '../../config/types/access.ts';
import type { L7Listener, UnderscoreHeaders } from '../../config/types/listener.ts';
import type { Route } from '../../config/types/route.ts';
import { CLIENT_CERT_HEADER } from '../../wire/forwarding/client-cert-header.ts';
import { isWrittenByProxy } from '../../wire/http/request-encoding.ts';
import type { RequestHead } from '../../wire/http/request-head.ts';
import type { ClusterLookup } from '../../upstream/cluster-lookup.ts';

/** The W3C trace context headers, which sluice has read before the filter. */
const TRACE_CONTEXT = ['traceparent', 'tracestate'] as const;

/**
 * Removes headers that must not come from clients: X-Forwarded-Client-Cert, the trace context if tracing is
 * on, and names with an underscore.
 *
 * Many servers (CGI, WSGI) treat an underscore as a hyphen. They would mistake a client's `x_forwarded_for`
 * for the `X-Forwarded-For` that sluice adds.
 */
export class HeaderFilter {
  /** Headers in lower case that only sluice may set, because they identify the client to endpoints. */
  readonly reserved: ReadonlySet<string>;
  readonly #reserved = new Set([CLIENT_CERT_HEADER]);
  readonly #policy: UnderscoreHeaders;
  readonly #clusters: Pick<ClusterLookup, 'hashHeader'>;
  /**
   * Headers that routes match or edit, and that clusters hash on. An endpoint must not mistake a client's
   * underscore header for one of them.
   */
  readonly #reliedOn = new Set<string>();

  /**
   * Creates the filter of a listener, without routes.
   *
   * @param clusters knows which headers clusters hash on
   * @param isTracing whether endpoints get the trace context from sluice
   */
  constructor(
    { access, underscoreHeaders }: Pick<L7Listener, 'access' | 'underscoreHeaders'>,
    clusters: Pick<ClusterLookup, 'hashHeader'>,
    isTracing: boolean,
  ) {
    this.#policy = underscoreHeaders;
    this.#clusters = clusters;
    this.reserved = this.#reserved;
    this.#keep(access);
    if (isTracing) for (const name of TRACE_CONTEXT) this.#reserved.add(name);
  }

  /** Adds a route of the listener. Must be called before the first request. */
  add({ match, headers, action, access }: Pick<Route, 'match' | 'headers' | 'action' | 'access'>): void {
    this.#keep(access);
    const { set, add, remove } = headers.request;
    const names = this.#reliedOn;
    // Most routes have none: with thousands of routes, iterators of empty maps would only be garbage.
    if (match.headers.size > 0) for (const name of match.headers.keys()) names.add(name);
    if (set.size > 0) for (const name of set.keys()) names.add(name);
    if (add.size > 0) for (const name of add.keys()) names.add(name);
    for (const name of remove) names.add(name);
    if (action.kind !== 'cluster') return;
    const hashed = this.#clusters.hashHeader(action.cluster);
    if (hashed !== null) names.add(hashed);
  }

  /** Blocks the client's copies of headers in which these settings identify the client to endpoints. */
  #keep(settings: AccessSettings | null): void {
    for (const name of settings?.jwt?.forward.keys() ?? []) this.#reserved.add(name);
    for (const name of settings?.forwardAuth?.headers ?? []) this.#reserved.add(name);
  }

  /**
   * Removes the headers that do not pass. Must be called before any other code reads the head.
   *
   * @returns the same head if all headers pass, null if the request must be refused because of an underscore
   */
  filter(head: RequestHead): RequestHead | null {
    const { headers, names } = head;
    let index = 0;
    while (index < headers.length && this.#isPlain(headers[index]!)) index += 2;
    if (index >= headers.length) return head;
    const kept = headers.slice(0, index);
    const spelled = names?.slice(0, index >> 1);
    for (; index < headers.length; index += 2) {
      const name = headers[index]!;
      if (this.#policy === 'refuse' && name.includes('_')) return null;
      if (!this.#passes(name)) continue;
      kept.push(name, headers[index + 1]!);
      spelled?.push(names![index >> 1]!);
    }
    return spelled === undefined ? { ...head, headers: kept } : { ...head, headers: kept, names: spelled };
  }

  #passes(name: string): boolean {
    if (this.#isPlain(name)) return true;
    if (this.reserved.has(name) || this.#policy !== 'pass') return false;
    const twin = name.replaceAll('_', '-');
    // Routes match subprotocols, and the relay forwards the endpoint's choice.
    return (
      !twin.startsWith('sec-websocket-') &&
      !isWrittenByProxy(twin) &&
      !this.reserved.has(twin) &&
      !this.#reliedOn.has(twin)
    );
  }

  #isPlain(name: string): boolean {
    return !this.reserved.has(name) && !name.includes('_');
  }
}
