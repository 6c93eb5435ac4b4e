import type { Endpoint } from '../endpoint.ts';
import { hashText, mix } from './key-hash.ts';

/** Points of an endpoint of weight 1, or of the lightest if its weight is below 1. 128 keep shares within about a tenth. */
const POINTS = 128;
/** Max points of all endpoints. Above it all weights are halved until they fit, so that most points stay. */
const MAX_POINTS = 2 ** 18;
/** Range of the index that a 53-bit number holds beside the 32 bits of a point. */
const INDEX_RANGE = 2 ** 21;
const GOLDEN = 0x9e3779b9;

/**
 * Consistent hashing (Karger et al., STOC 1997): endpoints and keys lie on a circle, and a key belongs to the
 * next endpoint from its place on. When an endpoint goes, its keys move to others, and no other key moves. Addresses and
 * weights alone decide where the points lie, so every worker gives the same answer.
 *
 * Endpoints that are not eligible keep their points and are skipped: a change of health rebuilds nothing.
 */
export class HashRing {
  #endpoints: readonly Endpoint[] = [];
  #points = new Uint32Array(0);
  #owners = new Int32Array(0);
  #description = '';
  /** Endpoints that a key can get. */
  #eligible = 0;
  /** The last search that has looked at each endpoint. */
  #lookedAt = new Float64Array(0);
  #searches = 0;

  update(endpoints: readonly Endpoint[]): void {
    this.#eligible = endpoints.reduce((count, { eligible }) => count + (eligible ? 1 : 0), 0);
    this.#endpoints = endpoints;
    if (this.#lookedAt.length !== endpoints.length) this.#lookedAt = new Float64Array(endpoints.length);
    const description = endpoints.map(({ label, weight }) => `${label} ${weight}`).join('\n');
    if (description === this.#description) return;
    this.#description = description;
    this.#build();
  }

  /**
   * Returns the first endpoint from a place on that is eligible, not excluded, and accepted.
   *
   * @param hash the place of the key, 32 bits
   * @param accept null accepts all; if it accepts none, the first is returned
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
      if (!endpoint.eligible || this.#lookedAt[owner] === search) continue;
      if (excluded.size === 0 || !excluded.has(endpoint)) {
        if (accept === null || accept(endpoint, hash)) return endpoint;
        first ??= endpoint;
      }
      this.#lookedAt[owner] = search;
      if (--left === 0) break;
    }
    return first;
  }

  /** Returns the first point at or behind a place. */
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
      Math.max(1, Math.round(((weight / unit) * POINTS) / divisor));
    const total = (): number => endpoints.reduce((sum, endpoint) => sum + pointsOf(endpoint), 0);
    while (total() > MAX_POINTS && divisor < 2 ** 40) divisor *= 2;
    const entries = new Float64Array(total());
    let count = 0;
    for (const [index, endpoint] of endpoints.entries()) {
      const seed = hashText(endpoint.label);
      for (let point = pointsOf(endpoint); point > 0; point--) {
        // One number, so that a typed array sorts it: the point above, its owner below.
        entries[count++] = mix(seed ^ Math.imul(point, GOLDEN)) * INDEX_RANGE + index;
      }
    }
    entries.sort();
    this.#points = Uint32Array.from(entries, (entry) => Math.floor(entry / INDEX_RANGE));
    this.#owners = Int32Array.from(entries, (entry) => entry % INDEX_RANGE);
  }
}

/**
 * Returns the weight that gets {@link POINTS} points. Equal endpoints always get {@link POINTS}: one more address makes the
 * weights of its name's other addresses smaller, and must move no keys but its own.
 */
function unitOf(endpoints: readonly Endpoint[]): number {
  const weights = new Set(endpoints.map(({ weight }) => weight));
  return weights.size === 1 ? [...weights][0]! : Math.min(1, ...weights);
}
