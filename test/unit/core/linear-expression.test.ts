import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { ExpressionError, LinearExpression, loadExpressions } from '../../../src/core/linear-expression.ts';

/** Expressions that take V8 practically unlimited time for the text. */
const HOSTILE: readonly (readonly [source: string, text: string])[] = [
  ['^/(?:[\\w-]+/?)+\\.html$', `/${'a'.repeat(60)}!`],
  ['^/(?:[\\w-]+/?)+\\.html$', `/${'a'.repeat(8000)}!.html?`],
  ['/.*/.*/.*/.*/end$', '/'.repeat(400)],
  ['/.*/.*/.*/.*/end$', `/end${'/'.repeat(8000)}`],
  ['^/(a|a)*$', `/${'a'.repeat(8000)}!`],
  ['^/(?:a?){200}a{200}$', `/${'a'.repeat(300)}b`],
];

/** Sources with the same meaning in V8 and in RE2. */
const source = fc.letrec<{ source: string }>((tie) => ({
  source: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.constantFrom(
      'a',
      'b',
      '/',
      '-',
      '\\.',
      '.',
      '[ab]',
      '[^a/]',
      '[a-c-]',
      '\\d',
      '\\w',
      '\\W',
      '\\S',
      '\\b',
      '^',
      '$',
    ),
    fc.tuple(tie('source'), tie('source')).map((parts) => parts.join('')),
    fc.tuple(tie('source'), tie('source')).map((parts) => `(?:${parts.join('|')})`),
    tie('source').map((inner) => `(${inner})`),
    // A repetition of nothing empties groups in V8 that keep their text in RE2, so repeat one character only.
    fc
      .tuple(
        fc.constantFrom('a', 'b', '/', '.', '[ab]', '\\w', '\\d'),
        fc.constantFrom('*', '+', '?', '*?', '+?', '??', '{2}', '{1,3}', '{0,2}', '{2,}'),
      )
      .map((parts) => parts.join('')),
  ),
})).source;
const text = fc
  .array(fc.constantFrom('a', 'b', 'c', '/', '-', '.', '0', '%'), { maxLength: 12 })
  .map((characters) => characters.join(''));

// The first: nothing else of this process may have made an expression.
describe('the library of expressions', () => {
  it('is loaded in steps, once', async () => {
    let turns = 0;
    const nextTurn = (): Promise<void> => {
      turns++;
      return Promise.resolve();
    };
    await loadExpressions(nextTurn);
    assert.equal(turns, 3);
    assert.equal(new LinearExpression('^/a').test('/a'), true);
    await loadExpressions(nextTurn);
    assert.equal(turns, 3);
  });
});

describe('LinearExpression', () => {
  it('is fast for patterns that freeze a backtracking engine', () => {
    const start = performance.now();
    for (const [source, text] of HOSTILE) {
      const expression = new LinearExpression(source);
      assert.equal(expression.test(text), false, source);
      assert.equal(expression.groups(text), null, source);
    }
    assert.ok(performance.now() - start < 10_000);
  });

  it('finds what V8 finds, including groups', () => {
    fc.assert(
      fc.property(source, fc.array(text, { minLength: 1, maxLength: 8 }), (source, texts) => {
        const ours = new LinearExpression(source);
        const theirs = new RegExp(source);
        for (const text of texts) {
          const match = theirs.exec(text);
          assert.equal(ours.test(text), match !== null, `${source} on ${text}`);
          const groups =
            match === null ? null : match.slice(1).map((group: string | undefined) => group ?? '');
          assert.deepEqual(ours.groups(text), groups, `${source} on ${text}`);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('is neither anchored nor case-insensitive unless it says so', () => {
    assert.equal(new LinearExpression('b').test('abc'), true);
    assert.equal(new LinearExpression('^b').test('abc'), false);
    assert.equal(new LinearExpression('B').test('abc'), false);
    assert.equal(new LinearExpression('(?i)B').test('abc'), true);
    assert.equal(new LinearExpression('c$').test('abc\n'), false);
    assert.deepEqual(new LinearExpression('(?<first>a)(?P<second>x)?').groups('ab'), ['a', '']);
  });

  it('knows its groups', () => {
    assert.equal(new LinearExpression('a(?:b)').groupCount, 0);
    assert.equal(new LinearExpression('(a)(b(?<c>c))').groupCount, 3);
    assert.equal(new LinearExpression('\\(a[(]').groupCount, 0);
  });

  it('accepts up to 1,000 instructions', () => {
    assert.equal(new LinearExpression('a{998}').test('a'.repeat(998)), true);
    for (const source of ['a{999}', 'a{500}b{500}', '(?:a?){500}', '[ab]{1000}', 'a'.repeat(2049)]) {
      assert.throws(() => new LinearExpression(source), ExpressionError, source);
    }
  });

  it('keeps at most 1 MiB of states, for any texts', () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const expressions = Array.from({ length: 3 }, () => new LinearExpression('[ab]*a[ab]{900}c'));
    collect();
    const before = process.memoryUsage().heapUsed;
    for (const expression of expressions) {
      for (let round = 0; round < 2; round++) {
        let text = 'c';
        // Each window of 900 characters is another set of states. The numbers repeat after a million steps.
        for (let seed = round + 1; text.length < 4000; seed = (seed * 48271) % 0x7fffffff)
          text += seed & 1 ? 'a' : 'b';
        assert.equal(expression.test(text), false);
      }
    }
    collect();
    const grown = process.memoryUsage().heapUsed - before;
    assert.ok(grown < 8 * 1024 * 1024, `grown by ${grown} bytes`);
    assert.equal(expressions.length, 3);
  });

  it('replaces every non-empty match until it is stopped', () => {
    const always = (): boolean => true;
    for (const [source, text, expected] of [
      ['b+', 'abbab', 'a-a-'],
      ['^a', 'aa', '-a'],
      ['x*', 'axb', 'a-b'],
      ['\\bx*', '\u{1f600}b xx', '\u{1f600}b -'],
      ['[^a]', 'a\u{1f600}a', 'a-a'],
    ] as const) {
      assert.equal(new LinearExpression(source).replaceAll(text, '-', always), expected);
    }
    const unchanged = 'cc';
    assert.equal(new LinearExpression('b').replaceAll(unchanged, '-', always), unchanged);
    let searches = 0;
    assert.equal(
      new LinearExpression('b').replaceAll('bbb', '-', () => ++searches < 3),
      null,
    );
  });
});
