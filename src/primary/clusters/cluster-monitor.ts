import { isDeepStrictEqual } from 'node:util';
import type {
  Cluster as ClusterConfig,
  Endpoint as EndpointConfig,
  ResolveSettings,
} from '../../config/types/cluster.ts';
import { formatAddress } from '../../core/address.ts';
import type { ClusterState } from '../../protocol/cluster-state.ts';
import type { EndpointFailure } from '../../protocol/from-worker.ts';
import { nameOf } from '../../protocol/series.ts';
import { LineLimit } from '../../telemetry/line-limit.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { allocateCursor } from '../../upstream/balancers/shared-cursor.ts';
import { membershipOf } from '../../upstream/membership.ts';
import { NameLookup, type FoundEndpoint } from '../../upstream/name-lookup.ts';
import { upstreamTls } from '../../upstream/upstream-tls.ts';
import { EndpointRecord } from './endpoint-record.ts';
import { NameWatch, type LookupCounts } from './name-watch.ts';
import { OutlierDetector, type Successes } from './outlier-detector.ts';
import { Prober } from './prober.ts';

interface MonitorOptions {
  readonly config: ClusterConfig;
  readonly log: Logger;
  /**
   * Whose place it takes with its {@link ClusterMonitor.commit}, null where there is none of the name: until then
   * nothing is published. Left out for a cluster that is there from the start.
   */
  readonly previous?: ClusterMonitor | null;
  /** The endpoints have changed. Called later than the change, once for all of a turn. */
  readonly publish: (state: ClusterState) => void;
  /** What has gone well with an endpoint since the start, over all workers. */
  readonly successes: (label: string) => Successes;
  /** Lends series to an address of a name; returns their first slot in the stats pages, or null if there is no room. */
  readonly lend: (label: string) => number | null;
  /** Takes back what was lent. */
  readonly giveBack: (label: string) => void;
  /** Its probes have found an endpoint down. */
  readonly onDown: (record: EndpointRecord) => void;
  readonly lookup?: Pick<NameLookup, 'find'>;
}

/** The start is not held up longer by names that do not resolve. */
const FIRST_LOOKUP_MS = 3000;

/** Max labels of endpoints in one log line. */
const MAX_LISTED = 8;
/** Bounds the lines about changed endpoints: whoever answers a name's queries can provoke thousands a second. */
const CHANGE_LINES = { burst: 200, everyMs: 50 };
/** Max endpoints of a cluster whose changes are published in the same turn. */
const MAX_AT_ONCE = 256;
/** A larger cluster gathers its changes for this time for each endpoint: 0.4 s for 4,096. */
const GATHER_MS = 0.1;

/** What the primary does about one cluster: finds its endpoints, probes them, ejects them, drains them. */
export class ClusterMonitor {
  readonly config: ClusterConfig;
  /** Of all its names, since the start of the process. */
  readonly lookups: LookupCounts;
  /** Memory of the cursor that counts turns over all workers; kept by the monitor that takes this one's place. */
  readonly #cursor: SharedArrayBuffer;
  readonly #names: readonly NameWatch[];
  readonly #options: MonitorOptions;
  readonly #prober: Prober | null;
  readonly #outliers: OutlierDetector | null;
  /** By the entry of the configuration that they come from, then by label. */
  readonly #records = new Map<EndpointConfig, Map<string, EndpointRecord>>();
  /** By label. */
  readonly #entries = new Map<string, EndpointConfig>();
  /** How many addresses of each name are not used. */
  readonly #leftOut = new Map<EndpointConfig, number>();
  readonly #changeLines = new LineLimit(undefined, CHANGE_LINES);
  readonly #firstLookups: Promise<void>[] = [];
  readonly #firstProbes: Promise<void>[] = [];
  /** Null where there was none, and from the commit on. */
  #previous: ClusterMonitor | null;
  /** Whether its endpoints are probed as those of the one before were. */
  readonly #probesAlike: boolean;
  #pending: boolean;
  #publishing = false;
  #panic = false;
  #started = false;
  #stopped = false;

