import { isDeepStrictEqual } from 'node:util';
import type { Endpoint as EndpointConfig } from '../../config/types/cluster.ts';
import { formatAddress } from '../../core/address.ts';
import type { FoundEndpoint } from '../../upstream/name-lookup.ts';
import type { EndpointFacts, EndpointRecord } from './endpoint-record.ts';

/** The owner of a cluster's endpoints. */
export interface EndpointOwner {
  /** Creates the record of a new endpoint. */
  create(facts: EndpointFacts): EndpointRecord;
  /** Called after an endpoint is added. */
  added(record: EndpointRecord): void;
  /** Called after an endpoint is removed. */
  removed(record: EndpointRecord): void;
  /**
   * Leases series for an address of a DNS name. Returns their first slot in the stats pages, or null if they
   * are full.
   */
  leaseSeries(label: string): number | null;
  /** Returns leased series. */
  returnSeries(label: string): void;
}

/** How a lookup changed the endpoints of an entry. */
interface EndpointChange {
  /** Labels of the endpoints. */
  readonly added: readonly string[];
  /** Labels of the endpoints. */
  readonly removed: readonly string[];
  /** Whether anything changed, including weights and priorities. */
  readonly isChanged: boolean;
  /** Number of unused addresses of the name, before and after. */
  readonly leftOut: { readonly before: number; readonly after: number };
}

/**
 * The endpoint of an entry that is an address, or the endpoints of a name by label. Null if there are none
 * yet.
 */
type Group = EndpointRecord | Map<string, EndpointRecord> | null;

/** The endpoints of a cluster: one per configured address, and one per address of its DNS names. */
export class ClusterEndpoints {
  readonly #owner: EndpointOwner;
  /** By entry of the configuration, in its order. */
  readonly #groups: Map<EndpointConfig, Group>;
  /** All endpoints by label; null until the first search. */
  #index: Map<string, EndpointRecord> | null = null;
  /** All endpoints in order; null after a change. */
  #all: readonly EndpointRecord[] | null = null;
  /** Number of unused addresses of each name; null until there are any. */
  #leftOut: Map<EndpointConfig, number> | null = null;

  constructor(entries: readonly EndpointConfig[], owner: EndpointOwner) {
    this.#owner = owner;
    this.#groups = new Map(entries.map((entry) => [entry, null]));
  }

  /** All endpoints in order. The same array until an endpoint is added or removed. */
  get all(): readonly EndpointRecord[] {
    this.#all ??= [...this.#groups.values()].flatMap(recordsOf);
    return this.#all;
  }

