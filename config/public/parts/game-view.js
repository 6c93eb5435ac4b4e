/** Draws the arena on a canvas. */

const PLAYER_COLOURS = 6;
/** Players are drawn this long after their state, so that there is a next state to move to. */
const DELAY_MS = 60;
const GRID = 100;
/** Names are at least this high on the screen, however small the arena is. */
const MIN_TEXT_PIXELS = 12;

export class GameView {
  #canvas;
  #context;
  #rules = { width: 1000, height: 600, playerRadius: 24, coinRadius: 15, id: null };
  #nameOf = () => '';
  /** The last two states with the times of their arrival. */
  #previous = null;
  #current = null;
  #frame = null;
  #calm = matchMedia('(prefers-reduced-motion: reduce)');

  constructor(canvas) {
    this.#canvas = canvas;
    this.#context = canvas.getContext('2d');
    new ResizeObserver(() => this.#request()).observe(canvas);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#request());
  }

  /**
   * @param rules sizes, and `id`, the visitor's own player
   * @param nameOf returns the name of a player
   */
  prepare(rules, nameOf) {
    this.#rules = rules;
    this.#nameOf = nameOf;
  }

  show({ players, coins }) {
    const places = new Map(players.map(([id, x, y]) => [id, { x, y }]));
    this.#previous = this.#current;
    this.#current = { at: performance.now(), places, coins };
    this.#request();
  }

  /** Converts a place on the canvas to a place in the arena. */
  placeAt(x, y) {
    const scale = this.#rules.width / this.#canvas.clientWidth;
    return { x: Math.round(x * scale), y: Math.round(y * scale) };
  }

  #request() {
    this.#frame ??= requestAnimationFrame(() => {
      this.#frame = null;
      const moving = this.#draw();
      if (moving) this.#request();
    });
  }

  /** Draws one frame. Returns whether players are still between two states. */
  #draw() {
    const { width, height } = this.#rules;
    const ratio = Math.min(devicePixelRatio, 3);
    const pixels = Math.round(this.#canvas.clientWidth * ratio);
    if (pixels === 0) return false;
    if (this.#canvas.width !== pixels) {
      this.#canvas.width = pixels;
      this.#canvas.height = Math.round((pixels * height) / width);
    }
    const style = getComputedStyle(this.#canvas);
    const colour = (name) => style.getPropertyValue(name);
    const scale = pixels / width;
    this.#context.setTransform(scale, 0, 0, scale, 0, 0);
    this.#context.clearRect(0, 0, width, height);
    this.#drawGrid(colour('--line'));
    if (this.#current === null) return false;
    for (const coin of this.#current.coins) this.#drawCoin(coin, colour);
    const progress = this.#progress();
    for (const [id, place] of this.#current.places) {
      const from = this.#previous?.places.get(id) ?? place;
      const x = from.x + (place.x - from.x) * progress;
      const y = from.y + (place.y - from.y) * progress;
      this.#drawPlayer(id, x, y, colour);
    }
    return progress < 1;
  }

  /** Share of the way from the previous state to the current one. */
  #progress() {
    if (this.#previous === null || this.#calm.matches) return 1;
    return Math.min(1, (performance.now() - this.#current.at) / DELAY_MS);
  }

  #drawGrid(line) {
    const { width, height } = this.#rules;
    this.#context.strokeStyle = line;
    this.#context.lineWidth = 1.5;
    this.#context.beginPath();
    for (let x = GRID; x < width; x += GRID) {
      this.#context.moveTo(x, 0);
      this.#context.lineTo(x, height);
    }
    for (let y = GRID; y < height; y += GRID) {
      this.#context.moveTo(0, y);
      this.#context.lineTo(width, y);
    }
    this.#context.stroke();
  }

  #drawCoin([, x, y, value], colour) {
    const { coinRadius } = this.#rules;
    const golden = value > 1;
    this.#circle(x, y, golden ? coinRadius * 1.3 : coinRadius, colour(golden ? '--gold' : '--coin'));
    if (golden) this.#text(String(value), x, y + 1, 700, 24, colour('--on-gold'));
  }

  #drawPlayer(id, x, y, colour) {
    const { playerRadius } = this.#rules;
    if (id === this.#rules.id) this.#circle(x, y, playerRadius + 7, colour('--own-ring'));
    this.#circle(x, y, playerRadius, colour(`--hue-${id % PLAYER_COLOURS}`));
    const size = Math.max(24, (MIN_TEXT_PIXELS * this.#rules.width) / this.#canvas.clientWidth);
    const away = playerRadius + size;
    const below = y < away + size;
    this.#text(this.#nameOf(id), x, below ? y + away : y - away, 600, size, colour('--ink'));
  }

  #circle(x, y, radius, fill) {
    this.#context.beginPath();
    this.#context.arc(x, y, radius, 0, 2 * Math.PI);
    this.#context.fillStyle = fill;
    this.#context.fill();
  }

  #text(words, x, y, weight, size, fill) {
    this.#context.font = `${weight} ${size}px system-ui, sans-serif`;
    this.#context.textAlign = 'center';
    this.#context.textBaseline = 'middle';
    this.#context.fillStyle = fill;
    this.#context.fillText(words, x, y);
  }
}
