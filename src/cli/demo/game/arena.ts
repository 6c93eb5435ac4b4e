/** The rules of the demo's game, without sockets and clocks. */

/** Size of the arena. All lengths are in the same unit. */
export const WIDTH = 1000;
export const HEIGHT = 600;
export const PLAYER_RADIUS = 24;
export const COIN_RADIUS = 15;
/** Value of coins that wins a round. */
export const GOAL = 20;

const SPEED_PER_SECOND = 360;
const COINS = 8;
/** One coin of six is golden. */
const GOLDEN_ONE_OF = 6;
const GOLDEN_VALUE = 3;

interface Player {
  readonly id: number;
  x: number;
  y: number;
  score: number;
}

interface Coin {
  readonly id: number;
  readonly x: number;
  readonly y: number;
  readonly value: number;
}

interface Point {
  readonly x: number;
  readonly y: number;
}

interface Moving extends Player {
  /** The direction of a player at its keys: a vector no longer than 1. */
  direction: Point;
  /** The place that a player goes to, or null if it steers by keys. */
  target: Point | null;
}

/** Players who move, and coins that they collect. */
export class Arena {
  readonly #random: () => number;
  readonly #players = new Map<number, Moving>();
  #coins: readonly Coin[];
  #lastCoin = 0;

  /** @param random returns numbers from 0 to 1 */
  constructor(random: () => number = Math.random) {
    this.#random = random;
    this.#coins = Array.from({ length: COINS }, () => this.#newCoin());
  }

  get players(): readonly Player[] {
    return [...this.#players.values()];
  }

  get coins(): readonly Coin[] {
    return this.#coins;
  }

  add(id: number): void {
    const place = this.#anywhere(PLAYER_RADIUS);
    this.#players.set(id, { id, ...place, score: 0, direction: { x: 0, y: 0 }, target: null });
  }

  remove(id: number): void {
    this.#players.delete(id);
  }

  /** Moves a player in a direction until the next call. A vector longer than 1 counts as 1. */
  steer(id: number, x: number, y: number): void {
    const player = this.#players.get(id);
    if (player === undefined) return;
    const length = Math.max(1, Math.hypot(x, y));
    player.direction = { x: x / length, y: y / length };
    player.target = null;
  }

  /** Moves a player to a place, where it stops. */
  go(id: number, x: number, y: number): void {
    const player = this.#players.get(id);
    if (player !== undefined) player.target = within(x, y);
  }

  /**
   * Lets time pass.
   *
   * @returns the player who has won the round, or null if the round continues
   */
  step(seconds: number): Player | null {
    for (const player of this.#players.values()) {
      move(player, SPEED_PER_SECOND * seconds);
      this.#collect(player);
    }
    const winner = this.players.find(({ score }) => score >= GOAL) ?? null;
    if (winner !== null) for (const player of this.#players.values()) player.score = 0;
    return winner;
  }

  #collect(player: Moving): void {
    const reach = PLAYER_RADIUS + COIN_RADIUS;
    this.#coins = this.#coins.map((coin) => {
      if (Math.hypot(coin.x - player.x, coin.y - player.y) > reach) return coin;
      player.score += coin.value;
      return this.#newCoin();
    });
  }

  #newCoin(): Coin {
    const value = this.#random() < 1 / GOLDEN_ONE_OF ? GOLDEN_VALUE : 1;
    return { id: ++this.#lastCoin, ...this.#anywhere(COIN_RADIUS), value };
  }

  #anywhere(margin: number): Point {
    return {
      x: margin + this.#random() * (WIDTH - 2 * margin),
      y: margin + this.#random() * (HEIGHT - 2 * margin),
    };
  }
}

function move(player: Moving, reach: number): void {
  const { target, direction } = player;
  const way =
    target === null
      ? { x: direction.x * reach, y: direction.y * reach }
      : { x: target.x - player.x, y: target.y - player.y };
  const share = Math.min(1, reach / Math.max(Math.hypot(way.x, way.y), Number.EPSILON));
  const { x, y } = within(player.x + way.x * share, player.y + way.y * share);
  player.x = x;
  player.y = y;
}

function within(x: number, y: number): Point {
  return {
    x: Math.min(WIDTH - PLAYER_RADIUS, Math.max(PLAYER_RADIUS, x)),
    y: Math.min(HEIGHT - PLAYER_RADIUS, Math.max(PLAYER_RADIUS, y)),
  };
}
