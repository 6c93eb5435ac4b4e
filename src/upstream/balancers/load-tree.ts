/**
 * The endpoint with the least load; the earlier turn breaks a tie. A tournament tree (Knuth, The Art of Computer
 * Programming, volume 3, section 5.4.1): a change costs the logarithm of the number of endpoints.
 */
export class LoadTree {
  readonly #loads: Float64Array;
  readonly #turns: Float64Array;
  /** Children of node n are 2n and 2n + 1, the root is 1, and endpoint i is leaf size + i. */
  readonly #size: number;
  /** For each node the winner below it. */
  readonly #winners: Int32Array;

  /** All loads are infinite at first. */
  constructor(count: number) {
    let size = 1;
    while (size < count) size *= 2;
    this.#size = size;
    this.#loads = new Float64Array(size).fill(Infinity);
    this.#turns = new Float64Array(size).fill(Infinity);
    this.#winners = new Int32Array(2 * size);
    for (let index = 0; index < size; index++) this.#winners[size + index] = index;
    for (let node = size - 1; node >= 1; node--) this.#play(node);
  }

  get winner(): number {
    return this.#winners[1]!;
  }

  set(index: number, load: number, turn: number): void {
    if (this.#loads[index] === load && this.#turns[index] === turn) return;
    this.#loads[index] = load;
    this.#turns[index] = turn;
    for (let node = (this.#size + index) >> 1; node >= 1; node >>= 1) this.#play(node);
  }

  #play(node: number): void {
    const left = this.#winners[2 * node]!;
    const right = this.#winners[2 * node + 1]!;
    const a = this.#loads[left]!;
    const b = this.#loads[right]!;
    const leftWins = a < b || (a === b && this.#turns[left]! <= this.#turns[right]!);
    this.#winners[node] = leftWins ? left : right;
  }
}
