import type { CompiledRoute } from './compiled-route.ts';
import { PathIndex } from './path-index.ts';

/** One host of a route; null for any host. */
type Host = string | null;

/** Indexes the routes of a table by host, and under each host by path. */
export class HostIndex<T> {
  #anyHost = new PathIndex<T>();
  readonly #byHost: Map<string, PathIndex<T>>;
  /** Keyed by the part of the host after `*.`. */
  readonly #bySuffix: Map<string, PathIndex<T>>;
  /** By length: whether `#bySuffix` has a key of that length. Other lengths are not looked up. */
  readonly #suffixLengths: boolean[] = [];

  private constructor(byHost: Map<string, PathIndex<T>>, bySuffix: Map<string, PathIndex<T>>) {
    this.#byHost = byHost;
    this.#bySuffix = bySuffix;
  }

  /** Creates an index without routes. */
  static empty<T>(): HostIndex<T> {
    return new HostIndex(new Map(), new Map());
  }

  /** Returns an index without the routes of some hosts. Shares everything else with this index. */
  without(hosts: Iterable<Host>): HostIndex<T> {
    const rest = new HostIndex(new Map(this.#byHost), new Map(this.#bySuffix));
    rest.#anyHost = this.#anyHost;
    for (const host of hosts) {
      if (host === null) rest.#anyHost = new PathIndex();
      else if (isWildcard(host)) rest.#bySuffix.delete(suffixOf(host));
      else rest.#byHost.delete(host);
    }
    for (const suffix of rest.#bySuffix.keys()) rest.#suffixLengths[suffix.length] = true;
    return rest;
  }

  /**
   * Adds a route to one of its hosts, before the index serves its first request. The routes of the host must
   * not be shared with another index. Routes of a host must be added in ascending order.
   */
  add(host: Host, route: CompiledRoute<T>): void {
    this.#indexFor(host).add(route);
  }

  /** Lists the indexes of a request's host: for any host, for this host, and for each wildcard above it. */
  of(host: string): readonly PathIndex<T>[] {
    const indexes = [this.#anyHost];
    const exact = this.#byHost.get(host);
    if (exact !== undefined) indexes.push(exact);
    const lengths = this.#suffixLengths;
    // The star stands for at least one label, so a dot as the first character does not count.
    for (
      let dot = lengths.length > 0 ? host.indexOf('.', 1) : -1;
      dot !== -1;
      dot = host.indexOf('.', dot + 1)
    ) {
      if (!lengths[host.length - dot - 1]) continue;
      const wildcard = this.#bySuffix.get(host.slice(dot + 1));
      if (wildcard !== undefined) indexes.push(wildcard);
    }
    return indexes;
  }

  #indexFor(host: Host): PathIndex<T> {
    if (host === null) return this.#anyHost;
    const wildcard = isWildcard(host);
    const indexes = wildcard ? this.#bySuffix : this.#byHost;
    const key = wildcard ? suffixOf(host) : host;
    if (wildcard) this.#suffixLengths[key.length] = true;
    let index = indexes.get(key);
    if (index === undefined) {
      index = new PathIndex<T>();
      indexes.set(key, index);
    }
    return index;
  }
}

function isWildcard(host: string): boolean {
  return host.startsWith('*.');
}

function suffixOf(wildcard: string): string {
  return wildcard.slice(2);
}
