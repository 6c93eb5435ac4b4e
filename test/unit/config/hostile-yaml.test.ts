import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { parseDocument } from 'yaml';
import { loadConfig } from '../../../src/config/loader.ts';
import { readRegularFile } from '../../../src/config/syntax/files.ts';
import { SourceFile, parseValue } from '../../../src/config/syntax/source-file.ts';
import { ConfigError } from '../../../src/core/errors.ts';
import { errorsOf, routes, scratchDirectory } from './load.ts';

const lines = (count: number, write: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => `${write(index)}\n`).join('');

/** Texts of two megabytes at most that are refused, with the place and the message. */
const REFUSED: readonly (readonly [what: string, text: string, fault: string])[] = [
  [
    'aliases of scalars',
    `a: &x 1\nb:\n${lines(20_000, () => '  - *x')}`,
    '1003:5: more than 1000 aliases: write the values out, or share larger parts',
  ],
  ['aliases without anchors', `a:\n${lines(900, () => '  - *x')}`, '2:5: *x has no &x before it'],
  ['an alias in its own anchor', 'a: &x\n  b: *x\n', '2:6: *x is inside &x: write the value out'],
  [
    'aliases of aliases',
    lines(
      30,
      (index) => `a${index}: &a${index} [${index === 0 ? 'x, x' : `*a${index - 1}, *a${index - 1}`}]`,
    ),
    '17:11: aliases come to more than 500000 values: write fewer of them',
  ],
  [
    'merges of merges',
    `a: &x\n${lines(20_000, (index) => `  k${index}: 1`)}b:\n${lines(900, () => '  - { <<: *x }')}`,
    '20027:5: aliases come to more than 500000 values: write fewer of them',
  ],
  [
    'aliases that nest',
    lines(150, (index) => `a${index}: &a${index} [${index === 0 ? 'x' : `*a${index - 1}`}]`),
    '100:12: aliases nest more than 100 deep: write fewer of them',
  ],
  ['lists in lists', '['.repeat(500_000), '1:101: nested more than 100 deep: use fewer levels'],
  ['mappings in mappings', '{a: '.repeat(250_000), '1:401: nested more than 100 deep: use fewer levels'],
  [
    'blocks in blocks',
    lines(1400, (index) => `${' '.repeat(index)}a:`),
    '100:101: nested more than 100 deep: use fewer levels',
  ],
  ['dashes in a line', '- '.repeat(500_000), '1:201: nested more than 100 deep: use fewer levels'],
  ['question marks in a line', '? '.repeat(500_000), '1:201: nested more than 100 deep: use fewer levels'],
  [
    'commas',
    `[${','.repeat(1_000_000)}`,
    '1:1000001: more than 1000000 words, marks and spaces: leave out comments and defaults',
  ],
  ['commas, fewer', `[${','.repeat(100_000)}`, '1:3: there is no value before this comma: remove the comma'],
  [
    'values',
    lines(600_000, () => '-'),
    '500001:1: more than 1000000 words, marks and spaces: leave out comments and defaults',
  ],
];

const ALLOWED: readonly (readonly [what: string, text: string])[] = [
  ['keys', lines(30_000, (index) => `k${index}: 1`)],
  ['the same key', lines(30_000, () => 'k: 1')],
  ['anchors with aliases', lines(900, (index) => `a${index}: &x${index} 1\nb${index}: *x${index}`)],
  ['anchors', `a:\n${lines(30_000, (index) => `  - &x${index} 1`)}`],
  ['endpoints', `a:\n${lines(40_000, (index) => `  - address: 10.0.0.1:${index}\n    weight: 1`)}`],
  ['a long text', `a: "${'x\n  '.repeat(250_000)}"`],
  ['a long word', `a: ${'x'.repeat(1_000_000)}`],
  ['backslashes', `a: "${'\\\\'.repeat(500_000)}"`],
  ['line ends', '\n'.repeat(60_000)],
  ['comments', lines(600_000, () => '#')],
];

