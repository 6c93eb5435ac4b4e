import type { Cluster } from '../../config/types/cluster.ts';
import type { L7Listener, UnderscoreHeaders } from '../../config/types/listener.ts';
import { isWrittenByProxy } from '../../wire/http/request-encoding.ts';
import type { RequestHead } from '../../wire/http/request-head.ts';

/**
 * Filters headers whose names have an underscore. Many servers take an underscore for a hyphen (CGI, WSGI), and so a
 * client's `x_forwarded_for` for the `X-Forwarded-For` of the proxy.
 */
export class UnderscoreNames {
  readonly #policy: UnderscoreHeaders;
  readonly #reliedOn: ReadonlySet<string>;

  /** @param clusters all clusters of the configuration */
  constructor(listener: L7Listener, clusters: readonly Cluster[]) {
    this.#policy = listener.underscoreHeaders;
    this.#reliedOn = namesReliedOn(listener, clusters);
  }

  /**
   * Removes the headers that do not pass. To be called before anything else reads the head.
   *
   * @returns the same head if all headers pass; null if the request must be refused
   */
  filter(head: RequestHead): RequestHead | null {
    const { headers, names } = head;
    let index = 0;
    while (index < headers.length && !headers[index]!.includes('_')) index += 2;
    if (index >= headers.length) return head;
    if (this.#policy === 'refuse') return null;
    const kept = headers.slice(0, index);
    const spelled = names?.slice(0, index >> 1);
    for (; index < headers.length; index += 2) {
      if (!this.#passes(headers[index]!)) continue;
      kept.push(headers[index]!, headers[index + 1]!);
      spelled?.push(names![index >> 1]!);
    }
    return spelled === undefined ? { ...head, headers: kept } : { ...head, headers: kept, names: spelled };
  }

  #passes(name: string): boolean {
    if (!name.includes('_')) return true;
    if (this.#policy !== 'pass') return false;
    const twin = name.replaceAll('_', '-');
    // Routes match subprotocols, and the proxy relays the endpoint's choice.
    return !twin.startsWith('sec-websocket-') && !isWrittenByProxy(twin) && !this.#reliedOn.has(twin);
  }
}

/**
 * Lists the headers that routes match or change and that clusters hash on. An endpoint must not take a client's header with
 * an underscore for one of them.
 */
function namesReliedOn({ routes }: L7Listener, clusters: readonly Cluster[]): Set<string> {
  const names = new Set<string>();
  for (const { match, headers, action } of routes) {
    const { set, add, remove } = headers.request;
    for (const name of [...match.headers.keys(), ...set.keys(), ...add.keys(), ...remove]) names.add(name);
    if (action.kind !== 'cluster') continue;
    const cluster = clusters.find(({ name }) => name === action.cluster);
    if (cluster?.hashOn.kind === 'header') names.add(cluster.hashOn.name);
  }
  return names;
}
