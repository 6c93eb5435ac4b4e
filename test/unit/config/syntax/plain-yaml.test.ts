import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { parseDocument } from 'yaml';
import { readPlainYaml } from '../../../../src/config/syntax/plain-yaml.ts';

/** Scalars of every kind, and texts that look like one. */
const SCALARS = [
  ...[
    '1',
    '-0',
    '+5',
    '.5',
    '1.',
    '1e3',
    '007',
    '99999999999999999999',
    '1_000',
    '0o14',
    '0x1f',
    '.inf',
    '.NaN',
  ],
  ...[
    'true',
    'False',
    'yes',
    'null',
    '~',
    '',
    'x',
    'a b',
    '"y"',
    "'it''s'",
    '"\\n\\u00e9"',
    '"1"',
    'é',
    'a\tb',
  ],
  ...[
    '10.0.0.1:80',
    '5s',
    '1:30',
    '::1',
    '[::1]:80',
    'http://x/y',
    '2001-01-01',
    'a#b',
    'a #c',
    'a,b',
    'a: b',
  ],
  ...['- x', '-', '--- ', '...', '@a', '`b', '%c', '&', '*', '!x', '? x', '[1', '{}', '[]', '"a":1', '"q" x'],
  ...['|\n  text\n  more', '>\n  text\n  more', 'x\n    y', '&a 1', '*a', '<<'],
];
const KEYS = [
  'k',
  'l',
  '1',
  '1.5',
  '"q r"',
  "'s'",
  'null',
  'true',
  'a b',
  '~',
  '__proto__',
  '0x1',
  '""',
  'toString',
  '<<',
];
const NOISE = ['\t', ' ', '\n', '#', '"', "'", ':', ',', '-', '\r', '\u00a0', '\ufeff', '---', '? '];

/** Values in flow style and in block style, some of them wrong. */
const document = fc.letrec<{ value: string }>((tie) => {
  const items = fc.array(tie('value'), { maxLength: 3 });
  const pairs = fc.array(fc.tuple(fc.constantFrom(...KEYS), tie('value')), { maxLength: 3 });
  const indented = (text: string): string => text.replaceAll('\n', '\n  ');
  return {
    value: fc.oneof(
      { maxDepth: 4 },
      fc.constantFrom(...SCALARS),
      items.map((texts) => `[${texts.join(', ')}]`),
      pairs.map((texts) => `{ ${texts.map(([key, text]) => `${key}: ${text}`).join(', ')} }`),
      items.map((texts) => texts.map((text) => `\n- ${indented(text)}`).join('')),
      pairs.map((texts) => texts.map(([key, text]) => `\n${key}: ${indented(text)}`).join('')),
    ),
  };
}).value;
const disturbed = fc
  .tuple(document, fc.nat(60), fc.constantFrom(...NOISE))
  .map(([text, at, noise]) => text.slice(0, at) + noise + text.slice(at));

describe('the fast reader of YAML', () => {
  it('has the values of the parser that knows places', () => {
    let read = 0;
    fc.assert(
      fc.property(fc.oneof(document, disturbed), (text) => {
        const value = readPlainYaml(text);
        if (value === undefined) return;
        const theirs = parseDocument(text, { stringKeys: true, merge: true, logLevel: 'silent' });
        if (theirs.errors.length > 0) return;
        read++;
        assert.deepEqual(value, theirs.toJS({ mapAsMap: true }) ?? null, inspect(text));
      }),
      { numRuns: 5000 },
    );
    assert.ok(read > 1000, `${read} texts`);
  });

  it('reads an ordinary configuration, in YAML and in JSON', () => {
    const value = new Map<string, unknown>([
      ['log', new Map([['level', 'info']])],
      [
        'clusters',
        [
          new Map<string, unknown>([
            ['name', 'a'],
            ['weight', 1],
            ['on', true],
            ['file', null],
          ]),
        ],
      ],
    ]);
    const yaml =
      "---\nlog: { level: info } # a comment\nclusters:\n  - name: 'a'\n    weight: 1\n    on: true\n    file:\n";
    assert.deepEqual(readPlainYaml(yaml), value);
    assert.deepEqual(
      readPlainYaml(
        '{\n\t"log": {"level":"info"},\n\t"clusters": [{"name":"a","weight":1,"on":true,"file":null}]\n}\n',
      ),
      value,
    );
    assert.equal(readPlainYaml(''), null);
    assert.equal(readPlainYaml('# nothing\n'), null);
  });

  for (const [what, text] of [
    ['an anchor', 'a: &x 1'],
    ['an alias', 'a: &x 1\nb: *x'],
    ['a tag', 'a: !!str 1'],
    ['a merge', 'a: { <<: { b: 1 } }'],
    ['a directive', '%YAML 1.2\n---\na: 1'],
    ['an explicit key', '? a\n: b'],
    ['a key that is a list', '[a]: b'],
    ['a key that is set twice', 'a: 1\na: 2'],
    ['a key that looks like an index', 'b: 1\n1: 2'],
    ['an empty key', '{ : 1 }'],
    ['an empty item', '-\n- 1'],
    ['a second document', 'a: 1\n---\nb: 2'],
    ['a number in another base', 'a: 0x10'],
    ['a mark of the byte order', '\ufeffa: 1'],
    ['a syntax error', 'a: [1'],
    ['deep nesting', '['.repeat(200) + ']'.repeat(200)],
  ] as const) {
    it(`leaves ${what} to the other parser`, () => assert.equal(readPlainYaml(text), undefined));
  }
});
