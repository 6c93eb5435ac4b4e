import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parseStrictObject } from '../../../../../src/access/credentials/jwt/strict-json.ts';

const parse = (text: string): ReturnType<typeof parseStrictObject> => parseStrictObject(Buffer.from(text));

describe('strict JSON', () => {
  it('is parsed like JSON.parse', () => {
    const object = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 4 }));
    fc.assert(
      fc.property(object, fc.constantFrom(0, 2), (value, indent) => {
        const text = JSON.stringify(value, null, indent);
        const found = parse(text);
        assert.ok(typeof found === 'object');
        assert.equal(JSON.stringify(found), JSON.stringify(JSON.parse(text)));
      }),
    );
  });

  it('refuses a duplicate name in an object at any place and in any spelling', () => {
    for (const text of [
      '{"a":1,"a":1}',
      '{"a":1,"b":2,"\\u0061":1}',
      '{"b":[{"a":1},{"a":{},"a" : 2}]}',
      '{"":1,"":2}',
      '{"__proto__":1,"__proto__":2}',
      '{"a\\"":1, "a\\u0022":2}',
      '{"x":{"a":1},"a":1,"a":2}',
    ]) {
      assert.equal(parse(text), 'duplicated', text);
    }
  });

  it('accepts different names, and equal names in different objects', () => {
    for (const text of [
      '{"a":"a","b":"a"}',
      '{"a":{"a":{"a":1}}}',
      '{"a":[{"b":1},{"b":1}],"b":1}',
      '{"a":"\\"a\\":1,\\"a\\":2"}',
      '{"a":["b","b"],"A":1}',
    ]) {
      assert.equal(typeof parse(text), 'object', text);
    }
  });

  it('finds a duplicate inserted into any object', () => {
    const object = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 }), { minKeys: 1 });
    fc.assert(
      fc.property(object, fc.nat(), (value, pick) => {
        const names = Object.keys(value);
        const name = JSON.stringify(names[pick % names.length]);
        const text = JSON.stringify(value);
        assert.equal(parse(`{${name}:null,${text.slice(1)}`), 'duplicated');
        assert.equal(parse(`{"outer ":[${text.slice(0, -1)},${name}:0}]}`), 'duplicated');
      }),
    );
  });

  it('is an object with only its own members', () => {
    const found = parse('{"__proto__":{"admin":true},"constructor":1}');
    assert.ok(typeof found === 'object');
    assert.equal(Object.getPrototypeOf(found), null);
    assert.deepEqual(Object.keys(found), ['__proto__', 'constructor']);
    assert.equal(found.admin, undefined);
    assert.equal('toString' in found, false);
  });

  it('refuses lists, texts, numbers, deep structures and other encodings', () => {
    const deep = `{"a":${'['.repeat(16)}${']'.repeat(16)}}`;
    for (const text of [
      '',
      '[]',
      '"a"',
      '1',
      'null',
      '{',
      '{"a":1}x',
      '\ufeff{}',
      "{'a':1}",
      '{"a":NaN}',
      deep,
    ]) {
      assert.equal(parse(text), 'malformed', text);
    }
    assert.equal(parseStrictObject(Buffer.from('{"a":"\xff"}', 'latin1')), 'malformed');
    assert.equal(parseStrictObject(Buffer.from('{"a":1}', 'utf16le')), 'malformed');
  });

  it('never throws', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => void parseStrictObject(bytes)));
    const pieces = fc.constantFrom('{', '}', '[', ']', '"', ':', ',', '\\', 'a', '1', ' ', '\\u0061');
    fc.assert(fc.property(fc.array(pieces, { maxLength: 30 }), (text) => void parse(text.join(''))));
  });
});
