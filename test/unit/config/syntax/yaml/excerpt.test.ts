import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LineCounter, isNode, parseDocument } from 'yaml';
import { excerptOf } from '../../../../../src/config/syntax/yaml/excerpt.ts';

type Path = readonly (string | number)[];

const TEXT = [
  '# of:\nworkers: { l7: 2,\n  l4: 1 }\nlisteners: # many\n# - name: old\n',
  '  - name: web # one\n    routes:\n      # - the first:\n',
  ...Array.from({ length: 9 }, (_, index) => `      - { name: r${index},\n          match: {} }\n\n`),
  '    via: true\n  - routes:\n    - name: s\n      text: |\n        a: 1\n       \n        - b\n\n    - t\n',
  'clusters:\n- name: c\n  endpoints:\n  - { address: a }\n  - address: b\r\n- - x\n  - y\nlog:\n  level: info',
].join('');

/** Returns the line and column of a value; null if there is none. */
function placeOf(text: string, path: Path): unknown {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter });
  assert.deepEqual(document.errors, []);
  const node = document.getIn(path, true);
  return isNode(node) ? lineCounter.linePos(node.range![0]) : null;
}

/** Lists the paths of all values, and for each list that of an item which it lacks. */
function pathsOf(value: unknown, path: Path = []): Path[] {
  const entries: readonly (readonly [string | number, unknown])[] = Array.isArray(value)
    ? [...value.entries(), [value.length, null]]
    : value instanceof Map
      ? [...(value as Map<string, unknown>), ['missing', null]]
      : [];
  return [path, ...entries.flatMap(([step, below]) => pathsOf(below, [...path, step]))];
}

describe('an excerpt', () => {
  it('keeps the position of each value, whatever is left out', () => {
    const paths = pathsOf(parseDocument(TEXT).toJS({ mapAsMap: true }));
    assert.ok(paths.length > 80);
    for (const size of [1, 8, 30, 60, 100, 200, 400, TEXT.length]) {
      for (const path of paths) {
        const excerpt = excerptOf(TEXT, path, size);
        assert.deepEqual(
          placeOf(excerpt.text, excerpt.path),
          placeOf(TEXT, path),
          `${path.join('.')} with ${size}:\n${excerpt.text}`,
        );
      }
    }
  });

  it('keeps only the list items that lead to the value', () => {
    const { text, path } = excerptOf(TEXT, ['listeners', 0, 'routes', 7, 'name'], 20);
    assert.deepEqual(path, ['listeners', 0, 'routes', 0, 'name']);
    assert.match(text, /r7/);
    assert.doesNotMatch(text, /r6|r8|name: s|address: b/);
    assert.equal(text.split('\n').length, TEXT.split('\n').length);
  });

  it('is the whole text if it is short or not a block', () => {
    for (const text of ['a: 1\n', `{ "a": [${'1, '.repeat(20_000)}1] }`]) {
      assert.deepEqual(excerptOf(text, ['a']), { text, path: ['a'] });
    }
  });
});
