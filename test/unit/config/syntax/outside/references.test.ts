import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  BadReferenceError,
  escapeReferences,
  expandReferences,
} from '../../../../../src/config/syntax/outside/references.ts';

const ENV = { A: 'one', EMPTY: '', NESTED: '${A}', LONG: 'x'.repeat(100) };
const expand = (text: string): string => expandReferences(text, ENV, 1000);

describe('references to the environment', () => {
  it('are replaced wherever they are in a text', () => {
    assert.equal(expand('${A}'), 'one');
    assert.equal(expand('a ${A}${A}, ${A}.'), 'a oneone, one.');
  });

  it('take the default if the variable is missing or empty', () => {
    assert.equal(expand('${B:-two}'), 'two');
    assert.equal(expand('${EMPTY:-two}'), 'two');
    assert.equal(expand('${A:-two}'), 'one');
    assert.equal(expand('${B:-}'), '');
    assert.equal(expand('${B:-a:-b $ {}'), 'a:-b $ {');
    assert.equal(expand('[${EMPTY}]'), '[]');
  });

  it('are not looked for in values', () => assert.equal(expand('${NESTED}'), '${A}'));

  it('leave other dollar signs alone', () => {
    for (const text of ['^/a$', '\\d{2}$', '/api/$1', '$A', '$$', '{$}', '$ {A}', 'a$'])
      assert.equal(expand(text), text);
  });

  it('can be written as text', () => {
    assert.equal(expand('$${A}'), '${A}');
    assert.equal(expand('$$${A}'), '$${A}');
    assert.equal(expand('$${${A}'), '${one');
  });

  it('are refused with a remedy', () => {
    const cases = [
      ['${B}', 'the environment has no B: set it, or write ${B:-default}'],
      ['${constructor}', 'the environment has no constructor: set it, or write ${constructor:-default}'],
      [
        'a ${1x} b',
        '"${1x} b" is not a reference to the environment: write ${NAME} or ${NAME:-default}, or $${ for the text ${',
      ],
      [
        '${',
        '"${" is not a reference to the environment: write ${NAME} or ${NAME:-default}, or $${ for the text ${',
      ],
      [
        '${A',
        '"${A" is not a reference to the environment: write ${NAME} or ${NAME:-default}, or $${ for the text ${',
      ],
      [
        '${A:?b}',
        '"${A:?b}" is not a reference to the environment: write ${NAME} or ${NAME:-default}, or $${ for the text ${',
      ],
      ['${B:-${A}}', 'the default of ${B} has another reference: write a text without ${ and }'],
    ] as const;
    for (const [text, message] of cases) assert.throws(() => expand(text), new BadReferenceError(message));
  });

  it('cannot make a text longer than the limit', () => {
    assert.throws(() => expand('${LONG}'.repeat(11)), /too large/);
    assert.equal(expand('${LONG}'.repeat(10)).length, 1000);
  });

  it('give any text back that was escaped', () => {
    const unit = fc.constantFrom('$', '{', '}', 'A', ':-', 'é', '\n');
    fc.assert(fc.property(fc.string({ unit }), (text) => assert.equal(expand(escapeReferences(text)), text)));
  });

  it('give a text or a BadReferenceError, whatever is written', () => {
    const unit = fc.constantFrom('$', '${', '{', '}', 'A', 'B', ':-', ' ');
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 30 }), (text) => {
        try {
          assert.equal(typeof expand(text), 'string');
        } catch (error) {
          assert.ok(error instanceof BadReferenceError);
        }
      }),
    );
  });
});
