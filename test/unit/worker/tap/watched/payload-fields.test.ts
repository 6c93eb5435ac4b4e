import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { compileRedaction } from '../../../../../src/wire/redaction/redaction.ts';
import { payloadFields } from '../../../../../src/worker/tap/watched/payload-fields.ts';

function shown(
  payload: string | Uint8Array,
  {
    maxBytes = 4096,
    rules = [],
    isWhole = true,
  }: { maxBytes?: number; rules?: string[]; isWhole?: boolean } = {},
): unknown {
  const redaction = rules.length === 0 ? null : compileRedaction(rules);
  const fields = payloadFields({ bytes: Buffer.from(payload), isWhole }, { maxBytes, redaction });
  return JSON.parse(`{${fields.slice(1)}}`);
}

describe('a payload in a line', () => {
  it('is text if it is UTF-8, and base64 otherwise', () => {
    assert.deepEqual(shown('grüße "a"\n'), { text: 'grüße "a"\n' });
    assert.deepEqual(shown(''), { text: '' });
    assert.deepEqual(shown(Buffer.from([0xff, 0, 1])), { base64: '/wAB' });
  });

  it('is cut to whole characters', () => {
    for (const [maxBytes, text] of [
      [1, 'a'],
      [2, 'a'],
      [3, 'aü'],
      [4, 'aü'],
      [6, 'aü'],
      [7, 'aü😀'],
    ] as const) {
      assert.deepEqual(shown('aü😀b', { maxBytes }), { text, cut: true }, `to ${maxBytes}`);
    }
    assert.deepEqual(shown('abc', { maxBytes: 3 }), { text: 'abc' });
    assert.deepEqual(shown('abc', { isWhole: false }), { text: 'abc', cut: true });
    assert.deepEqual(shown(Buffer.from([0xff, 0xfe, 0xfd]), { maxBytes: 2 }), { base64: '//4=', cut: true });
  });

  it('contains the exact bytes if it is not cut', () => {
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array(), fc.string({ unit: 'binary' })), (payload) => {
        const bytes = Buffer.from(payload);
        const { text, base64 } = shown(bytes) as { text?: string; base64?: string };
        assert.deepEqual(text === undefined ? Buffer.from(base64!, 'base64') : Buffer.from(text), bytes);
      }),
    );
  });

  it('is the start of the text wherever it is cut', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1 }), fc.nat({ max: 60 }), (whole, maxBytes) => {
        const { text } = shown(whole, { maxBytes }) as { text?: string };
        assert.ok(text !== undefined && Buffer.from(whole).toString().startsWith(text));
      }),
    );
  });

  it('is redacted before it is cut', () => {
    const payload = '{"user":"alice","password":"secret"}';
    assert.deepEqual(shown(payload, { rules: ['$.password'], maxBytes: 31 }), {
      text: '{"user":"alice","password":"[re',
      cut: true,
      redacted: true,
    });
    assert.deepEqual(shown('nothing', { rules: ['$.password'] }), { text: 'nothing' });
    assert.deepEqual(shown(Buffer.from([0xff, 0x61, 0x62]), { rules: ['/ab/'] }), {
      base64: Buffer.from('\xff[redacted]', 'latin1').toString('base64'),
      redacted: true,
    });
  });

  it('is withheld if rules cannot see all of it', () => {
    assert.deepEqual(shown('abc', { rules: ['/x/'], isWhole: false }), { withheld: 'too_long' });
    assert.deepEqual(shown('x'.repeat(65_537), { rules: ['/y/'] }), { withheld: 'too_long' });
  });
});
