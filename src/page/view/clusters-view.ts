import type { Clock } from '../client/clock.ts';
import type { Operator } from '../client/operator.ts';
import type { LiveFrame } from '../../protocol/admin/live.ts';
import type { Status } from '../../protocol/admin/status.ts';
import { clustersOfFrame, clustersOfStatus, type ClusterFacts } from '../model/cluster-facts.ts';
import { rowsOf, type Order, type Row, type SortKey } from '../model/cluster-rows.ts';
import type { Command } from '../model/commands.ts';
import { EndpointPaces } from '../model/endpoint-pace.ts';
import { count, plural } from '../model/format.ts';
import { CLUSTER_COLUMNS, makeClusterRow } from './cluster-table.ts';
import { byId, make, setShown, setText } from './dom.ts';
import { Table } from './table.ts';

interface ClustersOptions {
  readonly operator: Pick<Operator, 'ask'>;
  readonly clock: Clock;
  readonly onCommand: (command: Command) => void;
}

/** Delay between the last key and a search of `/status`. */
const SEARCH_DELAY_MS = 300;
/** Min time between two searches. The `/status` of 10,000 endpoints has megabytes. */
const SEARCH_PERIOD_MS = 10_000;

/**
 * Clusters and their endpoints, sorted and filtered. The filter also finds endpoints that frames leave out.
 */
export class ClustersView {
  readonly #options: ClustersOptions;
  readonly #paces = new EndpointPaces();
  readonly #table: Table<Row>;
  readonly #region: HTMLElement;
  readonly #filter = byId('cluster-filter', HTMLInputElement);
  readonly #group = byId('group', HTMLInputElement);
  readonly #sort = byId('cluster-sort', HTMLSelectElement);
  readonly #count = byId('cluster-count', HTMLSpanElement);
  readonly #note = byId('cluster-note', HTMLParagraphElement);
  readonly #empty = byId('cluster-empty', HTMLParagraphElement);
  /** The clusters that the user opened or closed. */
  readonly #opened = new Map<string, boolean>();
  #order: Order = { key: 'attention', isDescending: true };
  /** Whether the pointer is over the rows. Their order is kept then. */
  #isPointedAt = false;
  #keptOrder: ReadonlyMap<string, number> = new Map();
  #frame: LiveFrame | null = null;
  /** The clusters of `/status`, while the filter searches them. */
  #found: readonly ClusterFacts[] | null = null;
  #foundAt = -Infinity;
  #isSearching = false;
  #slowest = 0;
  #cancelSearch: () => void = () => undefined;

