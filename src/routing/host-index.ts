import type { CompiledRoute } from './compiled-route.ts';
import { PathIndex } from './path-index.ts';

/** The host of a route; null for any. */
type Host = string | null;

/** Indexes the routes of a table by their hosts, and under each host by their paths. */
export class HostIndex<T> {
  #anyHost = new PathIndex<T>();
  readonly #byHost: Map<string, PathIndex<T>>;
  /** By the part of the host behind `*.`. */
  readonly #bySuffix: Map<string, PathIndex<T>>;
  /** By length: whether `#bySuffix` has a key of it. Parts of a host with other lengths are not looked up. */
  readonly #suffixLengths: boolean[] = [];

  private constructor(byHost: Map<string, PathIndex<T>>, bySuffix: Map<string, PathIndex<T>>) {
    this.#byHost = byHost;
    this.#bySuffix = bySuffix;
  }

  /** Makes an index without routes. */
  static empty<T>(): HostIndex<T> {
    return new HostIndex(new Map(), new Map());
  }

  /** Returns an index without the routes of some hosts. It shares what it has in common with this one. */
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
   * Adds a route. Its host must have no routes that another index shares, and no request may have come yet. The routes of a
   * host must be added in ascending order.
   */
  add(route: CompiledRoute<T>): void {
    this.#under(route.host).add(route);
  }

  /** Lists the indexes of a request's host: of any host, of this one, and of each wildcard above it. */
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

  #under(host: Host): PathIndex<T> {
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
