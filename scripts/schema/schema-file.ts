/** The JSON Schema of the configuration: config/schema.json. */
import { format, resolveConfig } from 'prettier';
import { ROOT_GROUPS } from '../../src/config/reference/root-keys.ts';
import { configKeys, type ConfigKey } from '../reference/config-keys.ts';
import { Examples } from './examples.ts';
import { OUTSIDE, OUTSIDE_SCHEMA, alternativesOf, byKind, type JsonSchema } from './forms.ts';
import { guideOf } from './guides.ts';
import { recordShapes, withoutList, type Shape } from './shapes.ts';
import { defaultOf, hoverOf, plain, withoutCode } from './texts.ts';

const DEFINITIONS = '#/definitions';
/** Keys of routes that listeners have as well, and their definitions. */
const SHARED: Readonly<Record<string, string>> = { access: 'access', limits: 'limits' };

/** Keys whose value may be a cluster without a name. */
const TARGETS = /^listeners\.(?:routes\.|passthrough\.)?to$/;
/** The schema of clusters, which is at its place in `clusters`. */
const CLUSTER = '#/properties/clusters/items';
const ROUTES = 'listeners.routes';
/** One file or pattern, or a list of them. */
const FILES: JsonSchema = {
  type: ['string', 'array'],
  minLength: 1,
  items: { type: 'string', minLength: 1 },
};
/** An item of a list of routes that stands for the routes of files. */
const INCLUDE: JsonSchema = {
  type: 'object',
  properties: {
    include: {
      title: `${ROUTES}.include`,
      description:
        'Files with a list of routes each, or patterns of such files. Their routes take the place of this item.',
      ...FILES,
      examples: ['routes/*.yaml'],
    },
  },
  additionalProperties: false,
};

/** Returns the text of the file. */
export async function schemaFile(_: string, file: string): Promise<string> {
  const schema = new SchemaWriter().write();
  return format(JSON.stringify(schema), { ...(await resolveConfig(file)), parser: 'json' });
}

class SchemaWriter {
  readonly #keys = new Map(configKeys().map((key) => [key.path, key]));
  readonly #shapes = recordShapes();
  readonly #examples = new Examples();
  /** Mappings that are entries of a list or stand alone, by the path of the list. */
  readonly #elements = new Map<string, JsonSchema>();

  write(): JsonSchema {
    const { root, listeners } = this.#shapes;
    const l7Listener = this.#mapping(listeners.l7, 'listeners', listeners.l4);
    return {
      $schema: 'http://json-schema.org/draft-07/schema#',
      title: 'Configuration of sluice',
      ...this.#mapping(root, '', null),
      definitions: {
        [OUTSIDE]: OUTSIDE_SCHEMA,
        access: this.#value(listeners.l7.keys!.get('access')!, 'listeners.access', null),
        limits: this.#value(listeners.l7.keys!.get('limits')!, 'listeners.limits', null),
        to: this.#target(listeners.l7.keys!.get('to')!),
        unnamedCluster: this.#unnamedCluster(root.keys!.get('clusters')!.items!),
        listener: this.#listener(),
        l4Listener: {
          title: 'new listener of layer 4',
          ...withReferences(this.#mapping(listeners.l4, 'listeners', listeners.l7), l7Listener),
        },
        l7Listener: { title: 'new listener of layer 7', ...l7Listener },
        ...Object.fromEntries(this.#elements),
      },
    };
  }

  /** Chooses the keys of a listener by its mode. With an unknown mode, a listener may have any of them. */
  #listener(): JsonSchema {
    const { l4, l7 } = this.#shapes.listeners;
    const properties = Object.fromEntries([
      ...[...l4.keys!.keys()].map((key) => [key, reference(`l4Listener/properties/${key}`)]),
      ...[...l7.keys!.keys()].map((key) => [key, reference(`l7Listener/properties/${key}`)]),
    ]) as JsonSchema;
    return {
      if: { type: 'object', properties: { mode: { const: 'l4' } }, required: ['mode'] },
      then: reference('l4Listener'),
      else: {
        if: { type: 'object', properties: { mode: { const: 'l7' } } },
        then: reference('l7Listener'),
        else: { type: 'object', properties, additionalProperties: false },
      },
    };
  }

  /** @param twin shape of the same mapping in listeners of the other layer; null for none */
  #mapping(shape: Shape, path: string, twin: Shape | null): JsonSchema {
    const properties: Record<string, JsonSchema> = {};
    for (const [key, below] of shape.keys!) {
      const name = path === '' ? key : `${path}.${key}`;
      if (!this.#keys.has(name) && !Object.hasOwn(ROOT_GROUPS, name)) continue;
      properties[key] = this.#property(below, name, twin?.keys?.get(key) ?? null);
    }
    const required = Object.keys(properties).filter(
      (key) => this.#keys.get(path === '' ? key : `${path}.${key}`)?.default === 'required',
    );
    return {
      type: 'object',
      properties,
      ...requiredKeys(required),
      additionalProperties: false,
      ...(shape.only?.length === shape.keys!.size ? { minProperties: 1, maxProperties: 1 } : {}),
    };
  }

  /** A cluster without its name, a list of endpoints, or an endpoint's address. */
  #target({ element: { forms, isRead } }: Shape): JsonSchema {
    // The first form of endpoints besides a mapping is the list.
    const list = { $ref: `${CLUSTER}/properties/endpoints/else/anyOf/0` };
    return byKind([reference('unnamedCluster'), list, ...alternativesOf(forms, 'mapping', isRead)]);
  }

