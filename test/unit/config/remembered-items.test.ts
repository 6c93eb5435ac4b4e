import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Config } from '../../../src/config/types/config.ts';
import type { L7Listener } from '../../../src/config/types/listener.ts';
import type { Route } from '../../../src/config/types/route.ts';
import { ConfigError } from '../../../src/core/errors.ts';
import { ItemMemory } from '../../../src/config/syntax/item-memory.ts';
import { errorsOf, load, type Extras } from './load.ts';

/** Enough for lists that are read in pieces of 16 KiB. */
const ITEMS = 250;
const OWNER_FILES = { 'blocks.txt': '192.0.2.0/24\n', secret: 'a secret of 32 characters, or so' };

/** Parts of a configuration with a listener that has many routes. */
interface Parts {
  readonly head: string;
  readonly routes: readonly string[];
  readonly clusters: readonly string[];
}

const PARTS: Parts = {
  head: '    address: 127.0.0.1:8080\n',
  routes: Array.from({ length: ITEMS }, (_, index) => {
    const match = `host: h${index}.example.com, pathPrefix: /a/path/of/some/length`;
    return `      - { name: r${index}, match: { ${match} }, cluster: c${index} }\n`;
  }),
  clusters: Array.from({ length: ITEMS }, (_, index) => {
    const endpoint = `      - { address: '127.0.0.1:${1000 + index}', weight: 1 }\n`;
    return `  - name: c${index}\n    # a cluster\n    endpoints:\n${endpoint}`;
  }),
};

function textOf({ head, routes, clusters }: Parts): string {
  const listener = `  - name: web\n    mode: l7\n${head}    routes:\n${routes.join('')}`;
  return `listeners:\n${listener}clusters:\n${clusters.join('')}`;
}

const ROUTES = [
  `      - { match: { path: /x }, cluster: c1 }\n`,
  `      - { name: x, match: { pathRegex: '/y.*' }, cluster: c1 }\n`,
  `      - { name: x, match: { path: /x }, respond: { body: hi } } # a comment\n`,
  `      - { name: x, match: {}, static: { root: . } }\n`,
  `      - name: x\n        match: { pathPrefix: //x }\n        cluster: c2\n`,
  `      - name: x\n        match: {}\n        access: { deny: [{ file: blocks.txt }] }\n        cluster: c3\n`,
  `      - { name: x, match: { path: /x }, cluster: c1, limits: [{ key: address, connections: 5 }] }\n`,
  `      - { name: x, match: { path: /x }, cluster: gone }\n`,
  `      - { name: x, match: { path: /x }, cluster: c4, access: off }\n`,
  `      - { name: x, match: { path: /x }, to: '127.0.0.1:7' }\n`,
  `      - 5\n`,
  `      - { name: x, match: { path: [/x }, cluster: c4 }\n`,
];
const CLUSTERS = [
  `  - { name: 127.0.0.1-7, endpoints: [{ address: '127.0.0.1:1' }] }\n`,
  `  - { name: x, endpoints: [{ address: '127.0.0.1:1' }] }\n`,
  `  - { name: x, sticky: { cookie: c, secretFile: secret }, endpoints: [{ address: '127.0.0.1:1' }] }\n`,
  `  - { name: x, tls: { serverName: a.example }, endpoints: [{ address: '127.0.0.1:1' }] }\n`,
  `  - { name: x, retry: 5, endpoints: [{ address: '127.0.0.1:1' }] }\n`,
  `  - &x { name: x, endpoints: [{ address: '127.0.0.1:1' }] }\n`,
  `  - name: c5\n    endpoints: []\n`,
];
const HEADS = [
  `    address: 127.0.0.1:8080\n`,
  `    address: 127.0.0.1:8080\n    paths: { mergeSlashes: true }\n`,
  `    address: 127.0.0.1:8080\n    access: { deny: [192.0.2.1] }\n`,
  `    address: 127.0.0.1:8080\n    access: { allow: [{ file: blocks.txt }] }\n`,
  `    address: nowhere\n`,
];

/** Changes a configuration: an item in the place of another, one less, two exchanged, other settings of the listener. */
const change = fc
  .record({
    kind: fc.constantFrom('replace', 'remove', 'exchange', 'head' as const),
    list: fc.constantFrom('routes', 'clusters' as const),
    at: fc.nat(ITEMS - 10),
    other: fc.nat(20),
  })
  .map(({ kind, list, at, other }) => (parts: Parts): Parts => {
    if (kind === 'head') return { ...parts, head: HEADS[other % HEADS.length]! };
    const items = [...parts[list]];
    const news = list === 'routes' ? ROUTES : CLUSTERS;
    if (kind === 'replace') items.splice(at, 1, news[other % news.length]!);
    if (kind === 'remove') items.splice(at, 1);
    if (kind === 'exchange') [items[at], items[other]] = [items[other]!, items[at]!];
    return { ...parts, [list]: items };
  });

