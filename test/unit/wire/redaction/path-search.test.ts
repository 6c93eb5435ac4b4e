import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { JSONPathEnvironment, type JSONValue } from 'json-p3';
import { JsonPathError } from '../../../../src/core/redaction/path-filter.ts';
import { parseJsonPath } from '../../../../src/core/redaction/json-path.ts';
import { TOO_DEEP, findJson, type JsonNode } from '../../../../src/wire/redaction/json-tree.ts';
import { PathSearch } from '../../../../src/wire/redaction/path-search.ts';

/** Returns the locations of what a path finds, in any order. */
function locationsOf(path: string, text: string): string[] {
  const json = findJson(text);
  assert.ok(json !== TOO_DEEP);
  const [root] = json.roots;
  if (root === undefined) return [];
  const places = new Map<JsonNode, string>();
  const place = (node: JsonNode, location: readonly (string | number)[]): void => {
    places.set(node, JSON.stringify(location));
    node.children?.forEach((child, index) => place(child, [...location, node.names?.[index] ?? index]));
  };
  place(root, []);
  const found = new PathSearch(root, text, { left: 1_000_000 }).find(parseJsonPath(path));
  return Array.from(found, (node) => places.get(node)!).sort();
}

function expectedOf(path: string, value: JSONValue): string[] {
  const environment = new JSONPathEnvironment();
  for (const name of ['match', 'search']) {
    const own = environment.functionRegister.get(name)!;
    // json-p3 makes a text of a list, and RFC 9535 section 2.4.6 has false for it.
    const call = (text: unknown, source: unknown): unknown =>
      typeof text === 'string' && own.call(text, source);
    environment.functionRegister.set(name, { argTypes: own.argTypes, returnType: own.returnType, call });
  }
  const { nodes } = environment.query(path, value);
  // A value that several selectors find is told several times.
  return [...new Set(nodes.map(({ location }) => JSON.stringify(location)))].sort();
}

describe('the search of a JSON path', () => {
  const name = fc.constantFrom('a', 'b', '', '\u00e9', 'x y', '"', '0');
  const scalar = fc.constantFrom<JSONValue>(null, true, 0, 1, -2.5, 'a', 'ab', '\n');
  const value = fc.letrec<{ value: JSONValue }>((tie) => ({
    value: fc.oneof(
      { depthSize: 'medium' },
      scalar,
      fc.array(tie('value'), { maxLength: 4 }),
      fc.dictionary(name, tie('value'), { maxKeys: 4, noNullPrototype: true }),
    ),
  })).value;
  const root = fc.oneof(
    fc.array(value, { maxLength: 4 }),
    fc.dictionary(name, value, { maxKeys: 4, noNullPrototype: true }),
  );
  const index = fc.integer({ min: -4, max: 4 });
  const part = fc.oneof(index.map(String), fc.constant(''));
  const query = fc.constantFrom('@', '@.a', '@[0]', "@['b'].a", '$.a', '@.*');
  const single = fc.constantFrom('@', '@.a', '@[0]', '$.a', 'length(@)', 'length(@.a)', 'count(@.*)');
  const comparison = fc
    .tuple(single, fc.constantFrom('==', '!=', '<', '>=', '<=', '>'), scalar)
    .map(([left, operator, right]) => `${left} ${operator} ${JSON.stringify(right)}`);
  const search = fc.constantFrom("match(@, 'a.')", "search(@.a, 'a')", "match(@.a, '[ab]+')");
  const test = fc.oneof(query, comparison, search);
  const filter = fc
    .tuple(test, fc.constantFrom('', '!'), fc.option(fc.tuple(fc.constantFrom('&&', '||'), test)))
    .map(([first, not, second]) => `?${not}(${first})${second === null ? '' : ` ${second[0]} ${second[1]}`}`);
  const selector = fc.oneof(
    name.map((text) => JSON.stringify(text)),
    index.map(String),
    fc
      .tuple(part, part, part)
      .map(([start, stop, step]) => `${start}:${stop}${step === '' ? '' : `:${step}`}`),
    fc.constant('*'),
    filter,
  );
  const segment = fc
    .tuple(fc.constantFrom('', '..'), fc.array(selector, { minLength: 1, maxLength: 3 }))
    .map(([dots, selectors]) => `${dots}[${selectors.join(',')}]`);
  const path = fc.array(segment, { maxLength: 4 }).map((segments) => `$${segments.join('')}`);

  it('finds what json-p3 finds in the value', () => {
    let compared = 0;
    fc.assert(
      fc.property(path, root, fc.constantFrom(0, 2), (source, json, indent) => {
        const text = JSON.stringify(json, null, indent);
        let found: string[];
        try {
          found = locationsOf(source, text);
        } catch (error) {
          assert.ok(error instanceof JsonPathError, String(error));
          return;
        }
        compared += 1;
        assert.deepEqual(found, expectedOf(source, JSON.parse(text) as JSONValue));
      }),
      { numRuns: 3000 },
    );
    assert.ok(compared > 1000, String(compared));
  });

  it('reports an exhausted budget', () => {
    const text = `[${'[1],'.repeat(100)}1]`;
    const json = findJson(text);
    assert.ok(json !== TOO_DEEP);
    for (const source of ['$..*', '$[*][*]', '$[?@[0] == 1]', '$[0:50]', '$..a']) {
      const steps = { left: 20 };
      new PathSearch(json.roots[0]!, text, steps).find(parseJsonPath(source));
      assert.ok(steps.left < 0, source);
    }
  });
});
