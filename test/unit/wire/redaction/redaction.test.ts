import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { compileRedaction } from '../../../../src/wire/redaction/redaction.ts';

function redact(rules: readonly string[], text: string): string | null {
  return compileRedaction(rules, () => 0).redactText(text);
}

describe('redaction by JSON path', () => {
  it('replaces the value and nothing else', () => {
    for (const [rule, text, expected] of [
      ['$.a', '{"a":1,"b":2}', '{"a":"[redacted]","b":2}'],
      ['$..password', '{ "x" : [ {"password" : "p\\"}w" } ] , "n": 9007199254740993.10 }', undefined],
      ['$.a', '{"a":{"b":[1,2]},"a":"twice"}', '{"a":"[redacted]","a":"[redacted]"}'],
      ['$.__proto__', '{"__proto__":{"a":1}}', '{"__proto__":"[redacted]"}'],
      ['$.a', '{"\\u0061":1}', '{"\\u0061":"[redacted]"}'],
      ["$['e\u0301']", '{"e\u0301":1,"\u00e9":2}', '{"e\u0301":"[redacted]","\u00e9":2}'],
      ['$[0]', '[1,2]', '["[redacted]",2]'],
      ['$[-1]', '[1,2]', '[1,"[redacted]"]'],
      ['$[::-2]', '[1,2,3]', '["[redacted]",2,"[redacted]"]'],
      ['$[1:]', '[1,2,3]', '[1,"[redacted]","[redacted]"]'],
      ['$[*].a', '[{"a":1},{"a":2}]', '[{"a":"[redacted]"},{"a":"[redacted]"}]'],
      ['$..a', '{"a":{"a":1}}', '{"a":"[redacted]"}'],
      ['$', ' {"a":1} ', ' "[redacted]" '],
      ["$..[?@.kind=='card'].number", '[{"kind":"card","number":4},{"kind":"x","number":5}]', undefined],
      ["$[?search(@.k,'^p.*d$')]", '[{"k":"pwd"},{"k":"p\\nd"}]', '["[redacted]",{"k":"p\\nd"}]'],
      ["$[?match(@,'a|b')]", '["a","ab"]', '["[redacted]","ab"]'],
      ['$[?@.a && $.on == true]', '{"on":true,"x":{"a":1}}', '{"on":true,"x":"[redacted]"}'],
      ['$[?length(@) == 3]', '["abc","\\u0061b"]', '["[redacted]","\\u0061b"]'],
    ] as const) {
      const wanted =
        expected ??
        (rule === '$..password'
          ? '{ "x" : [ {"password" : "[redacted]" } ] , "n": 9007199254740993.10 }'
          : '[{"kind":"card","number":"[redacted]"},{"kind":"x","number":5}]');
      assert.equal(redact([rule], text), wanted, rule);
    }
  });

  it('finds JSON after a prefix, in lines, in other text and among bytes', () => {
    assert.equal(
      redact(['$[1].to'], '42/chat,7["msg",{"to":"bob"}]'),
      '42/chat,7["msg",{"to":"[redacted]"}]',
    );
    assert.equal(redact(['$.a'], '{"a":1}\n{"a":2}\u001e'), '{"a":"[redacted]"}\n{"a":"[redacted]"}\u001e');
    assert.equal(redact(['$.a'], 'see [this] {"a":1}.'), 'see [this] {"a":"[redacted]"}.');
    const bytes = Buffer.concat([Buffer.from([0x30, 0xff, 0x00, 0x5b]), Buffer.from('topic{"a":"\u00e9"}')]);
    const redacted = compileRedaction(['$.a']).redactBytes(bytes);
    assert.deepEqual(redacted, Buffer.concat([bytes.subarray(0, 9), Buffer.from('{"a":"[redacted]"}')]));
  });

  it('redacts truncated JSON, and withholds malformed JSON that may hold a value', () => {
    for (const [text, expected] of [
      ['{"a":"secr', '{"a":"[redacted]"'],
      ['{"x":{"a":[1,2', '{"x":{"a":"[redacted]"'],
      ['{"b":NaN,"c":+1,"d":-Infinity,"a":.5}', '{"b":NaN,"c":+1,"d":-Infinity,"a":"[redacted]"}'],
      ['{"b":oops,"a":1}', null],
      ['{"b":1,/* */"a":1}', null],
      ['{a:1}', null],
      ['{b:1}', '{b:1}'],
      ['{"a":', '{"a":'],
      ['{"a"', '{"a"'],
      ['{"b":oops,"c":{"a":1}}', null],
      ['{"a":1 "b":2}', null],
      [`{"a":'secret'}`, null],
      ['{"a":/* */"secret"}', null],
      ['{"a":0x5ec3e7}', null],
      ['{"b":oops,"\\u0061":1}', null],
      ['{"b":oops,"c":"\\n"}', '{"b":oops,"c":"\\n"}'],
    ] as const) {
      assert.equal(redact(['$..a'], text), expected);
    }
  });

  it('withholds a list with a fault after its start', () => {
    assert.equal(redact(['$.a[*]'], '{"a":[1,/* */"secret"]}'), null);
  });

  it('withholds what would cost too much', () => {
    assert.equal(redact(['$..a'], '{"a":1}' + '['.repeat(1000)), null);
    assert.equal(redact(['$..a'], '['.repeat(1000)), '['.repeat(1000));
    const flat = `[${'1,'.repeat(32_000)}1]`;
    assert.equal(
      redact(
        Array.from({ length: 20 }, () => '$..[?@.a]'),
        flat,
      ),
      null,
    );
    assert.notEqual(redact(['$..*'], flat), null);
    assert.equal(redact([`$${'..*'.repeat(32)}`], `${'['.repeat(100)}1${']'.repeat(100)}`)?.length, 76);
  });
});

