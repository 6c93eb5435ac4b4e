import { isDeepStrictEqual } from 'node:util';
import type { Endpoint as EndpointConfig } from '../../config/types/cluster.ts';
import { formatAddress } from '../../core/address.ts';
import type { FoundEndpoint } from '../../upstream/name-lookup.ts';
import type { EndpointFacts, EndpointRecord } from './endpoint-record.ts';

/** The owner of a cluster's endpoints. */
export interface EndpointOwner {
  /** Makes the record of a new endpoint. */
  create(facts: EndpointFacts): EndpointRecord;
  /** Called when an endpoint has been added. */
  added(record: EndpointRecord): void;
  /** Called when an endpoint has been removed. */
  removed(record: EndpointRecord): void;
  /** Lends series to an address of a name; returns their first slot in the stats pages, or null if there is no room. */
  lend(label: string): number | null;
  /** Takes back lent series. */
  giveBack(label: string): void;
}

/** The difference that a look-up makes to the endpoints of an entry. */
interface EndpointChange {
  /** Labels. */
  readonly added: readonly string[];
  /** Labels. */
  readonly removed: readonly string[];
  /** Whether anything has changed, weights and priorities included. */
  readonly isChanged: boolean;
  /** Addresses of the name that are not used, before and after. */
  readonly leftOut: { readonly before: number; readonly after: number };
}

/** The endpoint of an address, or those of a name by label; null if there are none. */
type Group = EndpointRecord | Map<string, EndpointRecord> | null;

/** The endpoints of a cluster: one for each address in the configuration, and one for each address of its names. */
export class ClusterEndpoints {
  readonly #owner: EndpointOwner;
  /** By the entry of the configuration, in its order. */
  readonly #groups: Map<EndpointConfig, Group>;
  /** All endpoints by label; null until one is looked for. */
  #index: Map<string, EndpointRecord> | null = null;
  /** All endpoints in order; null if they have changed. */
  #all: readonly EndpointRecord[] | null = null;
  /** Addresses of each name that are not used; null until there are some. */
  #leftOut: Map<EndpointConfig, number> | null = null;

  constructor(entries: readonly EndpointConfig[], owner: EndpointOwner) {
    this.#owner = owner;
    this.#groups = new Map(entries.map((entry) => [entry, null]));
  }

  /** The same array until an endpoint is added or removed. */
  get all(): readonly EndpointRecord[] {
    this.#all ??= [...this.#groups.values()].flatMap(recordsOf);
    return this.#all;
  }

  /** Addresses of all names that are not used. */
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

  /** Adds the endpoint of an entry that is an address, unless a name before it has found that address. */
  list(entry: EndpointConfig): void {
    const { address } = entry;
    const label = formatAddress(address);
    // Entries are different addresses, and the look-up of a name has made the index.
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
   * Keeps the endpoints of a name that have been found again, removes the others, and adds new ones. An endpoint that
   * another entry has already stays with that entry.
   *
   * @param unused addresses that the name has beside `found`
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

  /** Gives back all lent series; the endpoints stay. */
  release(): void {
    for (const { facts } of this.all) this.#giveBack(facts);
  }

  /** Returns the endpoints of a name by label, to be changed. */
  #named(entry: EndpointConfig): Map<string, EndpointRecord> {
    const group = this.#groups.get(entry);
    if (group instanceof Map) return group;
    const records = new Map<string, EndpointRecord>();
    this.#groups.set(entry, records);
    return records;
  }

  /** Returns false if the stats pages have no room for the endpoint. */
  #add(
    entry: EndpointConfig,
    records: Map<string, EndpointRecord>,
    label: string,
    found: FoundEndpoint,
  ): boolean {
    const slot = this.#owner.lend(label);
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
    this.#giveBack(record.facts);
    this.#owner.removed(record);
  }

  #giveBack({ label, slot }: EndpointFacts): void {
    if (slot !== null) this.#owner.giveBack(label);
  }
}

function recordsOf(group: Group): readonly EndpointRecord[] {
  if (group === null) return [];
  return group instanceof Map ? [...group.values()] : [group];
}

/** Brings addresses, weights and priorities up to date; returns whether any differed. */
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
 * Shares a name's weight among its endpoints, in each priority: only one priority is in use at a time. Endpoints that are
 * down keep their shares, so a name whose endpoints fail loses connections to others, as listed endpoints do.
 */
function sharedWeights(weight: number, found: readonly FoundEndpoint[]): ReadonlyMap<FoundEndpoint, number> {
  const sums = new Map<number, number>();
  for (const one of found) sums.set(one.priority, (sums.get(one.priority) ?? 0) + one.weight);
  return new Map(found.map((one) => [one, (weight * one.weight) / sums.get(one.priority)!]));
}