describe('a hostile configuration', () => {
  // Each would take a reader of quadratic time minutes, and one without bounds hours.
  for (const [what, text, fault] of REFUSED) {
    it(`is refused quickly for ${what}`, { timeout: 60_000 }, () => {
      const { broken, root } = new SourceFile(text);
      assert.equal(broken && `${broken.position.line}:${broken.position.column}: ${broken.message}`, fault);
      assert.equal(root, null);
      assert.equal(parseValue(text), text);
    });
  }

  for (const [what, text] of ALLOWED) {
    it(`is read quickly with many of these: ${what}`, { timeout: 60_000 }, () => {
      assert.equal(new SourceFile(text).broken, null);
    });
  }

  it('reports each key that is set twice, in linear time', { timeout: 60_000 }, () => {
    const text = lines(10_000, (index) => `"k${index}": 1`).repeat(2);
    const { duplicates } = new SourceFile(text);
    assert.equal(duplicates.length, 10_000);
    assert.deepEqual(duplicates[0], {
      position: { line: 10_001, column: 1 },
      message: '"k0" is set twice here: keep one of them',
    });
  });

  it('has messages of bounded length, whatever they quote', { timeout: 60_000 }, () => {
    const long = 'x'.repeat(1_000_000);
    for (const text of [`!${'!'.repeat(3_000_000)}`, `a: !${long} 1`, `a: *${long}`, `%${long}\n---\na: 1`]) {
      const { broken, warnings } = new SourceFile(text);
      const messages = [...(broken === null ? [] : [broken]), ...warnings].map(({ message }) => message);
      assert.ok(messages.length > 0);
      for (const message of messages) assert.ok(message.length <= 203, `${message.length} characters`);
    }
    const key = 'x'.repeat(1000);
    const [duplicate] = new SourceFile(`${key}: 1\n${key}: 2`).duplicates;
    assert.equal(duplicate?.message, `"${'x'.repeat(59)}... is set twice here: keep one of them`);
  });

  it('names the first hundred of its errors', { timeout: 60_000 }, () => {
    const errors = errorsOf(
      `${routes('{ match: {}, respond: {} }')}\n${lines(10_000, (index) => `unknown${index}: *`.replace('*', '1'))}`,
    );
    assert.equal(errors.length, 101);
    assert.match(errors[99] ?? '', /unknown key "unknown99"/);
    assert.match(errors[100] ?? '', /: 9900 more errors$/);
  });

  it('is read in time with as many routes as fit', { timeout: 60_000 }, () => {
    const many = Array.from(
      { length: 5000 },
      (_, index) => `{ match: { pathRegex: '^/${index}$' }, respond: {} }`,
    );
    assert.deepEqual(errorsOf(routes(...many)), []);
  });

  it("has the same values as the parser's own", () => {
    fc.assert(
      fc.property(document, (text) => {
        const theirs = parseDocument(text, { stringKeys: true, merge: true, logLevel: 'silent' });
        fc.pre(theirs.errors.length === 0);
        const { root, broken } = new SourceFile(text);
        let expected: unknown;
        try {
          expected = theirs.toJS({ mapAsMap: true });
        } catch {
          expected = undefined;
        }
        // Values that hold themselves are refused.
        if (expected === undefined || inspect(expected, { depth: 20 }).includes('[Circular')) {
          assert.notEqual(broken, null, text);
          return;
        }
        assert.equal(broken, null, text);
        assert.deepEqual(root, expected, text);
      }),
      { numRuns: 2000 },
    );
  });
});

/** Values with anchors, aliases and merges, most of them right. */
const document = fc.letrec<{ value: string }>((tie) => {
  const anchored = (value: fc.Arbitrary<string>): fc.Arbitrary<string> =>
    fc.tuple(fc.constantFrom('', '', '&a ', '&b '), value).map((parts) => parts.join(''));
  const pair = fc.oneof(
    { weight: 4, arbitrary: fc.tuple(fc.constantFrom('k', 'l', 'm', '1', '"<<"'), tie('value')) },
    {
      weight: 1,
      arbitrary: fc.tuple(fc.constant('<<'), fc.constantFrom('*a', '*b', '[*a, *b]', '{ k: 9 }')),
    },
  );
  return {
    value: fc.oneof(
      { maxDepth: 4 },
      anchored(fc.constantFrom('1', 'x', '"y"', 'true', 'null', '1.5', "''")),
      fc.constantFrom('*a', '*b'),
      anchored(fc.array(tie('value'), { maxLength: 3 }).map((items) => `[${items.join(', ')}]`)),
      anchored(
        fc
          .array(pair, { maxLength: 4 })
          .map((pairs) => `{ ${pairs.map(([key, value]) => `${key}: ${value}`).join(', ')} }`),
      ),
    ),
  };
}).value;

describe('a file of the configuration', () => {
  const directory = scratchDirectory();
  const source = (file: string): Parameters<typeof loadConfig>[0] => ({
    file,
    overrides: [],
    env: {},
    descriptorLimit: null,
  });

  it('must not be a device, a pipe or larger than 8 MiB', { timeout: 60_000 }, () => {
    const pipe = join(directory, 'pipe');
    execFileSync('mkfifo', [pipe]);
    const link = join(directory, 'link');
    symlinkSync('/dev/zero', link);
    const large = join(directory, 'large.yaml');
    writeFileSync(large, '#'.repeat(8 * 1024 * 1024 + 1));
    for (const [file, message] of [
      [pipe, 'is a pipe: write it to a file'],
      [link, 'is not a regular file'],
      [large, 'is larger than 8MiB'],
    ] as const) {
      assert.throws(
        () => loadConfig(source(file)),
        (error) => error instanceof ConfigError && error.message === `${file}: ${message}`,
      );
    }
  });

  it('is read if the system does not know its size', () => {
    assert.match(readRegularFile('/proc/self/status', 1024 * 1024).toString(), /^Name:/);
    assert.throws(() => readRegularFile('/proc/self/status', 16), /is larger than 16B/);
  });
});
