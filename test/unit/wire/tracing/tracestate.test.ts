import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { readTracestate } from '../../../../src/wire/tracing/tracestate.ts';

function read(...values: readonly string[]): string {
  return readTracestate({ headers: values.flatMap((value) => ['tracestate', value]) });
}

const many = (count: number): string => Array.from({ length: count }, (_, index) => `k${index}=v`).join(',');

describe('tracestate', () => {
  it('is forwarded unchanged, except blanks around its members', () => {
    assert.equal(readTracestate({ headers: [] }), '');
    assert.equal(read('foo=1'), 'foo=1');
    assert.equal(read('foo=1 \t , \t bar=2, \t baz=3'), 'foo=1,bar=2,baz=3');
    assert.equal(read('foo=1,,bar=2,'), 'foo=1,bar=2');
    assert.equal(read(''), '');
    assert.equal(
      read('a/b*c_d-e=! "#$%&\'()*+-./:;<>?@[\\]^_`{|}~'),
      'a/b*c_d-e=! "#$%&\'()*+-./:;<>?@[\\]^_`{|}~',
    );
    assert.equal(read('1tenant@system=x y'), '1tenant@system=x y');
    assert.equal(read('foo=1,foo=2'), 'foo=1,foo=2');
  });

  it('is one list over all headers', () => {
    assert.equal(read('foo=1', 'bar=2', ''), 'foo=1,bar=2');
    assert.equal(read('foo=1', 'bar'), '');
  });

  it('allows up to 32 members and 512 characters', () => {
    assert.equal(read(many(32)), many(32));
    assert.equal(read(many(33)), '');
    assert.equal(read(many(17), many(16)), '');
    const full = `a=${'v'.repeat(256)},b=${'v'.repeat(251)}`;
    assert.equal(full.length, 512);
    assert.equal(read(full), full);
    assert.equal(read(`${full}v`), '');
  });

  it('is dropped whole if one member is invalid', () => {
    const wrong = [
      'foo',
      '=1',
      'foo=',
      'foo= ',
      'Foo=1',
      'foo=bar=baz',
      'foo =1',
      '@system=1',
      'tenant@=1',
      'a@b@c=1',
      '1foo=1',
      `${'k'.repeat(257)}=1`,
      `${'t'.repeat(242)}@s=1`,
      `t@${'s'.repeat(15)}=1`,
      `k=${'v'.repeat(257)}`,
      'k=v\u007f',
      'k=\u00e4',
      'k=a\tb',
    ];
    for (const value of wrong) {
      assert.equal(read(`good=1,${value}`), '', value);
    }
    assert.equal(read(`${'k'.repeat(256)}=1`), `${'k'.repeat(256)}=1`);
    assert.equal(read(`${'t'.repeat(241)}@${'s'.repeat(14)}=1`), `${'t'.repeat(241)}@${'s'.repeat(14)}=1`);
  });

  it('is a valid list or nothing for any input, and is stable when read again', () => {
    const near = fc.string({ unit: fc.constantFrom(...Array.from('ab=@,_-*/ \t1Z\u0001\u00ff')) });
    fc.assert(
      fc.property(fc.array(fc.oneof(near, fc.string())), (values) => {
        const text = read(...values);
        assert.ok(text.length <= 512);
        assert.match(text, /^[\x20-\x7e]*$/);
        assert.equal(read(text), text);
      }),
    );
  });
});
