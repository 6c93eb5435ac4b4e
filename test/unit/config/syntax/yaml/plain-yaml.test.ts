import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { parseDocument } from 'yaml';
import { doSteps } from '../../../../../src/core/timing/steps.ts';
import { readPlainYaml } from '../../../../../src/config/syntax/yaml/plain-yaml.ts';

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

/** Characters of a piece: the texts of the tests are short. */
const PIECES = fc.constantFrom(1, 8, 20, 10_000);

const read = (text: string, size?: number): unknown => doSteps(readPlainYaml(text, null, size));

describe('the fast reader of YAML', () => {
  it('gives the same values as the parser with positions', () => {
    let read = 0;
    fc.assert(
      fc.property(fc.oneof(document, disturbed), PIECES, (text, size) => {
        const value = doSteps(readPlainYaml(text, null, size));
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
    assert.deepEqual(read(yaml), value);
    assert.deepEqual(
      read(
        '{\n\t"log": {"level":"info"},\n\t"clusters": [{"name":"a","weight":1,"on":true,"file":null}]\n}\n',
      ),
      value,
    );
    assert.equal(read(''), null);
    assert.equal(read('# nothing\n'), null);
  });

  it('reads a long text in pieces with the same result', () => {
    const routes = Array.from({ length: 40 }, (_, index) => `      - { name: r${index}, cluster: c }\n`).join(
      '',
    );
    const text = [
      '# of a generator\nworkers: { l7: 2,\n  l4: 1 }\n',
      `listeners:\n  - name: web # the first\n    mode: l7\n\n    routes:\n${routes}    via: true\n`,
      '  - name: other\n    routes:\n    - { name: r }\n# between\n    - name: s\n      text: |\n        a: 1\n       \n        - b\n',
      `clusters: # many\n${'- name: c\n  endpoints:\n  - { address: a }\n'.repeat(20)}log:\n  level: info\n`,
    ].join('');
    const whole = parseDocument(text).toJS({ mapAsMap: true }) as unknown;
    for (const size of [1, 16, 64, 200, 1000]) {
      assert.deepEqual(read(text, size), whole, `pieces of ${size}`);
      let steps = 0;
      const reading = readPlainYaml(text, null, size);
      while (reading.next().done !== true) steps++;
      assert.ok(steps > text.length / (2 * Math.max(size, 100)), `${steps} steps for pieces of ${size}`);
    }
  });

  it('reads a text with comments that look like aliases, tags or merges', () => {
    const text = '# all of *.example.com & !more\r\na: b # see (R &D), *x and <<: *y\n  # ? really !\nc: d\n';
    assert.deepEqual(
      read(text),
      new Map([
        ['a', 'b'],
        ['c', 'd'],
      ]),
    );
  });

  it('does not mistake a comment for the following key or item', () => {
    const text = [
      '# The file of:\nlisteners: # all\n# - name: old\n',
      '  - name: web\n    routes:\n      # - r:\n      - { name: r }\n',
      '\n  #- name: a\n  # - name: b\n  -\n    # routes:\n    routes:\n      - { name: s }\n',
    ].join('');
    const whole = parseDocument(text).toJS({ mapAsMap: true }) as unknown;
    for (let size = 1; size < text.length; size++) {
      assert.deepEqual(read(text, size), whole, `pieces of ${size}`);
    }
  });

  it('reads a text after millions of empty lines, in steps', () => {
    const reading = readPlainYaml(`${'\n'.repeat(4_000_000)}a: 1`);
    let steps = 0;
    for (let next = reading.next(); ; next = reading.next(), steps++) {
      if (next.done !== true) continue;
      assert.deepEqual(next.value, new Map([['a', 1]]));
      break;
    }
    assert.ok(steps > 2000, `${steps} steps`);
  });

  it('leaves a text to the other parser if distant pieces set a key twice', () => {
    const text = `a: 1\nb: 1\nc:\n${'  - 1\n'.repeat(50)}a: 2\n`;
    assert.equal(read(text, 10), undefined);
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
    ['a list that ends too far to the left', 'a:\n  b: [\n    1\n]'],
    ['a quoted text that continues too far to the left', "a:\n  b: 'x\n\ny'"],
    ['a comment right after a quoted text', "a: 'x'# c"],
    ['a tab in front', '\ta: 1'],
    ['a tab in front, behind the mark of a document', '---\n\t='],
    ['a line of tabs in a block text', 'a: |\n  b\n\t\nc: d'],
    ['a mapping as a key', '{ a: 1 }:'],
    ['a comment in a quoted text', "a: 'b # &c'"],
    ['an alias behind a quoted text with a number sign', '{ a: "b #c", d: *e }'],
    ['a tab in front, behind comments', '---\r\n# a\n\n \t='],
    ['a lone exclamation mark', 'a: ! '],
    ['a syntax error', 'a: [1'],
    ['deep nesting', '['.repeat(200) + ']'.repeat(200)],
  ] as const) {
    it(`leaves ${what} to the other parser`, () => assert.equal(read(text), undefined));
  }
});
