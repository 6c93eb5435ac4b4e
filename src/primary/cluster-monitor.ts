import { isDeepStrictEqual } from 'node:util';
import type {
  Cluster as ClusterConfig,
  Endpoint as EndpointConfig,
  ResolveSettings,
} from '../config/types.ts';
import { formatAddress } from '../core/address.ts';
import type { ClusterState } from '../protocol/cluster-state.ts';
import type { EndpointFailure } from '../protocol/from-worker.ts';
import { nameOf, seriesOf } from '../protocol/series.ts';
import type { Logger } from '../telemetry/logger.ts';
import { allocateCursor } from '../upstream/balancers/shared-cursor.ts';
import { membershipOf } from '../upstream/membership.ts';
import { NameLookup, type FoundEndpoint } from '../upstream/name-lookup.ts';
import { upstreamTls } from '../upstream/upstream-tls.ts';
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
  readonly successes: (series: string) => Successes;
  /** Connections that live, over all workers. */
  readonly active: (series: string) => number;
  /** Its probes have found an endpoint down. */
  readonly onDown: (record: EndpointRecord) => void;
  readonly lookup?: Pick<NameLookup, 'find'>;
}

/** The start is not held up longer by names that do not resolve. */
const FIRST_LOOKUP_MS = 3000;

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
  /** By the entry of the configuration that they come from. */
  readonly #records = new Map<EndpointConfig, EndpointRecord[]>();
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
        : new OutlierDetector(config.outlier, (record) => options.successes(record.facts.series));
    const lookup = options.lookup ?? new NameLookup(config.resolve);
    const names: NameWatch[] = [];
    for (const entry of config.endpoints) {
      const address = nameOf(entry);
      if (address === null) {
        this.#reconcile(entry, [{ addresses: [entry.address], weight: null, priority: 0 }]);
        continue;
      }
      // Until it has been looked up again, and for as long as it cannot be.
      const found = previous?.foundBefore(entry, config.resolve) ?? [];
      if (found.length > 0) this.#reconcile(entry, found);
      const onFound = (now: readonly FoundEndpoint[]): void => this.#reconcile(entry, now);
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
    return [...this.#records.values()].flat();
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
    return this.records.find(({ facts }) => facts.label === label);
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
    const records = (same === undefined ? null : this.#records.get(same)) ?? [];
    return records.map(({ facts: { addresses, priority, weight } }) => ({
      addresses,
      priority,
      weight: settings.type === 'srv' ? weight : null,
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
    this.#stopped = true;
    for (const name of this.#names) name.stop();
    this.#prober?.stop();
    this.#outliers?.stop();
  }

  /** Keeps the endpoints of an entry that are still there, and replaces the others. */
  #reconcile(entry: EndpointConfig, found: readonly FoundEndpoint[]): void {
    const before = this.#records.get(entry) ?? [];
    const others = new Set(
      this.records.filter((record) => !before.includes(record)).map(({ facts }) => facts.label),
    );
    const wanted = new Map<string, FoundEndpoint>();
    for (const endpoint of found) {
      const label = formatAddress(endpoint.addresses[0]!);
      if (!others.has(label) && !wanted.has(label)) wanted.set(label, endpoint);
    }
    const kept = before.filter(({ facts }) => wanted.has(facts.label));
    for (const record of before) if (!kept.includes(record)) this.#forget(record);
    for (const record of kept) {
      const { addresses, priority, weight } = wanted.get(record.facts.label)!;
      record.facts = { ...record.facts, addresses, priority, weight: weight ?? entry.weight };
      wanted.delete(record.facts.label);
    }
    this.#records.set(entry, kept);
    for (const [label, endpoint] of wanted) this.#add(entry, label, endpoint);
    if (this.#started) {
      const endpoints = this.#records.get(entry)!.map(({ facts }) => facts.label);
      const changed = endpoints.length !== before.length || wanted.size > 0;
      if (changed) this.#options.log.info({ cluster: this.config.name, endpoints }, 'endpoints found');
    }
    this.#changed();
  }

  #add(entry: EndpointConfig, label: string, { addresses, weight, priority }: FoundEndpoint): void {
    const records = this.#records.get(entry)!;
    const known = this.#previous?.find(label);
    const series = this.#freeSeries(entry, records, known?.facts.series);
    const { log, onDown } = this.#options;
    const { name: cluster, slowStartMs } = this.config;
    if (series === undefined) {
      log.warn(
        { cluster, endpoint: label },
        'the name has more addresses than are used: this one is left out',
      );
      return;
    }
    const { address: server, weight: own, maxConnections } = entry;
    const facts = { label, series, server, addresses, weight: weight ?? own, priority, maxConnections };
    const record: EndpointRecord = new EndpointRecord(facts, slowStartMs, {
      onChange: (before) => {
        if (this.#pending) return;
        const { health, reason } = record;
        log.warn({ cluster, endpoint: label, health, before, reason }, 'endpoint changed');
        this.#changed();
      },
      onDown: () => {
        if (!this.#pending) onDown(record);
      },
    });
    records.push(record);
    if (known !== undefined) {
      this.#inherit(record, known, this.#previous);
      // Until the commit the one before probes it.
      if (this.#probesAlike) return;
    } else if (this.#started || this.#previous !== null) {
      record.warm();
      // It has to prove itself before it gets anything.
      if (this.#prober !== null) record.setDown(true, 'it has not been probed yet');
    }
    if (this.#prober !== null) this.#firstProbes.push(this.#prober.watch(record));
  }

  #inherit(record: EndpointRecord, known: EndpointRecord, previous: ClusterMonitor | null): void {
    const before = previous === null ? null : previous.#outliers;
    record.inherit(known, { probed: this.#probesAlike, ejects: this.#outliers !== null });
    if (before !== null) this.#outliers?.inherit(record, before, known);
  }

  /** A series that nobody has: not one of an endpoint that is there, nor of one whose connections still live. */
  #freeSeries(
    entry: EndpointConfig,
    records: readonly EndpointRecord[],
    own: string | undefined,
  ): string | undefined {
    const all = seriesOf(entry);
    if (nameOf(entry) === null) return all[0];
    const taken = new Set(records.map(({ facts }) => facts.series));
    // One that stays keeps its own, and with it its counts and connections.
    if (own !== undefined && all.includes(own) && !taken.has(own)) return own;
    return all.find((series) => !taken.has(series) && this.#options.active(series) === 0);
  }

  #forget(record: EndpointRecord): void {
    this.#prober?.forget(record);
    this.#outliers?.forget(record);
  }

  #isPanic(): boolean {
    return membershipOf(this.state().endpoints, this.config.panicThreshold).panic;
  }

  #changed(): void {
    if (this.#publishing || !this.#started || this.#pending) return;
    this.#publishing = true;
    setImmediate(() => {
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
    });
  }
}
