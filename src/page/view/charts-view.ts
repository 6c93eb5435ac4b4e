import type { LiveFrame } from '../../protocol/admin/live.ts';
import { bytes, count, latency, percent, rate } from '../model/format.ts';
import type { Column, History } from '../model/history.ts';
import type { NamedSeries } from '../model/named-series.ts';
import { ChartCard, type Line } from './chart-card.ts';
import { byId, make, setText } from './dom.ts';

interface Chart {
  readonly card: ChartCard;
  readonly linesOf: (history: History) => readonly Line[];
}

/** From 1 B to about 0.5 PiB. */
const BYTE_STEPS = Array.from({ length: 50 }, (_, power) => 2 ** power);
/** Whole numbers: 1, 2, 5, 10 and up. */
const COUNT_STEPS = Array.from({ length: 10 }, (_, power) =>
  [1, 2, 5].map((step) => step * 10 ** power),
).flat();

/** The charts, and the time that they cover. */
export class ChartsView {
  readonly #charts: readonly Chart[];
  readonly #coverage = byId('coverage', HTMLSpanElement);
  readonly #budgetText = make('span');
  readonly #budgetMeter = make('meter', { min: '0', max: '1', low: '0.7', high: '0.9', optimum: '0' });

  constructor() {
    const perSecond = (value: number | null): string => (value === null ? rate(null) : `${rate(value)}/s`);
    const byteRate = (value: number | null): string => (value === null ? bytes(null) : `${bytes(value)}/s`);
    this.#budgetMeter.setAttribute('aria-label', 'Share of the budget for buffered bytes');
    const budget = make('p', { class: 'budget' }, this.#budgetMeter, this.#budgetText);
    this.#charts = [
      chart('Connections', count, COUNT_STEPS, { sessions: 'sessions', tunnels: 'tunnels' }),
      chart('Handshakes', perSecond, null, { handshakes: 'accepted', handshakeFailures: 'failed' }),
      chart('Messages', perSecond, null, {
        messagesUpstream: 'to endpoints',
        messagesDownstream: 'to clients',
      }),
      chart('Bytes', byteRate, BYTE_STEPS, { bytesUpstream: 'to endpoints', bytesDownstream: 'to clients' }),
      named('Errors', perSecond, ({ errors }) => errors, 'none'),
      chart('Handshake time', latency, null, { handshakeP50: 'p50', handshakeP99: 'p99' }),
      named('Event loop lag', latency, ({ lag }) => lag, 'no worker'),
      chart('Memory', bytes, BYTE_STEPS, { residentBytes: 'resident', bufferedBytes: 'buffered' }, budget),
    ];
    byId('charts', HTMLDivElement).append(...this.#charts.map(({ card }) => card.node));
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
      for (const { card } of this.#charts) card.redraw();
    });
  }

  show(history: History, { gauges }: LiveFrame): void {
    const { coverage, times } = history;
    // The first frame covers no time.
    setText(this.#coverage, times.length < 2 ? '' : `and in the last ${coverage}`);
    for (const { card, linesOf } of this.#charts) card.show(times, linesOf(history), coverage);
    const { bufferedBytes, bufferBudgetBytes } = gauges;
    const share = bufferBudgetBytes > 0 ? bufferedBytes / bufferBudgetBytes : 0;
    this.#budgetMeter.value = share;
    setText(this.#budgetText, `buffers: ${percent(share)} of ${bytes(bufferBudgetBytes)}`);
  }
}

/** Creates a chart with fixed lines. @param steps intervals of the axis; null for the default */
function chart(
  title: string,
  format: (value: number | null) => string,
  steps: readonly number[] | null,
  labels: Partial<Record<Column, string>>,
  ...extra: readonly HTMLElement[]
): Chart {
  const columns = Object.entries(labels) as [Column, string][];
  return {
    card: new ChartCard({ title, format, ...(steps !== null && { steps }) }, ...extra),
    linesOf: ({ columns: values }) => columns.map(([name, label]) => ({ label, values: values[name] })),
  };
}

/** Creates a chart whose lines have names that come and go. @param empty label while there are no names */
function named(
  title: string,
  format: (value: number | null) => string,
  seriesOf: (history: History) => NamedSeries,
  empty: string,
): Chart {
  return {
    card: new ChartCard({ title, format }),
    linesOf: (history) => {
      const { places, rest } = seriesOf(history);
      const lines = places.map(({ name, values }) => ({ label: name, values }));
      if (lines.length === 0) return [{ label: empty, values: rest }];
      return rest.some((value) => value !== null) ? [...lines, { label: 'others', values: rest }] : lines;
    },
  };
}
