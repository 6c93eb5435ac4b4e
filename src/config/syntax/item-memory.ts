/**
 * Remembers parsed list items by their text. The next load parses and checks only items with new text, and
 * reuses the remembered objects for the others.
 */
import { isDeepStrictEqual } from 'node:util';
import type { AccessSettings } from '../types/access.ts';
import type { Cluster } from '../types/cluster.ts';
import type { PathSettings } from '../types/listener.ts';
import type { Route } from '../types/route.ts';

/** The lists whose items are remembered. */
export type ItemList = 'clusters' | 'routes';

/** An item as written in the file. */
interface ItemText {
  /** Its lines, including indentation. */
  readonly text: string;
  /** Number of values inside. */
  readonly values: number;
}

/** Placeholder for an item that is not parsed, because the previous load knows its text. */
export class KnownItem implements ItemText {
  readonly text: string;
  readonly values: number;

  constructor(text: string, values: number) {
    this.text = text;
    this.values = values;
  }
}

/** Keyed by the item's text. */
type Items<Result> = Map<string, { readonly values: number; readonly result: Result }>;

/**
 * Listener settings that its routes depend on. Routes with their own access settings or limits depend on
 * more.
 */
interface RouteTerms {
  readonly paths: PathSettings;
  readonly asksForCertificates: boolean;
  /** The listener's settings, which the route inherits. */
  readonly access: AccessSettings | null;
}

/** Remembered routes of one listener. */
interface ListenerItems {
  readonly terms: RouteTerms;
  readonly routes: Items<Route>;
}

interface Remembered {
  readonly clusters: Items<Cluster>;
  /** Keyed by listener name. */
  readonly listeners: Map<string, ListenerItems>;
  /** Clusters that remembered routes write at their own place, keyed by name. */
  readonly unnamed: Map<string, Cluster>;
}

function nothing(): Remembered {
  return { clusters: new Map(), listeners: new Map(), unnamed: new Map() };
}

/** Items of the last load without errors. All loads must have the same file, environment and overrides. */
export class ItemMemory {
  #last: Remembered = nothing();

  /** Starts a load. Forgets nothing before {@link keep}. */
  begin(): ItemReading {
    return new ItemReading(this.#last);
  }

  /** Replaces the remembered items with the items of a load. */
  keep(reading: ItemReading): void {
    this.#last = reading.remembered;
  }
}

/** Items of one load. */
export class ItemReading {
  readonly remembered: Remembered = nothing();
  readonly #last: Remembered;
  readonly #texts = new Map<unknown, ItemText>();

  constructor(last: Remembered) {
    this.#last = last;
  }

  /** Returns a placeholder for an item with a known text. Null if the item must be parsed. */
  find(list: ItemList, text: string): KnownItem | null {
    if (list === 'clusters') {
      const known = this.#last.clusters.get(text);
      return known === undefined ? null : new KnownItem(text, known.values);
    }
    for (const { routes } of this.#last.listeners.values()) {
      const known = routes.get(text);
      if (known !== undefined) return new KnownItem(text, known.values);
    }
    return null;
  }

  /** Records the text of a parsed item. */
  note(item: unknown, text: string): void {
    this.#texts.set(item, { text, values: countValues(item) });
  }

  /** Returns the cluster of an item with a known text. Null for other items. */
  cluster(item: unknown): Cluster | null {
    if (!(item instanceof KnownItem)) return null;
    const cluster = this.#last.clusters.get(item.text)?.result ?? null;
    if (cluster !== null) this.#remember(this.remembered.clusters, item, cluster);
    return cluster;
  }

  /** Remembers a cluster that depends only on the item's text. */
  keepCluster(item: unknown, cluster: Cluster): void {
    this.#remember(this.remembered.clusters, item, cluster);
  }

  /**
   * Returns the cluster that a remembered route writes at its own place. Null if its cluster is one of
   * "clusters": no load without errors has both.
   */
  unnamed(name: string): Cluster | null {
    return this.#last.unnamed.get(name) ?? null;
  }

  /** Remembers the clusters without a configured name. */
  keepUnnamed(clusters: readonly Cluster[]): void {
    for (const cluster of clusters) this.remembered.unnamed.set(cluster.name, cluster);
  }

  /**
   * Returns the listener's access settings of the previous load if they are equal, otherwise `access`.
   * Remembered routes share that object.
   */
  sameAccess(listener: string, access: AccessSettings | null): AccessSettings | null {
    const last = this.#last.listeners.get(listener)?.terms.access ?? null;
    return isDeepStrictEqual(last, access) ? last : access;
  }

  /**
   * Starts the routes of a listener. Unless its terms equal those of the previous load, no route is known.
   */
  routesOf(listener: string, terms: RouteTerms): KnownRoutes {
    const last = this.#last.listeners.get(listener);
    const isSame = last !== undefined && isDeepStrictEqual(last.terms, terms);
    const now: ListenerItems = { terms: isSame ? last.terms : terms, routes: new Map() };
    this.remembered.listeners.set(listener, now);
    const known: Items<Route> = isSame ? last.routes : new Map<never, never>();
    return {
      find: (item) => {
        const route = item instanceof KnownItem ? known.get(item.text)?.result : undefined;
        if (route !== undefined) this.#remember(now.routes, item, route);
        return route ?? null;
      },
      keep: (item, route) => this.#remember(now.routes, item, route),
    };
  }

  /** Remembers an item, unless its text was not recorded. */
  #remember<Result>(items: Items<Result>, item: unknown, result: Result): void {
    const found = item instanceof KnownItem ? item : this.#texts.get(item);
    if (found !== undefined) items.set(found.text, { values: found.values, result });
  }
}

/** Finds and remembers the routes of one listener. */
export interface KnownRoutes {
  /** Returns the route of an item with a known text. Null for other items. */
  readonly find: (item: unknown) => Route | null;
  /** Remembers a route that depends only on the item's text and the listener's terms. */
  readonly keep: (item: unknown, route: Route) => void;
}

/** Counts a value and the values inside it. */
export function countValues(value: unknown): number {
  if (value instanceof KnownItem) return value.values;
  let count = 1;
  if (Array.isArray(value)) for (const item of value) count += countValues(item);
  else if (value instanceof Map) for (const item of value.values()) count += countValues(item);
  return count;
}
