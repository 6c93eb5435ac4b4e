import type { ClusterFacts, EndpointFacts } from './cluster-facts.ts';
import { endpointKey } from './endpoint-pace.ts';

export type SortKey =
  | 'attention'
  | 'name'
  | 'state'
  | 'since'
  | 'connections'
  | 'rate'
  | 'mean'
  | 'errors'
  | 'failures'
  | 'ejections';

export interface Order {
  readonly key: SortKey;
  readonly isDescending: boolean;
}

interface RowChoice {
  readonly order: Order;
  /** Words that a row must all contain, ignoring case. */
  readonly filter: string;
  /** Whether endpoints are listed under their clusters. */
  readonly isGrouped: boolean;
  /** Whether the user opened (true) or closed (false) a cluster. Undefined for the default. */
  readonly isOpen: (cluster: string) => boolean | undefined;
}

export interface ClusterRow {
  readonly kind: 'cluster';
  readonly key: string;
  readonly cluster: ClusterFacts;
  readonly isOpen: boolean;
  /** Answers per second of its endpoints. */
  readonly rate: number | null;
  /** Mean seconds per answer of its endpoints. */
  readonly mean: number | null;
  readonly serverErrors: number | null;
  readonly connectFailures: number;
  readonly ejections: number;
}

export interface EndpointRow {
  readonly kind: 'endpoint';
  readonly key: string;
  readonly endpoint: EndpointFacts;
}

export type Row = ClusterRow | EndpointRow;

interface RowList {
  readonly rows: readonly Row[];
  /** Number of matching rows that are not shown. */
  readonly omitted: number;
}

/** Max rows of the table. More rows would block the browser each second. */
const MAX_ROWS = 250;
/** Max endpoints shown without opening clusters. Above it, only clusters that need attention are open. */
const MAX_OPEN_ENDPOINTS = 40;
const MAX_OPEN_CLUSTERS = 5;
const STATE_RANKS: Readonly<Record<string, number>> = { down: 3, ejected: 2, draining: 1, up: 0 };

/** Selects and orders the rows of the table of clusters. */
export function rowsOf(clusters: readonly ClusterFacts[], choice: RowChoice): RowList {
  const words = choice.filter.toLowerCase().split(/\s+/).filter(Boolean);
  const rows = choice.isGrouped ? groupedRows(clusters, choice, words) : flatRows(clusters, choice, words);
  return { rows: rows.slice(0, MAX_ROWS), omitted: Math.max(0, rows.length - MAX_ROWS) };
}

/** Returns whether a cluster needs the operator's attention. */
function needsAttention({ panic, endpoints, endpointsUp, endpointCount }: ClusterFacts): boolean {
  return (
    panic || endpointsUp < endpointCount || endpoints.some(({ isSlow, state }) => isSlow || state !== 'up')
  );
}

function groupedRows(clusters: readonly ClusterFacts[], choice: RowChoice, words: readonly string[]): Row[] {
  const open = openedByItself(clusters);
  const groups = clusters.flatMap((cluster) => {
    const isHit = fits(textOfCluster(cluster), words);
    const hits = cluster.endpoints.filter((endpoint) => isHit || fits(textOfEndpoint(endpoint), words));
    if (words.length > 0 && !isHit && hits.length === 0) return [];
    const isOpen = choice.isOpen(cluster.name) ?? (open.has(cluster.name) || (words.length > 0 && !isHit));
    return [{ head: clusterRow(cluster, isOpen), rows: isOpen ? hits.map(endpointRow) : [] }];
  });
  const order = sorter<(typeof groups)[number]>(
    ({ head }) => clusterValue(head, choice.order.key),
    choice.order,
  );
  return groups.sort(order).flatMap(({ head, rows }) => [head, ...sortEndpoints(rows, choice.order)]);
}

function flatRows(clusters: readonly ClusterFacts[], { order }: RowChoice, words: readonly string[]): Row[] {
  const rows = clusters.flatMap(({ endpoints }) =>
    endpoints.filter((one) => fits(textOfEndpoint(one), words)),
  );
  return sortEndpoints(rows.map(endpointRow), order);
}

function openedByItself(clusters: readonly ClusterFacts[]): ReadonlySet<string> {
  const endpoints = clusters.reduce((sum, cluster) => sum + cluster.endpoints.length, 0);
  if (endpoints <= MAX_OPEN_ENDPOINTS) return new Set(clusters.map(({ name }) => name));
  return new Set(
    clusters
      .filter(needsAttention)
      .slice(0, MAX_OPEN_CLUSTERS)
      .map(({ name }) => name),
  );
}

