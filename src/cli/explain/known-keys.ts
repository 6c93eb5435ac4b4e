/** The keys of the configuration, as the JSON Schema describes them. */
import { readFileSync } from 'node:fs';

/** A key, without the words that the schema has for editors only. */
export interface KnownKey {
  /** Names from the root, without indexes of lists. */
  readonly path: string;
  readonly text: string;
  /** Missing for the mappings of the root, which have no value themselves. */
  readonly type?: string;
  readonly default?: string;
  readonly layers?: readonly number[];
  readonly engines?: string;
  readonly environment?: string;
  /** A page of the documents. */
  readonly guide?: string;
  readonly since?: string;
  /** A value to write. */
  readonly example?: unknown;
}

interface Schema {
  readonly $ref?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly allOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly then?: Schema;
  readonly else?: Schema;
  readonly definitions?: Readonly<Record<string, Schema>>;
  readonly description?: string;
  readonly default?: unknown;
  readonly examples?: readonly unknown[];
  readonly 'x-sluice'?: Omit<KnownKey, 'text' | 'example'>;
}

/** All keys, in the order of the schema. */
export class KnownKeys {
  readonly #root: Schema;
  readonly #keys = new Map<string, KnownKey>();
  /** Paths of keys that are lists of mappings. */
  readonly #lists = new Set<string>();
  /** Paths of the keys of each mapping. The root is the empty path. */
  readonly #children = new Map<string, Set<string>>();
  /** Paths on which a shared mapping is reached, and the path in its description. */
  readonly #aliases = new Map<string, string>();

  constructor(schema: Schema) {
    this.#root = schema;
    this.#visit(schema, '', '');
  }

  get all(): readonly KnownKey[] {
    return [...this.#keys.values()];
  }

  /** Paths of all keys, those through a route or a cluster without a name included. */
  get paths(): readonly string[] {
    return [...this.#aliases.keys()];
  }

  /** Returns the key at a path, which may lead through a route to what it shares with listeners. */
  at(path: string): KnownKey | undefined {
    return this.#keys.get(this.#aliases.get(path) ?? path);
  }

  /** Returns the keys of a mapping. @param key null for the root */
  children(key: KnownKey | null): readonly KnownKey[] {
    return [...(this.#children.get(key?.path ?? '') ?? [])].map((path) => this.#keys.get(path)!);
  }

  isList(path: string): boolean {
    return this.#lists.has(path);
  }

  /**
   * Records the keys of a mapping, and of those inside.
   *
   * @param path the mapping's path in its description
   * @param way the mapping's path from the root
   */
  #visit(schema: Schema, path: string, way: string): void {
    for (const [name, given] of this.#propertiesOf(schema, path)) {
      const property = this.#resolve(given);
      const facts = property['x-sluice'];
      if (facts === undefined) continue;
      const here = way === '' ? name : `${way}.${name}`;
      // A cluster at `to` may be a mapping or a list of endpoints. Some of their keys have one name.
      if ((this.#aliases.get(here) ?? facts.path) !== facts.path) continue;
      this.#aliases.set(here, facts.path);
      if (!this.#keys.has(facts.path)) this.#keys.set(facts.path, keyOf(property, facts));
      this.#children.set(path, (this.#children.get(path) ?? new Set()).add(facts.path));
      this.#visit(property, facts.path, here);
    }
  }

  /** Lists the properties of a mapping, or of the elements of a list. */
  *#propertiesOf(given: Schema, path: string): Generator<readonly [string, Schema]> {
    const schema = this.#resolve(given);
    yield* Object.entries(schema.properties ?? {});
    const { allOf = [], anyOf = [], items } = schema;
    const forms = anyOf
      .map((form) => this.#resolve(form))
      .toSorted((one, other) => Number('items' in one) - Number('items' in other));
    for (const part of [...allOf, ...forms, schema.then, schema.else]) {
      if (part !== undefined) yield* this.#propertiesOf(part, path);
    }
    if (items === undefined) return;
    for (const entry of this.#propertiesOf(items, path)) {
      this.#lists.add(path);
      yield entry;
    }
  }

  #resolve(schema: Schema): Schema {
    if (schema.$ref === undefined) return schema;
    let found: unknown = this.#root;
    for (const step of schema.$ref.split('/').slice(1)) found = (found as Record<string, unknown>)[step];
    return this.#resolve(found as Schema);
  }
}

/** Returns the path of the schema, which is a file of the package. */
export function schemaPath(): URL {
  return new URL(import.meta.resolve('#schema.json'));
}

/** Reads the keys from the schema. */
export function knownKeys(): KnownKeys {
  return new KnownKeys(JSON.parse(readFileSync(schemaPath(), 'utf8')) as Schema);
}

function keyOf(schema: Schema, facts: NonNullable<Schema['x-sluice']>): KnownKey {
  const example = schema.examples?.[0] ?? schema.default;
  const { path, ...others } = facts;
  return { path, text: schema.description ?? '', ...others, ...(example === undefined ? {} : { example }) };
}
