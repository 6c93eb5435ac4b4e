import type { Endpoint } from '../endpoint.ts';
import { hashText, mix } from './key-hash.ts';

/**
 * Ring points of an endpoint of weight 1, or of the lightest if its weight is below 1. Keeps shares within
 * about 10 %.
 */
const POINTS_PER_UNIT = 128;
/**
 * Max ring points of all endpoints. Above it, all weights are halved until they fit: most points keep their
 * places.
 */
const MAX_POINTS = 2 ** 18;
/** Max index that fits in a 53-bit number beside the 32 bits of a point. */
const INDEX_RANGE = 2 ** 21;
const GOLDEN = 0x9e3779b9;

/**
 * Consistent hashing (Karger et al., STOC 1997). Endpoints and keys lie on a ring, and a key belongs to the
 * next endpoint clockwise. When an endpoint is removed, only its keys move. The points depend on addresses
 * and weights alone, so every worker computes the same ring.
 *
 * Ineligible endpoints keep their points and are skipped, so a change of health rebuilds nothing.
 */
export class HashRing {
  #endpoints: readonly Endpoint[] = [];
  #points = new Uint32Array(0);
  #owners = new Int32Array(0);
  #description = '';
  /** Number of endpoints that a key can map to. */
  #eligible = 0;
  /** The last search that visited each endpoint. */
  #visitedIn = new Float64Array(0);
  #searches = 0;

  update(endpoints: readonly Endpoint[]): void {
    this.#eligible = endpoints.reduce((count, { eligible }) => count + (eligible ? 1 : 0), 0);
    this.#endpoints = endpoints;
    if (this.#visitedIn.length !== endpoints.length) this.#visitedIn = new Float64Array(endpoints.length);
    const description = endpoints.map(({ label, weight }) => `${label} ${weight}`).join('\n');
    if (description === this.#description) return;
    this.#description = description;
    this.#build();
  }

  /**
   * Returns the first endpoint clockwise from `hash` that is eligible, not excluded, and accepted.
   *
   * @param hash 32-bit position of the key
   * @param accept null accepts all; if it accepts none, the first endpoint is returned
   */
  find(
    hash: number,
    excluded: ReadonlySet<Endpoint>,
    accept: ((endpoint: Endpoint, hash: number) => boolean) | null,
  ): Endpoint | null {
    let left = this.#eligible;
    if (left === 0) return null;
    const { length } = this.#points;
    let first: Endpoint | null = null;
    const search = ++this.#searches;
    let index = this.#search(hash);
    for (let step = 0; step < length; step++, index++) {
      if (index >= length) index -= length;
      const owner = this.#owners[index]!;
      const endpoint = this.#endpoints[owner]!;
      if (!endpoint.eligible || this.#visitedIn[owner] === search) continue;
      if (excluded.size === 0 || !excluded.has(endpoint)) {
        if (accept === null || accept(endpoint, hash)) return endpoint;
        first ??= endpoint;
      }
      this.#visitedIn[owner] = search;
      if (--left === 0) break;
    }
    return first;
  }

  /** Returns the index of the first point at or after a position. */
  #search(hash: number): number {
    const points = this.#points;
    let low = 0;
    let high = points.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (points[middle]! < hash) low = middle + 1;
      else high = middle;
    }
    return low === points.length ? 0 : low;
  }

  #build(): void {
    const endpoints = this.#endpoints;
    const unit = unitOf(endpoints);
    let divisor = 1;
    const pointsOf = ({ weight }: Endpoint): number =>
      Math.max(1, Math.round(((weight / unit) * POINTS_PER_UNIT) / divisor));
    const total = (): number => endpoints.reduce((sum, endpoint) => sum + pointsOf(endpoint), 0);
    while (total() > MAX_POINTS && divisor < 2 ** 40) divisor *= 2;
    const entries = new Float64Array(total());
    let count = 0;
    for (const [index, endpoint] of endpoints.entries()) {
      const seed = hashText(endpoint.label);
      for (let point = pointsOf(endpoint); point > 0; point--) {
        // One number, so that a typed array can sort it: the point in the high bits, its owner in the low
        // bits.
        entries[count++] = mix(seed ^ Math.imul(point, GOLDEN)) * INDEX_RANGE + index;
      }
    }
    entries.sort();
    this.#points = Uint32Array.from(entries, (entry) => Math.floor(entry / INDEX_RANGE));
    this.#owners = Int32Array.from(entries, (entry) => entry % INDEX_RANGE);
  }
}

/**
 * Returns the weight that gets {@link POINTS_PER_UNIT} points. Equal endpoints always get that many. An
 * additional address lowers the weights of the name's other addresses, and must not move their keys.
 */
function unitOf(endpoints: readonly Endpoint[]): number {
  const weights = new Set(endpoints.map(({ weight }) => weight));
  return weights.size === 1 ? [...weights][0]! : Math.min(1, ...weights);
}
