import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, it } from 'node:test';
import type { Path } from '../../../src/config/syntax/source-file.ts';
import { SourceFile } from '../../../src/config/syntax/source-file.ts';
import { errorsOf } from './load.ts';
import { clusterPath } from '../../../scripts/reference/cluster-paths.ts';
import { UNWRITTEN, WHOLE, WHOLE_FILES } from './whole.ts';

const EXAMPLE = join(resolve(import.meta.dirname, '../../..'), 'config/example.yaml');
/** No mapping has this key, nor one that is like it. */
const UNKNOWN = 'zzzzzzzzzzzzzzzzzzzzzzzz';
/** It is listed, and refused with what to write instead. */
const HINT = 'clusters.hashOn.source_ip';
/** Mappings whose keys are the user's own. */
const FREE = [
  'tracing.routes',
  'jwt.require',
  'jwt.forward',
  'match.headers',
  'match.query',
  'request.set',
  'request.add',
  'response.set',
  'response.add',
  'listeners.errorPages',
  'routes.errorPages',
];

/** Routes have these keys as listeners do. */
const SHARED = /^listeners\.routes\.(access|limits)\./;

describe('every key that the loader accepts', () => {
  const keys = knownKeys().filter((key) => key !== HINT);

  it('is in example.yaml, at its place', () => {
    const lines = readFileSync(EXAMPLE, 'utf8')
      .split('\n')
      .map((line) => line.replace(/^( *)# ?/, '$1'));
    const missing = keys.filter((key) => {
      const blocks = key
        .split('.')
        .reduce<readonly (readonly string[])[]>(
          (all, name) => all.flatMap((block) => blocksOf(block, name)),
          [lines],
        );
      return blocks.length === 0;
    });
    assert.deepEqual(missing, []);
  });

  it('is in the configuration of this test', () => {
    const present = mappingsIn(new SourceFile(WHOLE).root, []).flatMap(({ path, value }) =>
      [...value.keys()].map((key) => [...namesOf(path), key].join('.')),
    );
    assert.deepEqual(
      keys.filter((key) => !present.includes(key)),
      UNWRITTEN,
    );
  });
});

/**
 * Asks the loader for the keys of each mapping of {@link WHOLE}: it lists them when it refuses another.
 *
 * @returns the keys from the root to each, with dots between; indexes of lists are left out
 */
function knownKeys(): readonly string[] {
  const { root } = new SourceFile(WHOLE);
  const refusal = new RegExp(`unknown key "${UNKNOWN}" in .*: it has (.*)$`);
  const keys = mappingsIn(root, []).flatMap(({ path, value }) => {
    const names = namesOf(path);
    if (FREE.includes(names.slice(-2).join('.'))) return [];
    const errors = errorsOf(withKey(root, value), { files: WHOLE_FILES });
    const lists = errors.flatMap((error) => refusal.exec(error)?.[1] ?? []);
    assert.equal(lists.length, 1, `${path.join('.')}: ${errors.join(', ')}`);
    return lists[0]!.split(', ').map((key) => [...names, key].join('.').replace(SHARED, 'listeners.$1.'));
  });
  return [...new Set(keys)];
}

interface Place {
  readonly path: Path;
  readonly value: ReadonlyMap<string, unknown>;
}

function mappingsIn(value: unknown, path: Path): readonly Place[] {
  if (Array.isArray(value)) return value.flatMap((one, index) => mappingsIn(one, [...path, index]));
  if (!(value instanceof Map)) return [];
  const map = value as ReadonlyMap<string, unknown>;
  return [{ path, value: map }, ...[...map].flatMap(([key, below]) => mappingsIn(below, [...path, key]))];
}

function namesOf(path: Path): readonly string[] {
  return clusterPath([...path, ''])
    .slice(0, -1)
    .filter((step) => typeof step === 'string');
}

/** Writes a configuration in JSON in which one mapping has a key more. */
function withKey(root: unknown, mapping: ReadonlyMap<string, unknown>): string {
  return JSON.stringify(root, (_, value: unknown) => {
    if (!(value instanceof Map)) return value;
    return Object.fromEntries(value === mapping ? [...value, [UNKNOWN, 1]] : value) as unknown;
  });
}

/** Returns what belongs to each use of a key: the rest of its line, and the lines below that are further in. */
function blocksOf(block: readonly string[], key: string): readonly (readonly string[])[] {
  return block.flatMap((line, index) => {
    const start = new RegExp(`(?<![\\w.])${key}:(?= |$)`).exec(line)?.index;
    if (start === undefined) return [];
    const rest = [line.slice(start + key.length + 1)];
    // A key in braces has the rest of the line only.
    if (!/^[ -]*$/.test(line.slice(0, start))) return [rest];
    const below = block.slice(index + 1);
    const end = below.findIndex((other) => other.trim() !== '' && other.search(/\S/) <= start);
    return [[...rest, ...(end < 0 ? below : below.slice(0, end))]];
  });
}
