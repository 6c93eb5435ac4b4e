/** Names of limits. They are unique within a listener and its routes. */

import { describe } from '../../syntax/formats.ts';
import type { Section } from '../../syntax/section.ts';
import { isMapping } from '../../syntax/section.ts';
import type { LimitKey } from '../../types/limits.ts';

/** Leaves room for a numeric suffix: names have up to 63 characters. */
const MAX_BASE_CHARACTERS = 56;

/** Names taken within one listener. */
export class LimitNames {
  readonly #given: ReadonlySet<string>;
  readonly #taken = new Set<string>();
  /** Last numeric suffix, keyed by base name. */
  readonly #numbers = new Map<string, number>();

  /** Collects the names in the file first, so that no default name takes one of them. */
  constructor(listener: Section) {
    const routes = listener.raw('routes');
    const owners = [listener.raw('limits'), ...entriesOf(routes).map((route) => childOf(route, 'limits'))];
    const names = owners.flatMap(entriesOf).map((limit) => childOf(limit, 'name'));
    this.#given = new Set(names.filter((name) => typeof name === 'string'));
  }

  /** Reads the optional key `name` of a limit. Adds an error if another limit has the name. */
  read(limit: Section, key: LimitKey): string {
    const name = limit.has('name') ? limit.name() : this.#free(baseOf(key));
    if (name !== '' && this.#taken.has(name)) {
      limit.problemAt(
        'name',
        `two limits of this listener and its routes have the name ${describe(name)}: rename one`,
      );
    }
    this.#taken.add(name);
    return name;
  }

  #free(base: string): string {
    for (let number = (this.#numbers.get(base) ?? 0) + 1; ; number++) {
      const name = number === 1 ? base : `${base}-${number}`;
      if (this.#given.has(name) || this.#taken.has(name)) continue;
      this.#numbers.set(base, number);
      return name;
    }
  }
}

/** Derives a metric-safe name from a key: `address`, `claim-sub`. */
function baseOf(key: LimitKey): string {
  if (!('name' in key)) return key.kind;
  return `${key.kind}-${key.name.replaceAll(/[^A-Za-z0-9_.-]/g, '-')}`.slice(0, MAX_BASE_CHARACTERS);
}

function entriesOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function childOf(value: unknown, key: string): unknown {
  return isMapping(value) ? value.get(key) : undefined;
}