  #unnamedCluster(cluster: Shape): JsonSchema {
    const keys = [...cluster.keys!.keys()].filter((key) => key !== 'name');
    const properties = keys.map((key) => [key, { $ref: `${CLUSTER}/properties/${key}` }]);
    return {
      type: 'object',
      properties: Object.fromEntries(properties) as JsonSchema,
      required: ['endpoints'],
      additionalProperties: false,
    };
  }

  #property(shape: Shape, path: string, twin: Shape | null): JsonSchema {
    if (TARGETS.test(path)) return { ...this.#words(path), allOf: [reference('to')] };
    const [, shared] = /^listeners\.(?:routes\.)?(access|limits)$/.exec(path) ?? [];
    // Listeners of layer 4 have fewer of their keys.
    const isOfL4 = path === `listeners.${shared}` && shape !== this.#shapes.listeners.l7.keys!.get(shared!);
    const value =
      shared === undefined || isOfL4
        ? this.#value(shape, path, twin)
        : { allOf: [reference(SHARED[shared]!)] };
    return { ...this.#words(path), ...value };
  }

  #words(path: string): JsonSchema {
    const key = this.#keys.get(path);
    if (key === undefined) {
      const text = ROOT_GROUPS[path]!;
      return { title: path, description: plain(text), 'x-sluice': { path, ...guide(path) } };
    }
    const fallback = defaultOf(key);
    const example = this.#examples.of(path);
    const hasExample = example !== undefined && JSON.stringify(example) !== JSON.stringify(fallback);
    return {
      title: path,
      description: plain(key.text),
      markdownDescription: hoverOf(key),
      ...(fallback === undefined || isMapping(fallback) ? {} : { default: fallback }),
      ...(hasExample ? { examples: [example] } : {}),
      'x-sluice': factsOf(key),
    };
  }

  #value(shape: Shape, path: string, twin: Shape | null): JsonSchema {
    if (path === 'include') return FILES;
    const { keys, items, forms, minItems, isSingle } = shape;
    const isRecorded = keys !== null || items !== null || forms.length > 0;
    if (!isRecorded) {
      if (twin !== null) return this.#value(twin, path, null);
      throw new Error(
        `${path} has no value in the whole configuration: add one to test/unit/config/whole.ts`,
      );
    }
    const title = items?.what ?? '';
    const own = this.#alternatives(withoutList(shape), path, twin === null ? null : withoutList(twin));
    if (items === null) return byKind(own);
    const elements = titled(this.#alternatives(items, path, twin?.items ?? null), title);
    const define = (each: JsonSchema): JsonSchema => (isSingle ? this.#defined(each, path) : each);
    const element = byKind(elements.map(define));
    const list = {
      type: 'array',
      items: path === ROUTES ? includeOr(element) : element,
      ...(minItems > 0 ? { minItems } : {}),
    };
    return byKind([list, ...(isSingle ? titled(own, title) : own).map(define)]);
  }

  /** Moves a mapping into the definitions: the list and its only entry refer to it. */
  #defined(schema: JsonSchema, path: string): JsonSchema {
    if (schema.properties === undefined) return schema;
    let name = path;
    // Listeners of layer 4 have fewer keys.
    while (JSON.stringify(this.#elements.get(name) ?? schema) !== JSON.stringify(schema)) name += ':l4';
    this.#elements.set(name, schema);
    return reference(name);
  }

  /** Returns the forms of a value, except lists. */
  #alternatives(shape: Shape, path: string, twin: Shape | null): readonly JsonSchema[] {
    if (path === 'listeners') {
      return shape === this.#shapes.root.keys!.get(path) ? [] : [reference('listener')];
    }
    const { keys, items, forms, isRead } = shape;
    const structure = keys !== null ? 'mapping' : items !== null ? 'list' : null;
    return [
      ...(keys === null ? [] : [this.#mapping(shape, path, twin)]),
      ...alternativesOf(forms, structure, isRead),
    ];
  }
}

/** Gives a title to the mapping of an element of a list. Editors offer a mapping with its required keys by it. */
function titled(alternatives: readonly JsonSchema[], what: string): readonly JsonSchema[] {
  const title = what.replace(/^an? /, 'new ');
  return alternatives.map((each) => ('properties' in each && title !== '' ? { title, ...each } : each));
}

/** Returns the keywords for keys that a mapping needs. Another file may have the listeners. */
function requiredKeys(keys: readonly string[]): JsonSchema {
  if (keys.length === 0) return {};
  if (!keys.includes('listeners')) return { required: keys };
  // Without properties, which editors would offer twice.
  return { if: { required: ['include'] }, else: { required: keys } };
}

/** Returns the schema of an item: one with the key `include`, or another. */
function includeOr(item: JsonSchema): JsonSchema {
  const isInclude = { type: 'object', properties: { include: {} }, required: ['include'] };
  return { if: isInclude, then: INCLUDE, else: item };
}

/** Replaces the keys that a listener of layer 7 has with the same values. */
function withReferences(l4Listener: JsonSchema, l7Listener: JsonSchema): JsonSchema {
  const twins = l7Listener.properties as Readonly<Record<string, unknown>>;
  const properties = Object.entries(l4Listener.properties as object).map(([key, value]) => {
    const isSame = JSON.stringify(value) === JSON.stringify(twins[key]);
    return [key, isSame ? reference(`l7Listener/properties/${key}`) : (value as unknown)] as const;
  });
  return { ...l4Listener, properties: Object.fromEntries(properties) };
}

function reference(name: string): JsonSchema {
  return { $ref: `${DEFINITIONS}/${name}` };
}

/** Whether a value has mappings. Editors offer a default as text, and cannot write those. */
function isMapping(value: unknown): boolean {
  return Array.isArray(value) ? value.some(isMapping) : typeof value === 'object' && value !== null;
}

function guide(path: string): JsonSchema {
  const found = guideOf(path);
  return found === null ? {} : { guide: found };
}

/** Returns what `sluice explain` shows of a key besides its text. */
function factsOf(key: ConfigKey): JsonSchema {
  return {
    path: key.path,
    type: withoutCode(key.type),
    default: withoutCode(key.default),
    ...(key.layers.length === 0 ? {} : { layers: key.layers }),
    ...(key.engines === null ? {} : { engines: key.engines.replaceAll('`', '') }),
    ...(key.environment === null ? {} : { environment: key.environment }),
    ...guide(key.path),
    since: key.since,
  };
}
