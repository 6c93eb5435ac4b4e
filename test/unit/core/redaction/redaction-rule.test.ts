import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { RuleError, parseRedactionRule } from '../../../../src/core/redaction/redaction-rule.ts';

function faultOf(rule: string): string {
  try {
    parseRedactionRule(rule);
    return '';
  } catch (error) {
    assert.ok(error instanceof RuleError);
    return error.message;
  }
}

describe('a rule of redaction', () => {
  it('is a JSON path, or an expression between slashes', () => {
    assert.deepEqual(parseRedactionRule("$.a..['b',0,*,1:2]"), {
      kind: 'path',
      segments: [
        { isDescendant: false, selectors: [{ kind: 'name', name: 'a' }] },
        {
          isDescendant: true,
          selectors: [
            { kind: 'name', name: 'b' },
            { kind: 'index', index: 0 },
            { kind: 'wildcard' },
            { kind: 'slice', start: 1, stop: 2, step: 1 },
          ],
        },
      ],
    });
    const rule = parseRedactionRule('/a\\/b/i');
    assert.ok(rule.kind === 'expression' && rule.expression.test('xA/Bx'));
  });

  it('is refused with one line that names the remedy', () => {
    for (const [rule, fault] of [
      ['', /write a JSON path such as/],
      ['password', /write a JSON path such as/],
      ['/a/g', /write a JSON path such as/],
      ['//', /write a JSON path such as/],
      ['/a*/', /matches the empty text/],
      ['/(?=a)/', /^invalid expression: lookaround/],
      [`/${'a'.repeat(2000)}/`, /2002 characters exceed the max of 1024/],
      ['$.', /^invalid JSON path: .*: write a JSON path of RFC 9535/],
      ['$.a\u0007', /at character 4: write/],
      ['$[?unknown(@.a)]', /no such function 'unknown'/],
      [`$${'.a'.repeat(33)}`, /33 segments or 33 selectors exceed the max of 32 or 64/],
    ] as const) {
      const found = faultOf(rule);
      assert.match(found, fault);
      assert.match(found, /^[\x20-\x7e]+$/);
    }
  });

  it('refuses a filter that a sender could slow down', () => {
    for (const filter of [
      '@..a',
      '@[?@.a]',
      '@.*.*',
      '$.*',
      "@['a','b']",
      '@.a == @.b',
      '@ == $',
      'value(@.a) == @.b',
    ]) {
      assert.match(faultOf(`$[?${filter}]`), /a filter /, filter);
    }
    assert.match(faultOf('$[?search(@.a, @.b)]'), /comes from the message/);
    assert.match(faultOf(`$[?search(@.a, '(a)\\\\1')]`), /invalid expression of search\(\): a backreference/);
    const nine = Array.from({ length: 9 }, (_, index) => `match(@.a, '${index}')`).join(' || ');
    assert.match(faultOf(`$[?${nine}]`), /more than 8 expressions/);
    for (const filter of [
      '@.a',
      '!@.a',
      "@.a == 'x' && $.kind == 1",
      'length(@.a) > count(@.*)',
      "match(@.a, 'a.*')",
    ]) {
      assert.equal(faultOf(`$[?${filter}]`), '', filter);
    }
  });

  it('throws nothing else, for any text', () => {
    const pieces = fc.constantFrom(
      '$',
      '.',
      '..',
      '[',
      ']',
      '?',
      '@',
      '(',
      ')',
      "'",
      '*',
      ':',
      '1',
      'a',
      '==',
      '&&',
      ' ',
      '/',
      '\\',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(pieces, { maxLength: 30 }).map((all) => `$${all.join('')}`),
        ),
        (text) => {
          faultOf(text);
        },
      ),
      { numRuns: 2000 },
    );
  });
});
