/** A line for each good: the change of its price in percent since the left edge of the chart. */

const SVG = 'http://www.w3.org/2000/svg';
const WIDTH = 240;
const HEIGHT = 100;
/** Percent from top to bottom, at least. */
const MIN_RANGE = 1;

export class FeedChart {
  #scale;
  #lines;
  #length;
  #ticks = [];

  /**
   * @param svg the element for the lines
   * @param scale the elements for the highest and the lowest value: `[data-edge=top]` and `[data-edge=bottom]`
   * @param length number of ticks from edge to edge
   */
  constructor(svg, scale, goods, length) {
    svg.setAttribute('viewBox', `0 0 ${WIDTH} ${HEIGHT}`);
    svg.setAttribute('preserveAspectRatio', 'none');
    this.#scale = scale;
    this.#length = Math.max(2, length);
    this.#lines = Array.from({ length: goods }, (_, index) => {
      const line = document.createElementNS(SVG, 'polyline');
      line.dataset.hue = String(index);
      return line;
    });
    svg.replaceChildren(...this.#lines);
  }

  add(prices) {
    this.#ticks.push(prices);
    if (this.#ticks.length > this.#length) this.#ticks.shift();
  }

  /** Draws all ticks. Returns the change of each good, in percent. */
  draw() {
    const [first] = this.#ticks;
    const series = first.map((start, good) => this.#ticks.map((prices) => 100 * (prices[good] / start - 1)));
    const all = series.flat();
    const middle = (Math.max(...all) + Math.min(...all)) / 2;
    const range = Math.max(MIN_RANGE, (Math.max(...all) - Math.min(...all)) * 1.1);
    const step = WIDTH / (this.#length - 1);
    for (const [good, values] of series.entries()) {
      const points = values.map((value, index) => {
        const y = HEIGHT / 2 - ((value - middle) / range) * HEIGHT;
        return `${(index * step).toFixed(1)},${y.toFixed(2)}`;
      });
      this.#lines[good].setAttribute('points', points.join(' '));
    }
    this.#label('top', middle + range / 2);
    this.#label('bottom', middle - range / 2);
    return series.map((values) => values.at(-1));
  }

  #label(edge, percent) {
    const words = `${percent < 0 ? '−' : '+'}${Math.abs(percent).toFixed(1)} %`;
    this.#scale.querySelector(`[data-edge=${edge}]`).textContent = words;
  }
}