function sortEndpoints(rows: EndpointRow[], order: Order): EndpointRow[] {
  return rows.sort(sorter(({ endpoint }) => endpointValue(endpoint, order.key), order));
}

/** Compares by a value, unknown values last. Array.sort keeps the order of equal items. */
function sorter<T>(valueOf: (item: T) => number | string | null, { isDescending }: Order) {
  const sign = isDescending ? -1 : 1;
  return (a: T, b: T): number => {
    const [left, right] = [valueOf(a), valueOf(b)];
    if (left === null || right === null) return Number(left === null) - Number(right === null);
    if (typeof left === 'string' || typeof right === 'string')
      return sign * String(left).localeCompare(String(right), 'en', { numeric: true });
    return sign * (left - right);
  };
}

function endpointValue(endpoint: EndpointFacts, key: SortKey): number | string | null {
  switch (key) {
    case 'attention':
      return null;
    case 'name':
      return endpoint.address;
    case 'state':
      return (STATE_RANKS[endpoint.state] ?? 4) + (endpoint.isSlow ? 0.5 : 0);
    case 'since':
      return Date.parse(endpoint.since) || null;
    case 'connections':
      return endpoint.connections;
    case 'rate':
      return endpoint.rate;
    case 'mean':
      return endpoint.mean;
    case 'errors':
      return endpoint.serverErrors;
    case 'failures':
      return endpoint.connectFailures;
    case 'ejections':
      return endpoint.ejections;
  }
}

function clusterValue(row: ClusterRow, key: SortKey): number | string | null {
  const { cluster } = row;
  switch (key) {
    case 'attention':
      return null;
    case 'name':
      return cluster.name;
    case 'state':
      return Math.max(0, ...cluster.endpoints.map((one) => Number(endpointValue(one, 'state'))));
    case 'since':
      return Math.max(0, ...cluster.endpoints.map((one) => Number(endpointValue(one, 'since')))) || null;
    case 'connections':
      return cluster.connections;
    case 'rate':
      return row.rate;
    // A cluster sorts by its slowest endpoint, because readers look for slow endpoints.
    case 'mean':
      return cluster.endpoints.reduce<number | null>((max, { mean }) => greater(max, mean), null);
    case 'errors':
      return row.serverErrors;
    case 'failures':
      return row.connectFailures;
    case 'ejections':
      return row.ejections;
  }
}

function clusterRow(cluster: ClusterFacts, isOpen: boolean): ClusterRow {
  const { endpoints } = cluster;
  const rate = sumOf(endpoints.map((one) => one.rate));
  const recent = endpoints.filter(({ isRecent, mean }) => isRecent && mean !== null);
  const weighted = sumOf(recent.map((one) => one.mean! * (one.rate ?? 0)));
  const recentRate = sumOf(recent.map((one) => one.rate)) ?? 0;
  return {
    kind: 'cluster',
    key: `cluster\n${cluster.name}`,
    cluster,
    isOpen,
    rate,
    mean: weighted !== null && recentRate > 0 ? weighted / recentRate : null,
    serverErrors: sumOf(endpoints.map((one) => one.serverErrors)),
    connectFailures: sumOf(endpoints.map((one) => one.connectFailures)) ?? 0,
    ejections: sumOf(endpoints.map((one) => one.ejections)) ?? 0,
  };
}

function endpointRow(endpoint: EndpointFacts): EndpointRow {
  return { kind: 'endpoint', key: endpointKey(endpoint.cluster, endpoint.address), endpoint };
}

function greater(a: number | null, b: number | null): number | null {
  return a === null || b === null ? (a ?? b) : Math.max(a, b);
}

function sumOf(values: readonly (number | null)[]): number | null {
  return values.reduce((sum, value) => (sum === null || value === null ? (sum ?? value) : sum + value), null);
}

function fits(text: string, words: readonly string[]): boolean {
  return words.every((word) => text.includes(word));
}

function textOfCluster({ name, balancer, panic, drained }: ClusterFacts): string {
  return `${name} ${balancer} ${panic ? 'panic' : ''} ${drained ? 'drained draining' : ''}`.toLowerCase();
}

function textOfEndpoint({ cluster, address, state, reason, isSlow }: EndpointFacts): string {
  return `${cluster} ${address} ${state} ${reason} ${isSlow ? 'slow' : ''}`.toLowerCase();
}