  /** Number of unused addresses of all names. */
  get leftOut(): number {
    let sum = 0;
    for (const count of this.#leftOut?.values() ?? []) sum += count;
    return sum;
  }

  find(label: string): EndpointRecord | undefined {
    this.#index ??= new Map(this.all.map((record) => [record.facts.label, record]));
    return this.#index.get(label);
  }

  /** Returns the endpoints of an entry. */
  of(entry: EndpointConfig): readonly EndpointRecord[] {
    return recordsOf(this.#groups.get(entry) ?? null);
  }

  /**
   * Adds the endpoint of an entry that is an address, unless an earlier name has resolved to that address.
   */
  list(entry: EndpointConfig): void {
    const { address } = entry;
    const label = formatAddress(address);
    // Entries have distinct addresses, and the lookup of a name has built the index.
    if (this.#index?.has(label) === true) return;
    const record = this.#create(entry, label, null, {
      addresses: [address],
      weight: entry.weight,
      priority: 0,
    });
    this.#groups.set(entry, record);
    this.#noteAdded(record);
  }

  /**
   * Updates the endpoints of a name: keeps those that were found again, removes the others, and adds new
   * ones. If another entry already has an address, that entry keeps it.
   *
   * @param unused number of addresses of the name that are not in `found`
   */
  reconcile(entry: EndpointConfig, found: readonly FoundEndpoint[], unused: number): EndpointChange {
    const records = this.#named(entry);
    const wanted = new Map<string, FoundEndpoint>();
    for (const endpoint of found) {
      const label = formatAddress(endpoint.addresses[0]!);
      const isTaken = !records.has(label) && this.find(label) !== undefined;
      if (!isTaken && !wanted.has(label)) wanted.set(label, endpoint);
    }
    const removed = [...records.keys()].filter((label) => !wanted.has(label));
    for (const label of removed) this.#remove(records, label);
    const added: string[] = [];
    let leftOut = unused;
    for (const [label, endpoint] of wanted) {
      if (records.has(label)) continue;
      if (this.#add(entry, records, label, endpoint)) {
        added.push(label);
      } else {
        wanted.delete(label);
        leftOut++;
      }
    }
    const isUpdated = updateFacts(records, wanted, entry.weight);
    const before = this.#leftOut?.get(entry) ?? 0;
    if (leftOut !== before) (this.#leftOut ??= new Map<EndpointConfig, number>()).set(entry, leftOut);
    const isChanged = added.length > 0 || removed.length > 0 || isUpdated;
    return { added, removed, isChanged, leftOut: { before, after: leftOut } };
  }

  /** Returns all leased series. The endpoints stay. */
  release(): void {
    for (const { facts } of this.all) this.#returnSeries(facts);
  }

  /** Returns the mutable map of a name's endpoints by label. */
  #named(entry: EndpointConfig): Map<string, EndpointRecord> {
    const group = this.#groups.get(entry);
    if (group instanceof Map) return group;
    const records = new Map<string, EndpointRecord>();
    this.#groups.set(entry, records);
    return records;
  }

  /** Returns false if the stats pages are full. */
  #add(
    entry: EndpointConfig,
    records: Map<string, EndpointRecord>,
    label: string,
    found: FoundEndpoint,
  ): boolean {
    const slot = this.#owner.leaseSeries(label);
    if (slot === null) return false;
    const record = this.#create(entry, label, slot, found);
    records.set(label, record);
    this.#noteAdded(record);
    return true;
  }

  #create(
    { address: server, maxConnections }: EndpointConfig,
    label: string,
    slot: number | null,
    { addresses, weight, priority }: FoundEndpoint,
  ): EndpointRecord {
    return this.#owner.create({ label, slot, server, addresses, weight, priority, maxConnections });
  }

  #noteAdded(record: EndpointRecord): void {
    this.#all = null;
    this.#index?.set(record.facts.label, record);
    this.#owner.added(record);
  }

  #remove(records: Map<string, EndpointRecord>, label: string): void {
    const record = records.get(label)!;
    records.delete(label);
    this.#all = null;
    this.#index?.delete(label);
    this.#returnSeries(record.facts);
    this.#owner.removed(record);
  }

  #returnSeries({ label, slot }: EndpointFacts): void {
    if (slot !== null) this.#owner.returnSeries(label);
  }
}

function recordsOf(group: Group): readonly EndpointRecord[] {
  if (group === null) return [];
  return group instanceof Map ? [...group.values()] : [group];
}

/** Updates addresses, weights and priorities. Returns whether any changed. */
function updateFacts(
  records: ReadonlyMap<string, EndpointRecord>,
  wanted: ReadonlyMap<string, FoundEndpoint>,
  weight: number,
): boolean {
  const weights = sharedWeights(weight, [...wanted.values()]);
  let isUpdated = false;
  for (const [label, endpoint] of wanted) {
    const record = records.get(label)!;
    const { addresses, priority } = endpoint;
    const now = { addresses, priority, weight: weights.get(endpoint)! };
    const { facts } = record;
    const before = { addresses: facts.addresses, priority: facts.priority, weight: facts.weight };
    if (isDeepStrictEqual(now, before)) continue;
    isUpdated = true;
    record.facts = { ...facts, ...now };
  }
  return isUpdated;
}

/**
 * Distributes a name's weight over its endpoints of each priority: only one priority is used at a time.
 * Endpoints that are down keep their shares. A name whose endpoints fail thus loses connections to other
 * entries, as configured addresses do.
 */
function sharedWeights(weight: number, found: readonly FoundEndpoint[]): ReadonlyMap<FoundEndpoint, number> {
  const sums = new Map<number, number>();
  for (const one of found) sums.set(one.priority, (sums.get(one.priority) ?? 0) + one.weight);
  return new Map(found.map((one) => [one, (weight * one.weight) / sums.get(one.priority)!]));
}
