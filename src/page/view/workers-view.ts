import type { LiveFrame } from '../../protocol/admin/live.ts';
import { count, latency, percent } from '../model/format.ts';
import type { LiveWorker } from '../model/live-types.ts';
import { byId, make, setCount, setPill, setShown, setText } from './dom.ts';
import { Table, type RowNodes, type TableColumn } from './table.ts';

const COLUMNS: readonly TableColumn[] = [
  { id: 'name', label: 'Worker' },
  { id: 'state', label: 'State' },
  { id: 'busy', label: 'Busy', isNumber: true, title: 'Share of the last second' },
  { id: 'lag', label: 'Loop lag', isNumber: true },
  { id: 'connections', label: 'Connections', isNumber: true },
  { id: 'older', label: 'Of earlier generations', isNumber: true },
  { id: 'generation', label: 'Generation', isNumber: true },
  { id: 'restarts', label: 'Restarts', isNumber: true },
];

const TONES: Readonly<Record<LiveWorker['state'], string>> = {
  starting: 'quiet',
  up: 'ok',
  waiting: 'bad',
  draining: 'warn',
  stuck: 'bad',
  ended: 'quiet',
};
/** Min lag that delays messages noticeably. */
const LONG_LAG_S = 0.1;

/** A draining worker has the same name as its successor, so the name alone is not a key. */
interface WorkerItem {
  readonly key: string;
  readonly worker: LiveWorker;
}

/** The threads that carry the traffic. */
export class WorkersView {
  readonly #table = new Table<WorkerItem>(byId('worker-table', HTMLTableElement), {
    columns: COLUMNS,
    keyOf: ({ key }) => key,
    makeRow: workerUpdater,
  });
  readonly #empty = byId('worker-empty', HTMLParagraphElement);

  show({ workers }: LiveFrame): void {
    const seen = new Map<string, number>();
    const items = workers.map((worker) => {
      const times = seen.get(worker.name) ?? 0;
      seen.set(worker.name, times + 1);
      return { key: `${worker.name} ${times}`, worker };
    });
    this.#table.show(items);
    setShown(this.#empty, workers.length === 0);
    setText(this.#empty, 'No worker has been started yet.');
  }
}

function workerUpdater({ cells }: RowNodes): (item: WorkerItem) => void {
  const pill = make('span', { class: 'pill' });
  cells.state!.append(pill);
  const busy = make('span');
  const bar = make('span', { class: 'bar' });
  cells.busy!.append(busy, make('span', { class: 'bar-place' }, bar));
  const lag = make('span');
  cells.lag!.append(lag);
  return ({ worker }) => {
    setText(cells.name!, worker.name);
    setPill(pill, worker.state, TONES[worker.state]);
    setText(busy, percent(worker.eventLoopUtilization));
    bar.style.width = percent(Math.min(1, worker.eventLoopUtilization));
    setText(lag, latency(worker.lagSeconds));
    lag.className = worker.lagSeconds > LONG_LAG_S ? 'tone-warn' : '';
    setText(cells.connections!, count(worker.connections));
    setCount(cells.older!, count(worker.olderConnections));
    setText(cells.generation!, String(worker.generation));
    setCount(cells.restarts!, count(worker.restarts));
  };
}
