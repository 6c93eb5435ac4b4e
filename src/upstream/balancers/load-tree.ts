/**
 * Finds the endpoint with the least load. The earlier turn breaks a tie. A tournament tree (Knuth, The Art of
 * Computer Programming, volume 3, section 5.4.1): an update takes logarithmic time.
 */
export class LoadTree {
  readonly #loads: Float64Array;
  readonly #turns: Float64Array;
  /** The root is 1, the children of node n are 2n and 2n + 1, and the leaf of endpoint i is size + i. */
  readonly #size: number;
  /** Winner of the subtree of each node. */
  readonly #winners: Int32Array;

  /** Creates a tree in which all loads are infinite. */
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