  constructor(options: ClustersOptions) {
    this.#options = options;
    const table = byId('cluster-table', HTMLTableElement);
    this.#region = table.parentElement!;
    this.#table = new Table<Row>(table, {
      columns: CLUSTER_COLUMNS,
      keyOf: ({ key }) => key,
      kindOf: ({ kind }) => kind,
      makeRow: (nodes, item) =>
        makeClusterRow(nodes, item, {
          now: () => this.#frame?.at ?? 0,
          slowest: () => this.#slowest,
          onCommand: options.onCommand,
          onToggle: (cluster, isOpen) => this.#toggle(cluster, isOpen),
          namesClusters: () => !this.#group.checked,
        }),
      onSort: (id) =>
        this.#sortBy(id as SortKey, id === this.#order.key ? !this.#order.isDescending : id !== 'name'),
    });
    this.#fillSort();
    this.#listen();
  }

  show(frame: LiveFrame): void {
    this.#frame = frame;
    this.#paces.add(frame);
    this.#search();
    this.#render();
  }

  #fillSort(): void {
    const columns = CLUSTER_COLUMNS.filter(({ canSort }) => canSort === true);
    this.#sort.append(
      make('option', { value: 'attention' }, 'Attention'),
      ...columns.map(({ id, label }) => make('option', { value: id }, label)),
    );
  }

  #listen(): void {
    this.#filter.addEventListener('input', () => {
      this.#foundAt = -Infinity;
      if (this.#filter.value.trim() === '') this.#found = null;
      this.#cancelSearch();
      this.#cancelSearch = this.#options.clock.after(SEARCH_DELAY_MS, () => this.#search());
      this.#rerender();
    });
    this.#group.addEventListener('change', () => this.#rerender());
    this.#sort.addEventListener('change', () =>
      this.#sortBy(this.#sort.value as SortKey, this.#sort.value !== 'name'),
    );
    this.#region.addEventListener('pointerenter', () => (this.#isPointedAt = true));
    this.#region.addEventListener('pointerleave', () => (this.#isPointedAt = false));
  }

  #toggle(cluster: string, isOpen: boolean): void {
    this.#opened.set(cluster, isOpen);
    this.#rerender();
  }

  #sortBy(key: SortKey, isDescending: boolean): void {
    this.#order = { key, isDescending };
    this.#sort.value = key;
    this.#table.markOrder(key, isDescending);
    this.#rerender();
  }

  /** Renders after a user's action, in the order of the current values. */
  #rerender(): void {
    this.#keptOrder = new Map();
    this.#render();
  }

  #render(): void {
    const frame = this.#frame;
    if (frame === null) return;
    const clusters = this.#found ?? clustersOfFrame(frame, this.#paces);
    const { rows, omitted } = rowsOf(clusters, {
      order: this.#order,
      filter: this.#filter.value,
      isGrouped: this.#group.checked,
      isOpen: (cluster) => this.#opened.get(cluster),
    });
    this.#slowest = rows.reduce(
      (max, row) => Math.max(max, row.kind === 'endpoint' ? (row.endpoint.mean ?? 0) : 0),
      0,
    );
    this.#table.show(this.#inKeptOrder(rows));
    this.#describe(frame, rows.length, omitted);
  }

  /**
   * Keeps the order of rows under the pointer or the focus. Otherwise a click could hit the button of another
   * row.
   */
  #inKeptOrder(rows: readonly Row[]): readonly Row[] {
    const isHeld = this.#isPointedAt || this.#region.contains(document.activeElement);
    const kept = this.#keptOrder;
    const ordered =
      isHeld && rows.length === kept.size && rows.every(({ key }) => kept.has(key))
        ? rows.toSorted((a, b) => kept.get(a.key)! - kept.get(b.key)!)
        : rows;
    this.#keptOrder = new Map(ordered.map(({ key }, index) => [key, index]));
    return ordered;
  }

  #describe({ clusterCount, clusters }: LiveFrame, shown: number, omitted: number): void {
    setText(this.#count, clusterCount === 0 ? '' : count(clusterCount));
    const notes = [
      this.#found === null
        ? clusters.length < clusterCount
          ? `${count(clusters.length)} of ${plural(clusterCount, 'cluster')} here: those that need attention, then the busiest. The filter searches all.`
          : ''
        : 'The search covers all clusters, every 10 seconds. Answer counts and times are known only for clusters in the frames.',
      omitted > 0 ? `${plural(omitted, 'more row')} left out: narrow the filter.` : '',
    ].filter(Boolean);
    setText(this.#note, notes.join(' '));
    setShown(this.#note, notes.length > 0);
    setShown(this.#empty, shown === 0);
    setText(
      this.#empty,
      clusterCount === 0
        ? 'The configuration has no clusters: its routes answer by themselves.'
        : this.#isSearching
          ? 'Searching all clusters.'
          : 'Nothing matches the filter.',
    );
  }

  /** Searches `/status` if there is a filter and frames do not contain every cluster. */
  #search(): void {
    const { clock, operator } = this.#options;
    if (this.#filter.value.trim() === '' || !this.#isPartial()) {
      this.#found = null;
      return;
    }
    if (this.#isSearching || clock.now() - this.#foundAt < SEARCH_PERIOD_MS) return;
    this.#isSearching = true;
    void operator.ask('/status').then(({ status, body }) => {
      this.#isSearching = false;
      this.#foundAt = clock.now();
      if (status === 200) this.#found = clustersOfStatus(body as unknown as Status);
      this.#render();
    });
  }

  #isPartial(): boolean {
    const frame = this.#frame;
    if (frame === null) return false;
    const { clusters, clusterCount } = frame;
    return (
      clusters.length < clusterCount ||
      clusters.some(({ endpoints, endpointCount }) => endpoints.length < endpointCount)
    );
  }
}
