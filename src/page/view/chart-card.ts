import uPlot from 'uplot';
import { make, setAttribute, setText } from './dom.ts';

/** A line of a chart. */
export interface Line {
  readonly label: string;
  readonly values: readonly (number | null)[];
}

interface ChartOptions {
  readonly title: string;
  /** Formats a value of the chart. */
  readonly format: (value: number | null) => string;
  /** The steps that the axis may have. uPlot chooses them if omitted. */
  readonly steps?: readonly number[];
}

const HEIGHT = 112;
/** Min seconds that a chart spans. The lines of a new page have no length yet. */
const MIN_WINDOW_S = 10;
const AXIS_WIDTH = 58;
/** Number of line colours: `--line-1` and up. */
const COLORS = 6;

/** The nodes of a line's legend. Its swatch has the class `line-1` and up. */
interface LegendItem {
  readonly node: HTMLElement;
  readonly label: HTMLElement;
  readonly value: HTMLElement;
}

/** A chart with its title and a legend. The legend shows the last values, or the values under the pointer. */
export class ChartCard {
  readonly node: HTMLElement;
  readonly #options: ChartOptions;
  readonly #legend = make('ul', { class: 'legend' });
  readonly #items: LegendItem[] = [];
  readonly #place: HTMLElement;
  #times: readonly number[] = [];
  #lines: readonly Line[] = [];
  #plot: uPlot | null = null;

  /** @param extra more elements below the legend */
  constructor(options: ChartOptions, ...extra: readonly HTMLElement[]) {
    this.#options = options;
    this.#place = make('div', { class: 'plot', role: 'img', 'aria-label': options.title });
    this.node = make(
      'article',
      { class: 'card chart' },
      make('h3', {}, options.title),
      this.#legend,
      ...extra,
      this.#place,
    );
    new ResizeObserver(() => this.#resize()).observe(this.#place);
  }

  /**
   * Shows lines. The arrays may change until the next call.
   *
   * @param coverage the time that the lines cover, such as `25s`
   */
  show(times: readonly number[], lines: readonly Line[], coverage: string): void {
    const isSame = this.#plot !== null && lines.length === this.#lines.length;
    this.#times = times;
    this.#lines = lines;
    setAttribute(this.#place, 'aria-label', `${this.#options.title} in the last ${coverage}`);
    if (!isSame) this.#rebuild();
    else this.#plot?.setData(this.#data());
    this.#writeLegend(this.#plot?.cursor.idx ?? null);
  }

  /** Redraws the chart with the colours of the current theme. */
  redraw(): void {
    this.#plot?.redraw(false);
  }

  #data(): uPlot.AlignedData {
    return [this.#times, ...this.#lines.map(({ values }) => values)] as unknown as uPlot.AlignedData;
  }

  #rebuild(): void {
    this.#plot?.destroy();
    this.#plot = null;
    // Hidden, or not laid out yet.
    if (this.#place.clientWidth === 0) return;
    this.#plot = new uPlot(
      {
        width: this.#place.clientWidth,
        height: HEIGHT,
        legend: { show: false },
        cursor: { y: false, sync: { key: 'charts' }, drag: { x: false, y: false }, points: { size: 5 } },
        scales: {
          x: { time: true, range: () => this.#window() },
          y: { range: (_plot, _min, max) => [0, max > 0 ? max * 1.1 : 1] },
        },
        axes: [
          {
            ...AXIS,
            size: 22,
            space: 60,
            values: (_plot, ticks, _axis, _space, step) => ticks.map((tick) => clockTime(tick, step < 60)),
          },
          {
            ...AXIS,
            size: AXIS_WIDTH,
            space: 30,
            ...(this.#options.steps !== undefined && { incrs: [...this.#options.steps] }),
            values: (_plot, ticks) => ticks.map((tick) => this.#options.format(tick)),
          },
        ],
        series: [
          {},
          ...this.#lines.map((_line, index) => ({
            stroke: () => colorOf(`--line-${(index % COLORS) + 1}`),
            width: 1.5,
            points: { show: false },
          })),
        ],
        hooks: { setCursor: [(plot) => this.#writeLegend(plot.cursor.idx ?? null)] },
      },
      this.#data(),
      this.#place,
    );
  }

  #window(): [number, number] {
    const first = this.#times[0] ?? 0;
    return [first, Math.max(this.#times.at(-1) ?? 0, first + MIN_WINDOW_S)];
  }

  #resize(): void {
    const width = this.#place.clientWidth;
    if (width === 0) return;
    if (this.#plot === null) this.#rebuild();
    else if (this.#plot.width !== width) this.#plot.setSize({ width, height: HEIGHT });
  }

  /** @param index index of the point; null for the last one */
  #writeLegend(index: number | null): void {
    while (this.#items.length < this.#lines.length) this.#items.push(this.#makeItem());
    for (const [at, item] of this.#items.entries()) {
      const line = this.#lines[at];
      item.node.hidden = line === undefined;
      if (line === undefined) continue;
      setText(item.label, line.label);
      setText(item.value, this.#options.format(line.values[index ?? line.values.length - 1] ?? null));
    }
  }

  #makeItem(): LegendItem {
    const label = make('span', { class: 'name' });
    const value = make('b', { class: 'value' });
    const swatch = make('i', { class: `swatch line-${(this.#items.length % COLORS) + 1}` });
    const node = make('li', {}, swatch, label, value);
    this.#legend.append(node);
    return { node, label, value };
  }
}

const AXIS: uPlot.Axis = {
  stroke: () => colorOf('--muted'),
  font: '11px system-ui, sans-serif',
  grid: { stroke: () => colorOf('--grid'), width: 1 },
  ticks: { show: false },
  gap: 4,
};

/** Formats a moment as local time of day. @param seconds since 1970 */
function clockTime(seconds: number, withSeconds: boolean): string {
  const text = new Date(seconds * 1000).toLocaleTimeString('en-GB');
  return withSeconds ? text : text.slice(0, 5);
}

function colorOf(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}