  constructor(options: MonitorOptions) {
    const { config, log } = options;
    this.config = config;
    // Or every one that has ever been would be kept.
    this.#options = { ...options, previous: null };
    const previous = (this.#previous = options.previous ?? null);
    this.#pending = options.previous !== undefined;
    this.#probesAlike =
      previous !== null &&
      isDeepStrictEqual([previous.config.healthCheck, previous.config.tls], [config.healthCheck, config.tls]);
    this.#cursor = previous === null ? allocateCursor() : previous.#cursor;
    this.lookups = previous?.lookups ?? { lookups: 0, failures: 0 };
    const tls = config.tls === null ? null : upstreamTls(config.tls);
    this.#prober =
      config.healthCheck === null
        ? null
        : new Prober(config.healthCheck, tls, log.child({ cluster: config.name }));
    this.#outliers =
      config.outlier === null
        ? null
        : new OutlierDetector(config.outlier, (record) => options.successes(record.facts.label));
    const lookup = options.lookup ?? new NameLookup(config.resolve);
    const names: NameWatch[] = [];
    for (const entry of config.endpoints) {
      // In the order of the configuration, whatever is found first.
      this.#records.set(entry, new Map());
      const address = nameOf(entry);
      if (address === null) {
        this.#reconcile(entry, [{ addresses: [entry.address], weight: 1, priority: 0 }], 0);
        continue;
      }
      // Until it has been looked up again, and for as long as it cannot be.
      const found = previous?.foundBefore(entry, config.resolve) ?? [];
      if (found.length > 0) this.#reconcile(entry, found, 0);
      const onFound = (now: readonly FoundEndpoint[], leftOut: number): void =>
        this.#reconcile(entry, now, leftOut);
      const name = new NameWatch({
        address,
        settings: config.resolve,
        lookup,
        log: log.child({ cluster: config.name }),
        counts: this.lookups,
        onFound,
      });
      names.push(name);
      if (found.length === 0) this.#firstLookups.push(name.first);
    }
    this.#names = names;
  }

  get records(): readonly EndpointRecord[] {
    return [...this.#records.values()].flatMap((own) => [...own.values()]);
  }

  /** How many addresses of its names are not used. */
  get leftOut(): number {
    return [...this.#leftOut.values()].reduce((sum, count) => sum + count, 0);
  }

  /** Whether all endpoints are used because so many are down. */
  get panic(): boolean {
    return this.#panic;
  }

  /** Resolves when the names have been looked up, and every endpoint probed, for the first time. */
  async ready(): Promise<void> {
    const late = Promise.withResolvers<undefined>();
    const timer = setTimeout(late.resolve, FIRST_LOOKUP_MS, undefined);
    await Promise.race([Promise.all(this.#firstLookups), late.promise]);
    clearTimeout(timer);
    await Promise.all(this.#firstProbes);
    this.#panic = this.#isPanic();
    this.#started = true;
  }

  state(): ClusterState {
    const endpoints = this.records.map((record) => record.state());
    return { cluster: this.config.name, cursor: this.#cursor, endpoints };
  }

  /** An endpoint of that label; undefined where there is none. */
  find(label: string): EndpointRecord | undefined {
    const entry = this.#entries.get(label);
    return entry === undefined ? undefined : this.#records.get(entry)?.get(label);
  }

  endpointFailed(failure: Omit<EndpointFailure, 'cluster'>): void {
    const record = this.find(failure.endpoint);
    if (record === undefined) return;
    this.#outliers?.failed(record, failure, this.records);
  }

  /** What an entry that is a name stood for here, for a configuration with these settings; none where it was not. */
  foundBefore({ address }: EndpointConfig, settings: ResolveSettings): FoundEndpoint[] {
    if (!isDeepStrictEqual(settings, this.config.resolve)) return [];
    const same = this.config.endpoints.find((entry) => isDeepStrictEqual(entry.address, address));
    const records = same === undefined ? undefined : this.#records.get(same)?.values();
    return Array.from(records ?? [], ({ facts: { addresses, priority, weight } }) => ({
      addresses,
      priority,
      weight,
    }));
  }

  /** Takes the place of the one before, with what that has learned in the meantime; what follows is published. */
  commit(): void {
    const previous = this.#previous;
    this.#previous = null;
    this.#pending = false;
    for (const record of this.records) {
      const known = previous?.find(record.facts.label);
      if (known !== undefined) {
        this.#inherit(record, known, previous);
        if (this.#probesAlike) this.#prober?.resume(record);
      }
      if (record.down && known?.down !== true) this.#options.onDown(record);
    }
    this.#panic = this.#isPanic();
    this.#options.publish(this.state());
  }

  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    for (const { facts } of this.records) this.#giveBack(facts);
    for (const name of this.#names) name.stop();
    this.#prober?.stop();
    this.#outliers?.stop();
  }

  /**
   * Keeps the endpoints of an entry that are still there, and replaces the others.
   *
   * @param unused addresses that the name has and `found` has not
   */
  #reconcile(entry: EndpointConfig, found: readonly FoundEndpoint[], unused: number): void {
    const records = this.#records.get(entry)!;
    const wanted = new Map<string, FoundEndpoint>();
    for (const endpoint of found) {
      const label = formatAddress(endpoint.addresses[0]!);
      const owner = this.#entries.get(label) ?? entry;
      if (owner === entry && !wanted.has(label)) wanted.set(label, endpoint);
    }
    const removed = [...records.values()].filter(({ facts }) => !wanted.has(facts.label));
    for (const record of removed) this.#forget(record, records);
    const added: string[] = [];
    let leftOut = unused;
    let isChanged = removed.length > 0;
    for (const [label, endpoint] of wanted) {
      if (records.has(label)) continue;
      if (this.#add(entry, label, endpoint)) {
        added.push(label);
      } else {
        wanted.delete(label);
        leftOut++;
      }
    }
    const weights = sharedWeights(entry.weight, [...wanted.values()]);
    for (const [label, endpoint] of wanted) {
      const record = records.get(label)!;
      const { addresses, priority } = endpoint;
      const facts = { ...record.facts, addresses, priority, weight: weights.get(endpoint)! };
      isChanged ||= !isDeepStrictEqual(facts, record.facts);
      record.facts = facts;
    }
    this.#noteLeftOut(entry, leftOut);
    isChanged ||= added.length > 0;
    if (!isChanged) return;
    if (this.#started && added.length + removed.length > 0) {
      const name = formatAddress(entry.address);
      const labels = removed.map(({ facts }) => facts.label);
      const change = { added: listOf(added), removed: listOf(labels), endpoints: records.size };
      this.#options.log.info({ cluster: this.config.name, name, ...change }, 'endpoints found');
    }
    this.#changed();
  }

  /** Logs when addresses of a name begin to be left out, and when all are used again. */
  #noteLeftOut(entry: EndpointConfig, leftOut: number): void {
    const before = this.#leftOut.get(entry) ?? 0;
    this.#leftOut.set(entry, leftOut);
    const { log } = this.#options;
    const fields = { cluster: this.config.name, name: formatAddress(entry.address), leftOut };
    if (leftOut > 0 && before === 0) log.warn(fields, 'name has more addresses than are used');
    if (leftOut === 0 && before > 0) log.info(fields, 'all addresses of the name are used');
  }

  /** Returns false if the stats pages have no room for the endpoint. */
  #add(entry: EndpointConfig, label: string, { addresses, weight, priority }: FoundEndpoint): boolean {
    const slot = nameOf(entry) === null ? null : this.#options.lend(label);
    if (slot === null && nameOf(entry) !== null) return false;
    const known = this.#previous?.find(label);
    const { log, onDown } = this.#options;
    const { name: cluster, slowStartMs } = this.config;
    const { address: server, maxConnections } = entry;
    const facts = { label, slot, server, addresses, weight, priority, maxConnections };
    const record: EndpointRecord = new EndpointRecord(facts, slowStartMs, {
      onChange: (before) => {
        if (this.#pending) return;
        const { health, reason } = record;
        const more = this.#changeLines.take();
        if (more !== null)
          log.warn({ cluster, endpoint: label, health, before, reason, ...more }, 'endpoint changed');
        this.#changed();
      },
      onDown: () => {
        if (!this.#pending) onDown(record);
      },
    });
    this.#entries.set(label, entry);
    this.#records.get(entry)!.set(label, record);
    if (known !== undefined) {
      this.#inherit(record, known, this.#previous);
      // Until the commit the one before probes it.
      if (this.#probesAlike) return true;
    } else if (this.#started || this.#previous !== null) {
      record.warm();
      // It has to prove itself before it gets anything.
      if (this.#prober !== null) record.setDown(true, 'it has not been probed yet');
    }
    if (this.#prober !== null) {
      const probed = this.#prober.watch(record);
      if (!this.#started) this.#firstProbes.push(probed);
    }
    return true;
  }

  #inherit(record: EndpointRecord, known: EndpointRecord, previous: ClusterMonitor | null): void {
    const before = previous === null ? null : previous.#outliers;
    record.inherit(known, { probed: this.#probesAlike, ejects: this.#outliers !== null });
    if (before !== null) this.#outliers?.inherit(record, before, known);
  }

  #forget(record: EndpointRecord, records: Map<string, EndpointRecord>): void {
    const { facts } = record;
    records.delete(facts.label);
    this.#entries.delete(facts.label);
    this.#giveBack(facts);
    this.#prober?.forget(record);
    this.#outliers?.forget(record);
  }

  #giveBack({ label, slot }: EndpointRecord['facts']): void {
    if (slot !== null) this.#options.giveBack(label);
  }

  #isPanic(): boolean {
    return membershipOf(this.state().endpoints, this.config.panicThreshold).panic;
  }

  #changed(): void {
    if (this.#publishing || !this.#started || this.#pending) return;
    this.#publishing = true;
    const publish = (): void => {
      this.#publishing = false;
      if (this.#stopped) return;
      const panic = this.#isPanic();
      if (panic !== this.#panic) {
        const { log } = this.#options;
        const cluster = this.config.name;
        if (panic) log.error({ cluster }, 'panic: most endpoints are down, and all are used');
        else log.warn({ cluster }, 'panic is over');
      }
      this.#panic = panic;
      this.#options.publish(this.state());
    };
    // Each publication clones the state for every worker: changes of a large cluster are gathered.
    const size = this.records.length;
    if (size <= MAX_AT_ONCE) setImmediate(publish);
    else setTimeout(publish, size * GATHER_MS).unref();
  }
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

/** Lists some labels for the log. */
function listOf(labels: readonly string[]): { count: number; first: readonly string[] } {
  return { count: labels.length, first: labels.slice(0, MAX_LISTED) };
}