describe('redaction by expression', () => {
  it('replaces every match, in texts and bytes', () => {
    assert.equal(redact(['/[0-9]{4}/'], 'a 1234 b 567890123'), 'a [redacted] b [redacted][redacted]3');
    assert.equal(redact(['/SECRET\\w*/i'], 'secrets, Secret'), '[redacted], [redacted]');
    assert.equal(redact(['/^a/'], 'aa'), '[redacted]a');
    assert.equal(redact(['/\\bx*/'], '\u{1f600}b xx'), '\u{1f600}b [redacted]');
    const bytes = Buffer.from([0xff, 0x61, 0xe9, 0x00]);
    assert.deepEqual(
      compileRedaction(['/a\u00e9/']).redactBytes(bytes),
      Buffer.from('\u00ff[redacted]\0', 'latin1'),
    );
    assert.equal(compileRedaction(['/b/']).redactBytes(bytes), bytes);
  });

  it('withholds a text whose matches take too long', () => {
    let time = 0;
    const redaction = compileRedaction(['/a/'], () => (time += 10));
    assert.equal(redaction.redactText('aa'), '[redacted][redacted]');
    assert.equal(redaction.redactText('aaaaa'), null);
  });
});

describe('redaction', () => {
  const word = fc.constantFrom('a', 'b', 'secret', '__proto__', 'e\u0301', '"\\', '');
  const json = fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      fc.oneof(
        fc.string(),
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        fc.boolean(),
        fc.constant(null),
      ),
      fc.array(tie('value'), { maxLength: 4 }),
      fc.dictionary(word, tie('value'), { maxKeys: 4 }),
    ),
  })).value;

  it('removes every value that a rule selects, and changes nothing else', () => {
    const reviver = (key: string, value: unknown): unknown => (key === 'secret' ? '[redacted]' : value);
    fc.assert(
      fc.property(
        fc.oneof(fc.array(json), fc.dictionary(word, json)),
        fc.constantFrom('', '42', 'x,'),
        (value, prefix) => {
          const text = JSON.stringify(value, null, 1);
          const redacted = redact(['$..secret'], prefix + text) ?? '';
          assert.equal(redacted.slice(0, prefix.length), prefix);
          assert.deepEqual(JSON.parse(redacted.slice(prefix.length)), JSON.parse(text, reviver));
          assert.equal(redact(['$..nowhere', '/nowhere/'], text), text);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('accepts any text and any bytes', () => {
    const pieces = fc.array(
      fc.constantFrom('{', '}', '[', ']', '"', ':', ',', '1', 'a', '\\', ' ', '\ud800', '"a":'),
      { maxLength: 40 },
    );
    const redaction = compileRedaction(['$..a', '$[?@.a == 1]', '$[0]', '/aa/'], () => 0);
    fc.assert(
      fc.property(pieces, (all) => {
        redaction.redactText(all.join(''));
      }),
      { numRuns: 3000 },
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        redaction.redactBytes(bytes);
        assert.equal(compileRedaction([]).redactBytes(bytes), bytes);
      }),
    );
  });
});
