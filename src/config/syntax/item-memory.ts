/**
 * Remembers the items of long lists by their text. The next loading parses and checks only items whose text is new, and uses
 * the remembered objects for the others.
 */
import { isDeepStrictEqual } from 'node:util';
import type { AccessSettings } from '../types/access.ts';
import type { Cluster } from '../types/cluster.ts';
import type { PathSettings } from '../types/listener.ts';
import type { Route } from '../types/route.ts';

/** The lists whose items are remembered. */
export type ItemList = 'clusters' | 'routes';

/** An item as it stands in the file. */
interface ItemText {
  /** Its lines, with their indentation. */
  readonly text: string;
  /** Number of values inside. */
  readonly values: number;
}

/** Stands for an item that has not been parsed, because the loading before knows its text. */
export class KnownItem implements ItemText {
  readonly text: string;
  readonly values: number;

  constructor(text: string, values: number) {
    this.text = text;
    this.values = values;
  }
}

/** By the text of the item. */
type Items<Result> = Map<string, { readonly values: number; readonly result: Result }>;

/** Settings of a listener on which its routes depend. Routes with access settings or limits of their own depend on more. */
interface RouteTerms {
  readonly paths: PathSettings;
  readonly asksForCertificates: boolean;
  /** Settings of the listener, which the route inherits. */
  readonly access: AccessSettings | null;
}

/** The remembered routes of one listener. */
interface ListenerItems {
  readonly terms: RouteTerms;
  readonly routes: Items<Route>;
}

interface Remembered {
  readonly clusters: Items<Cluster>;
  /** By the name of the listener. */
  readonly listeners: Map<string, ListenerItems>;
}

/** The items of the last loading without errors. All loadings must have the same file, environment and overrides. */
export class ItemMemory {
  #last: Remembered = { clusters: new Map(), listeners: new Map() };

  /** Begins a loading. Nothing is forgotten before {@link keep}. */
  begin(): ItemReading {
    return new ItemReading(this.#last);
  }

  /** Replaces what is remembered by the items of a loading. */
  keep(reading: ItemReading): void {
    this.#last = reading.remembered;
  }
}

/** The items of one loading. */
export class ItemReading {
  readonly remembered: Remembered = { clusters: new Map(), listeners: new Map() };
  readonly #last: Remembered;
  readonly #texts = new Map<unknown, ItemText>();

  constructor(last: Remembered) {
    this.#last = last;
  }

  /** Returns a stand-in for an item with a known text; null if the item must be parsed. */
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

  /** Notes the text of a parsed item. */
  note(item: unknown, text: string): void {
    this.#texts.set(item, { text, values: countValues(item) });
  }

  /** Returns the cluster of an item with a known text; null for another item. */
  cluster(item: unknown): Cluster | null {
    if (!(item instanceof KnownItem)) return null;
    const cluster = this.#last.clusters.get(item.text)?.result ?? null;
    if (cluster !== null) this.#remember(this.remembered.clusters, item, cluster);
    return cluster;
  }

  /** Remembers a cluster that depends on nothing but the item's text. */
  keepCluster(item: unknown, cluster: Cluster): void {
    this.#remember(this.remembered.clusters, item, cluster);
  }

  /**
   * Returns the access settings of the listener in the loading before if they are equal, else those given. Remembered routes
   * share that object.
   */
  sameAccess(listener: string, access: AccessSettings | null): AccessSettings | null {
    const last = this.#last.listeners.get(listener)?.terms.access ?? null;
    return isDeepStrictEqual(last, access) ? last : access;
  }

  /** Begins the routes of a listener. If the terms are not equal to those of the loading before, no route is known. */
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

  /** Remembers nothing of an item whose text was not noted. */
  #remember<Result>(items: Items<Result>, item: unknown, result: Result): void {
    const found = item instanceof KnownItem ? item : this.#texts.get(item);
    if (found !== undefined) items.set(found.text, { values: found.values, result });
  }
}

/** Finds and remembers the routes of one listener. */
export interface KnownRoutes {
  /** Returns the route of an item with a known text; null for another item. */
  readonly find: (item: unknown) => Route | null;
  /** Remembers a route that depends on nothing but the item's text and the listener's terms. */
  readonly keep: (item: unknown, route: Route) => void;
}

/** Counts a value and what is inside. */
function countValues(value: unknown): number {
  let count = 1;
  if (Array.isArray(value)) for (const item of value) count += countValues(item);
  else if (value instanceof Map) for (const item of value.values()) count += countValues(item);
  return count;
}