/** Returns the configuration and its warnings, or the errors. */
function outcomeOf(text: string, extras: Extras): unknown {
  try {
    const { config, warnings, files } = load(text, extras);
    return { config, warnings, files };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems;
  }
}

const routesOf = ({ listeners }: Config): readonly Route[] => (listeners[0] as L7Listener).routes;

describe('a load that remembers the previous one', () => {
  it('gives the same configuration, warnings and errors as a full load, whatever has changed', () => {
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
        const memory = new ItemMemory();
        load(textOf(PARTS), { files: OWNER_FILES, memory });
        let parts = PARTS;
        for (const each of changes) {
          parts = each(parts);
          const text = textOf(parts);
          const whole = outcomeOf(text, {});
          assert.deepEqual(outcomeOf(text, { memory }), whole);
          // Mend the error before the next change.
          if (Array.isArray(whole)) parts = PARTS;
        }
      }),
      { numRuns: 25 },
    );
  });

  it('reuses the objects of items with the same text, wherever they are', () => {
    const memory = new ItemMemory();
    const { config } = load(textOf(PARTS), { memory });
    const routes = [ROUTES[2]!, ...PARTS.routes.toReversed()];
    const clusters = [...PARTS.clusters.slice(1), PARTS.clusters[0]!.replace('weight: 1', 'weight: 2')];
    const next = load(textOf({ ...PARTS, routes, clusters }), { memory }).config;
    assert.deepEqual(
      routesOf(next).map((route) => routesOf(config).indexOf(route)),
      [-1, ...PARTS.routes.map((_, index) => ITEMS - 1 - index)],
    );
    assert.deepEqual(
      next.clusters.map((cluster) => config.clusters.indexOf(cluster)),
      [...PARTS.clusters.slice(1).map((_, index) => index + 1), -1],
    );
  });

  it('reads items again if they depend on files, on the listener or on an override', () => {
    const memory = new ItemMemory();
    const clusters = [...PARTS.clusters, CLUSTERS[2]!];
    const routes = [...PARTS.routes, `      - { name: x, match: { path: /x }, cluster: x }\n`];
    const text = textOf({ ...PARTS, clusters, routes });
    const first = load(text, { files: OWNER_FILES, memory }).config;
    const secret = 'another secret of 32 characters.';
    const second = load(text, { files: { secret }, memory }).config;
    assert.notDeepEqual(second.clusters.at(-1), first.clusters.at(-1));
    assert.equal(second.clusters[0], first.clusters[0]);

    const open = textOf({ ...PARTS, clusters, routes, head: HEADS[2]! });
    const third = load(open, { memory }).config;
    assert.deepEqual(routesOf(third)[0]!.access?.deny, ['192.0.2.1']);

    const overrides = ['clusters.0.retries=7'];
    assert.equal(load(text, { memory, overrides }).config.clusters[0]!.retries, 7);
    assert.equal(load(text, { memory }).config.clusters[0]!.retries, 2);
  });

  it("shares one object of a listener's access settings between old and new routes", () => {
    const memory = new ItemMemory();
    const head = HEADS[3]!;
    const files = OWNER_FILES;
    const { config } = load(textOf({ ...PARTS, head }), { files, memory });
    const next = load(textOf({ ...PARTS, head, routes: [...PARTS.routes, ROUTES[2]!] }), { memory });
    const { access } = next.config.listeners[0]!;
    assert.equal(access, config.listeners[0]!.access);
    assert.deepEqual(new Set(routesOf(next.config).map((route) => route.access)), new Set([access]));
    assert.equal(next.blockLists.get(access!.allow!)?.length, 1);
  });

  it('keeps its memory after a failed load', () => {
    const memory = new ItemMemory();
    const { config } = load(textOf(PARTS), { memory });
    const broken = textOf({ ...PARTS, clusters: [...PARTS.clusters, CLUSTERS[4]!] });
    assert.equal(errorsOf(broken, { memory }).length, 1);
    assert.equal(load(textOf(PARTS), { memory }).config.clusters[7], config.clusters[7]);
  });
});
