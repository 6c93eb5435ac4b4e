import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { readTraceparent, traceparentText } from '../../../../src/wire/tracing/traceparent.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';

describe('traceparent', () => {
  it('has a trace, a parent and a flag', () => {
    assert.deepEqual(readTraceparent(`00-${TRACE}-${SPAN}-01`), {
      traceId: TRACE,
      spanId: SPAN,
      isSampled: true,
    });
    assert.equal(readTraceparent(`00-${TRACE}-${SPAN}-00`)?.isSampled, false);
    assert.equal(readTraceparent(`00-${TRACE}-${SPAN}-fe`)?.isSampled, false);
    assert.equal(readTraceparent(`00-${TRACE}-${SPAN}-03`)?.isSampled, true);
  });

  it('may have a higher version with more parts', () => {
    for (const version of ['01', 'cc', 'fe']) {
      for (const more of ['', '-', '-what-the-future-brings', '-01']) {
        const found = readTraceparent(`${version}-${TRACE}-${SPAN}-01${more}`);
        assert.deepEqual(found, { traceId: TRACE, spanId: SPAN, isSampled: true }, version + more);
      }
      assert.equal(readTraceparent(`${version}-${TRACE}-${SPAN}-01.more`), null);
      assert.equal(readTraceparent(`${version}-${TRACE}-${SPAN}-010`), null);
    }
  });

  it('is ignored if any part is invalid', () => {
    const wrong = [
      '',
      `ff-${TRACE}-${SPAN}-01`,
      `00-${TRACE}-${SPAN}-01-`,
      `00-${TRACE}-${SPAN}-01-more`,
      `00-${'0'.repeat(32)}-${SPAN}-01`,
      `00-${TRACE}-${'0'.repeat(16)}-01`,
      `00-${TRACE.toUpperCase()}-${SPAN}-01`,
      `00-${TRACE}-${SPAN.toUpperCase()}-01`,
      `00-${TRACE}-${SPAN}-0A`,
      `0A-${TRACE}-${SPAN}-01`,
      `00-${TRACE}-${SPAN}-1`,
      `00-${TRACE}-${SPAN}`,
      `00-${TRACE.slice(1)}-${SPAN}-01`,
      `00-${TRACE}0-${SPAN}-01`,
      `00-${TRACE}-${SPAN}0-01`,
      `00-${TRACE}_${SPAN}_01`,
      `00-${TRACE}-${SPAN}-01 `,
      ` 00-${TRACE}-${SPAN}-01`,
      `00-${TRACE}-${SPAN}-01\n`,
      `01-${TRACE}-${SPAN}-01-\n`,
      `00-${TRACE}-${SPAN}-01, 00-${TRACE}-${SPAN}-01`,
    ];
    for (const value of wrong) assert.equal(readTraceparent(value), null, value);
  });

  it('is read as it was written', () => {
    const hex = (digits: number): fc.Arbitrary<string> =>
      fc.string({
        unit: fc.constantFrom(...Array.from('0123456789abcdef')),
        minLength: digits,
        maxLength: digits,
      });
    fc.assert(
      fc.property(hex(32), hex(16), fc.boolean(), (traceId, spanId, isSampled) => {
        fc.pre(/[^0]/.test(traceId) && /[^0]/.test(spanId));
        const parent = { traceId, spanId, isSampled };
        assert.deepEqual(readTraceparent(traceparentText(parent)), parent);
      }),
    );
  });

  it('is a whole parent or none, for any input', () => {
    const near = fc.string({
      unit: fc.constantFrom(...Array.from('0123456789abcdefABCDEF-, ')),
      minLength: 50,
      maxLength: 60,
    });
    fc.assert(
      fc.property(fc.oneof(near, fc.string()), (value) => {
        const found = readTraceparent(value);
        if (found === null) return;
        assert.match(found.traceId, /^(?!0{32})[\da-f]{32}$/);
        assert.match(found.spanId, /^(?!0{16})[\da-f]{16}$/);
      }),
    );
  });
});
