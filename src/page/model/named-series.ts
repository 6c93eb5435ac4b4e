/** Decay of a name's score per point. A score halves in about a minute. */
const DECAY = 0.99;
/** A name takes over a place when its score exceeds the lowest placed score times this factor. */
const LEAD = 2;
/** Max names with a score. */
const MAX_NAMES = 64;

interface Place {
  name: string;
  values: (number | null)[];
}

/**
 * The values of names that come and go, such as error reasons. The few greatest names have their own series,
 * and the others share the last one. A name keeps its place, and so its colour, until another name leads
 * clearly.
 */
export class NamedSeries {
  /** The names with their own series, in the order of their places. */
  readonly places: Place[] = [];
  /** The combined series of all other names. */
  readonly rest: (number | null)[] = [];
  /** Incremented when the places change. */
  version = 0;
  readonly #maxPlaces: number;
  readonly #combine: (a: number, b: number) => number;
  readonly #scores = new Map<string, number>();
  #length = 0;

  /** @param combine merges two values of the other names: their sum or maximum */
  constructor(maxPlaces: number, combine: (a: number, b: number) => number) {
    this.#maxPlaces = maxPlaces;
    this.#combine = combine;
  }

  /** Adds a point to each series. @param values by name; null for an unknown point */
  add(values: ReadonlyMap<string, number> | null): void {
    this.#score(values ?? new Map());
    this.#assign();
    const named = new Set(this.places.map(({ name }) => name));
    for (const place of this.places)
      place.values.push(values === null ? null : (values.get(place.name) ?? 0));
    let rest: number | null = null;
    for (const [name, value] of values ?? []) {
      if (!named.has(name)) rest = rest === null ? value : this.#combine(rest, value);
    }
    this.rest.push(rest);
    this.#length++;
  }

  /** Drops the oldest points. */
  drop(count: number): void {
    for (const { values } of this.places) values.splice(0, count);
    this.rest.splice(0, count);
    this.#length = Math.max(0, this.#length - count);
  }

  #score(values: ReadonlyMap<string, number>): void {
    for (const [name, score] of this.#scores) {
      if (score < 1e-6 && !values.has(name)) this.#scores.delete(name);
      else this.#scores.set(name, score * DECAY);
    }
    for (const [name, value] of values) {
      const score = this.#scores.get(name);
      if (score === undefined && this.#scores.size >= MAX_NAMES) continue;
      this.#scores.set(name, (score ?? 0) + value);
    }
  }

  #assign(): void {
    for (const [name, score] of this.#scores) {
      if (this.places.some((place) => place.name === name)) continue;
      if (this.places.length < this.#maxPlaces) {
        this.places.push({ name, values: new Array<null>(this.#length).fill(null) });
        this.version++;
        continue;
      }
      const lowest = this.places.reduce((a, b) => (this.#scoreOf(b) < this.#scoreOf(a) ? b : a));
      if (score <= LEAD * this.#scoreOf(lowest)) continue;
      lowest.name = name;
      lowest.values = new Array<null>(this.#length).fill(null);
      this.version++;
    }
  }

  #scoreOf({ name }: Place): number {
    return this.#scores.get(name) ?? 0;
  }
}
