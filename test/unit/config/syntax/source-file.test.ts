import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Path } from '../../../../src/config/syntax/source-file.ts';
import { SourceFile, parseValue } from '../../../../src/config/syntax/source-file.ts';

function at(text: string, path: Path, key = false): string {
  const { position, found, isShared } = new SourceFile(text).locate(path, key);
  return `${position.line}:${position.column}${found ? '' : ' around'}${isShared ? ' shared' : ''}`;
}

const TEXT = `# comment
log: { level: info }
listeners:
  - name: web
    tls:
      certificates:
        - cert: x
  - name: tcp
    empty:
`;

describe('source file', () => {
  it('reads mappings as Maps, and lists as arrays', () => {
    assert.deepEqual(new SourceFile('a: [1, {b: x}]').root, new Map([['a', [1, new Map([['b', 'x']])]]]));
    assert.equal(new SourceFile('').root, null);
    assert.deepEqual(new SourceFile('__proto__: 1').root, new Map([['__proto__', 1]]));
    assert.deepEqual(new SourceFile('1: a').root, new Map([['1', 'a']]));
  });

  it('reads JSON, indented with tabs too', () => {
    const { root, broken } = new SourceFile('{\n\t"a": [\n\t\t1\n\t]\n}\n');
    assert.equal(broken, null);
    assert.deepEqual(root, new Map([['a', [1]]]));
  });

  it('finds the place of a value', () => {
    assert.equal(at(TEXT, ['log', 'level']), '2:15');
    assert.equal(at(TEXT, ['listeners', 0, 'name']), '4:11');
    assert.equal(at(TEXT, ['listeners', 1]), '8:5');
    assert.equal(at(TEXT, ['listeners', 0, 'tls', 'certificates', 0, 'cert']), '7:17');
  });

  it('points at the key of a mapping, a list and an empty value', () => {
    assert.equal(at(TEXT, ['listeners', 0, 'tls']), '5:5');
    assert.equal(at(TEXT, ['listeners', 0, 'tls', 'certificates']), '6:7');
    assert.equal(at(TEXT, ['listeners', 1, 'empty']), '9:5');
  });

  it('finds places in a long text, however many', () => {
    const items = Array.from({ length: 2000 }, (_, index) => `  - name: c${index}\n    weight: ${index}\n`);
    const file = new SourceFile(`log: { level: info }\nclusters:\n${items.join('')}`);
    for (let index = 1000; index < 1040; index++) {
      const { position, found } = file.locate(['clusters', index, 'weight'], false);
      assert.deepEqual([position, found], [{ line: 4 + 2 * index, column: 13 }, true]);
    }
    assert.deepEqual(file.locate(['clusters', 2000], false).position, { line: 2, column: 1 });
  });

  it('finds the place of a key on request', () => {
    assert.equal(at(TEXT, ['log', 'level'], true), '2:8');
    assert.equal(at(TEXT, ['listeners', 0, 'name'], true), '4:5');
  });

  it('finds the place around a missing value', () => {
    assert.equal(at(TEXT, ['listeners', 1, 'address']), '8:5 around');
    assert.equal(at(TEXT, ['listeners', 7, 'address']), '3:1 around');
    assert.equal(at(TEXT, ['nothing', 'here']), '2:1 around');
    assert.equal(at('', ['nothing']), '1:1 around');
  });

  it('follows an alias to its anchor', () => {
    const text = 'a: &x\n  b: 1\nc: *x\n';
    assert.equal(at(text, ['c', 'b']), '2:6 shared');
    assert.equal(at(text, ['a', 'b']), '2:6');
    assert.equal(at(text, ['c']), '3:4');
    assert.deepEqual(
      new SourceFile('a: &x {b: 1}\nc: {<<: *x, d: 2}').root,
      new Map([
        ['a', new Map([['b', 1]])],
        [
          'c',
          new Map([
            ['b', 1],
            ['d', 2],
          ]),
        ],
      ]),
    );
  });

  it('follows a merge to the mapping that has the key', () => {
    const text = 'a: &x\n  k: 1\n  l: 2\nb: &y {<<: *x, l: 3}\nc: {<<: [{m: 4}, *y], n: 5, s: *x}\n';
    assert.equal(at(text, ['b', 'k']), '2:6 shared');
    assert.equal(at(text, ['b', 'l']), '4:19');
    assert.equal(at(text, ['c', 'k']), '2:6 shared');
    assert.equal(at(text, ['c', 'l'], true), '4:16 shared');
    assert.equal(at(text, ['c', 'm']), '5:14 shared');
    assert.equal(at(text, ['c', 'n']), '5:26');
    assert.equal(at(text, ['c', 's']), '5:32');
    assert.equal(at(text, ['c', 'o']), '5:1 around');
  });

  it('reports a syntax error with its place', () => {
    const cases = [
      ['a: [1\nb: 2', 2, 1],
      ['a: "x', 1, 6],
      ['\tworkers: 1', 1, 1],
      ['a: b: c', 1, 4],
      ['a: 1\n---\nb: 2', 2, 1],
      ['x: &a 1\ny: *b', 2, 4],
    ] as const;
    for (const [text, line, column] of cases) {
      const { broken, root } = new SourceFile(text);
      assert.deepEqual(broken?.position, { line, column }, text);
      assert.equal(root, null);
    }
  });

  it('explains what YAML reads in text without quotes', () => {
    const cases: readonly (readonly [string, number, string])[] = [
      ['a: *.example.com', 4, '*.example.com must be in quotes: without them, a star begins an alias'],
      ['a: [*.a.com, b]', 5, '*.a.com must be in quotes: without them, a star begins an alias'],
      ['a: {b: *-x.a.com}', 8, '*-x.a.com must be in quotes: without them, a star begins an alias'],
      ['a: *', 4, 'a star alone must be in quotes: without them, it begins an alias'],
      ['a: @x', 4, 'text that begins with "@" must be in quotes'],
      ['a: `x`', 4, 'text that begins with "`" must be in quotes'],
      ['a: [::1]:80', 9, 'an address that begins with "[" must be in quotes: without them, it is a list'],
      ['a: {b: ${C}}', 9, '${NAME} must be in quotes inside [ ] and { }: without them, { begins a mapping'],
      ['a: [${C:-d}]', 6, '${NAME} must be in quotes inside [ ] and { }: without them, { begins a mapping'],
      ['\ta: 1', 1, 'a tab indents this line: indent it by spaces'],
    ];
    for (const [text, column, message] of cases) {
      assert.deepEqual(new SourceFile(text).broken, { position: { line: 1, column }, message }, text);
    }
    assert.deepEqual(
      new SourceFile('a: :8080\nb: ${C}').root,
      new Map([
        ['a', ':8080'],
        ['b', '${C}'],
      ]),
    );
  });

  it('explains wrong indentation', () => {
    const item = 'this is no item of the list above it: write "- " before it, or check its indentation';
    const key =
      'a key cannot follow a value on its line: put a value with ": " in quotes, or begin a line for each key';
    const keys = 'the keys of a mapping have different indentation: indent them alike';
    const list = 'the indentation of this list fits nothing before it: indent it like its neighbours';
    const cases: readonly (readonly [string, number, number, string])[] = [
      ['a:\n  - b: 1\n    c: 2\n   d: 3\n', 4, 1, item],
      ['a: b: c\n', 1, 4, key],
      ['a:\n   b: 1\n  c: 2\n', 3, 1, keys],
      ['a:\n  - b: 1\n - c: 2\n', 3, 1, list],
    ];
    for (const [text, line, column, message] of cases) {
      assert.deepEqual(new SourceFile(text).broken, { position: { line, column }, message }, text);
    }
  });

  it('explains mistakes of JSON in its own words', () => {
    const comma = 'a comma is missing before this, or a quote behind the text before it';
    const open = 'a { before this is not closed: write a comma, or } at its end';
    const cases: readonly (readonly [string, number, string])[] = [
      ['{ "a": 1 "b": 2 }', 8, 'a comma is missing behind this: write one before the next key'],
      ['{ "a": "1" "b": "2" }', 12, comma],
      ['{ "a": "b, "c": 1 }', 13, comma],
      ['["a" "b"]', 6, 'a comma or colon is missing here'],
      ['{ "a": [ 1, 2 }', 15, 'a [ before this is not closed: write a comma, or ] at its end'],
      ['{ "a": 1', 9, open],
      ['{ "a": 1 ]', 10, open],
      ['{ "a": 1,, "b": 2 }', 10, 'there is no value before this comma: remove the comma'],
      ['{ "a": 1 }}', 11, 'this bracket closes nothing: remove it, or open it before'],
      ['{ "a": "b }', 12, 'a text has no " at its end'],
      ['{ "a": "\\x" }', 9, 'this is no escape: write \\\\ for a backslash'],
      ['a: "b" c', 8, 'the value before this is complete: put all of it in quotes, or check the indentation'],
    ];
    for (const [text, column, message] of cases) {
      assert.deepEqual(new SourceFile(text).broken, { position: { line: 1, column }, message }, text);
    }
  });

  it('explains a wrong alias and a second document', () => {
    assert.equal(new SourceFile('a: *x').broken?.message, '*x has no &x before it');
    assert.equal(
      new SourceFile('a: 1\n---\nb: 2').broken?.message,
      'a second document begins here: write one',
    );
  });

  it('finds keys that are set twice, and continues', () => {
    const { duplicates, broken, root } = new SourceFile('a: 1\nb:\n  "c d": 1\n  "c d": 2\na: 3\n');
    assert.equal(broken, null);
    assert.notEqual(root, null);
    assert.deepEqual(duplicates, [
      { position: { line: 4, column: 3 }, message: '"c d" is set twice here: keep one of them' },
      { position: { line: 5, column: 1 }, message: '"a" is set twice here: keep one of them' },
    ]);
  });

  it('warns of tags that mean nothing', () => {
    const [warning] = new SourceFile('a: !secret x').warnings;
    assert.deepEqual(warning?.position, { line: 1, column: 4 });
  });

  it('refuses unbounded growth', () => {
    const levels = Array.from({ length: 12 }, (_, index) => {
      const below = Array.from({ length: 9 }, () => `*a${index - 1}`).join(', ');
      return `a${index}: &a${index} [${index === 0 ? 'x' : below}]`;
    });
    assert.match(new SourceFile(levels.join('\n')).broken?.message ?? '', /alias/);
    assert.notEqual(new SourceFile('['.repeat(20_000)).broken, null);
  });

  it('accepts any text and any path without throwing', () => {
    fc.assert(
      fc.property(fc.string(), fc.array(fc.oneof(fc.nat(3), fc.string())), (text, path) => {
        const { position } = new SourceFile(text).locate(path, true);
        assert.ok(position.line >= 1 && position.column >= 1);
      }),
    );
  });

  it('reads a single value, as text if it is not YAML', () => {
    assert.equal(parseValue('5'), 5);
    assert.equal(parseValue('true'), true);
    assert.equal(parseValue('5s'), '5s');
    assert.equal(parseValue('127.0.0.1:80'), '127.0.0.1:80');
    assert.equal(parseValue('[::1]:80'), '[::1]:80');
    assert.equal(parseValue('*x'), '*x');
    assert.deepEqual(parseValue('{a: [1]}'), new Map([['a', [1]]]));
  });
});
