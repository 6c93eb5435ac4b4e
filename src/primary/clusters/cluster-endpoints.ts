import { isDeepStrictEqual } from 'node:util';
import type { Endpoint as EndpointConfig } from '../../config/types/cluster.ts';
import { formatAddress, nameIn } from '../../core/address.ts';
import type { FoundEndpoint } from '../../upstream/name-lookup.ts';
import type { EndpointFacts, EndpointRecord } from './endpoint-record.ts';

/** The owner of a cluster's endpoints. */
export interface EndpointOwner {
  /** Makes the record of a new endpoint. */
  create(facts: EndpointFacts): EndpointRecord;
  /** Called when an endpoint has been added. */
  onAdded(record: EndpointRecord): void;
  /** Called when an endpoint has been removed. */
  onRemoved(record: EndpointRecord): void;
  /** Lends series to an address of a name; returns their first slot in the stats pages, or null if there is no room. */
  readonly lend: (label: string) => number | null;
  /** Takes back lent series. */
  readonly giveBack: (label: string) => void;
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

/** The endpoints of a cluster: one for each address in the configuration, and one for each address of its names. */
export class ClusterEndpoints {
  readonly #owner: EndpointOwner;
  /** By the entry of the configuration, in its order, then by label. */
  readonly #records: ReadonlyMap<EndpointConfig, Map<string, EndpointRecord>>;
  /** The entry that an endpoint belongs to, by label. */
  readonly #entries = new Map<string, EndpointConfig>();
  /** Addresses of each name that are not used. */
  readonly #leftOut = new Map<EndpointConfig, number>();

  constructor(entries: readonly EndpointConfig[], owner: EndpointOwner) {
    this.#owner = owner;
    this.#records = new Map(entries.map((entry) => [entry, new Map<string, EndpointRecord>()]));
  }

  get all(): readonly EndpointRecord[] {
    return [...this.#records.values()].flatMap((own) => [...own.values()]);
  }

  /** Addresses of all names that are not used. */
  get leftOut(): number {
    return [...this.#leftOut.values()].reduce((sum, count) => sum + count, 0);
  }

  find(label: string): EndpointRecord | undefined {
    const entry = this.#entries.get(label);
    return entry === undefined ? undefined : this.#records.get(entry)?.get(label);
  }

  /** Returns the endpoints of an entry. */
  of(entry: EndpointConfig): readonly EndpointRecord[] {
    return [...(this.#records.get(entry)?.values() ?? [])];
  }

  /**
   * Keeps the endpoints of an entry that have been found again, removes the others, and adds new ones. An endpoint that
   * another entry has already stays with that entry.
   *
   * @param unused addresses that the name has beside `found`
   */
  reconcile(entry: EndpointConfig, found: readonly FoundEndpoint[], unused: number): EndpointChange {
    const records = this.#records.get(entry)!;
    const wanted = new Map<string, FoundEndpoint>();
    for (const endpoint of found) {
      const label = formatAddress(endpoint.addresses[0]!);
      const holder = this.#entries.get(label) ?? entry;
      if (holder === entry && !wanted.has(label)) wanted.set(label, endpoint);
    }
    const removed = [...records.keys()].filter((label) => !wanted.has(label));
    for (const label of removed) this.#remove(records, label);
    const added: string[] = [];
    let leftOut = unused;
    for (const [label, endpoint] of wanted) {
      if (records.has(label)) continue;
      if (this.#add(entry, label, endpoint)) {
        added.push(label);
      } else {
        wanted.delete(label);
        leftOut++;
      }
    }
    const isUpdated = updateFacts(records, wanted, entry.weight);
    const before = this.#leftOut.get(entry) ?? 0;
    this.#leftOut.set(entry, leftOut);
    const isChanged = added.length > 0 || removed.length > 0 || isUpdated;
    return { added, removed, isChanged, leftOut: { before, after: leftOut } };
  }

  /** Gives back all lent series; the endpoints stay. */
  release(): void {
    for (const { facts } of this.all) this.#giveBack(facts);
  }

  /** Returns false if the stats pages have no room for the endpoint. */
  #add(entry: EndpointConfig, label: string, { addresses, weight, priority }: FoundEndpoint): boolean {
    const isNamed = nameIn(entry.address) !== null;
    const slot = isNamed ? this.#owner.lend(label) : null;
    if (isNamed && slot === null) return false;
    const { address: server, maxConnections } = entry;
    const record = this.#owner.create({ label, slot, server, addresses, weight, priority, maxConnections });
    this.#entries.set(label, entry);
    this.#records.get(entry)!.set(label, record);
    this.#owner.onAdded(record);
    return true;
  }

  #remove(records: Map<string, EndpointRecord>, label: string): void {
    const record = records.get(label)!;
    records.delete(label);
    this.#entries.delete(label);
    this.#giveBack(record.facts);
    this.#owner.onRemoved(record);
  }

  #giveBack({ label, slot }: EndpointFacts): void {
    if (slot !== null) this.#owner.giveBack(label);
  }
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
    const facts = { ...record.facts, addresses, priority, weight: weights.get(endpoint)! };
    isUpdated ||= !isDeepStrictEqual(facts, record.facts);
    record.facts = facts;
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
