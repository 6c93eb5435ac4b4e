import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FamilyText, labelText } from '../../../../src/telemetry/exposition/family-text.ts';

function textOf(format: 'text' | 'openMetrics', changes: object = {}): FamilyText {
  return new FamilyText({ name: 'a_total', help: 'What a is', kind: 'counter', ...changes }, format);
}

describe('the head of a family', () => {
  it('has the suffix of counters in the text format only', () => {
    assert.equal(textOf('text').head, '# HELP a_total What a is\n# TYPE a_total counter\n');
    assert.equal(textOf('openMetrics').head, '# HELP a What a is\n# TYPE a counter\n');
    assert.match(textOf('openMetrics', { kind: 'gauge' }).head, /^# HELP a_total /);
  });

  it('escapes its help as its format requires', () => {
    const help = 'one\ntwo \\ "three"';
    assert.match(textOf('text', { help }).head, /^# HELP a_total one\\ntwo \\\\ "three"\n#/);
    assert.match(textOf('openMetrics', { help }).head, /^# HELP a one\\ntwo \\\\ \\"three\\"\n#/);
  });
});

describe('a sample', () => {
  it('has the suffix of counters in both formats', () => {
    for (const format of ['text', 'openMetrics'] as const) {
      assert.equal(textOf(format).line('b="c"', 5), 'a_total{b="c"} 5\n');
      assert.equal(textOf(format).line('', 0.25), 'a_total 0.25\n');
    }
  });

  it('writes infinity as Go does, and omits NaN', () => {
    const text = textOf('text');
    const lines = [Infinity, -Infinity, NaN, 1e22, 1e-9, -0].map((value) => text.line('', value));
    assert.deepEqual(lines, [
      'a_total +Inf\n',
      'a_total -Inf\n',
      '',
      'a_total 1e+22\n',
      'a_total 1e-9\n',
      'a_total 0\n',
    ]);
  });
});

describe('labels', () => {
  it('escape backslashes, quotes and line breaks, and nothing else', () => {
    assert.equal(
      labelText({ a: '\\', b: 'say "hi"', c: 'one\ntwo', d: 'é {x="y",} \t' }),
      'a="\\\\",b="say \\"hi\\"",c="one\\ntwo",d="é {x="y",} \t"'.replace('{x="y",}', '{x=\\"y\\",}'),
    );
  });

  it('may be numbers, empty or absent', () => {
    assert.equal(labelText({ le: 0.5, empty: '' }), 'le="0.5",empty=""');
    assert.equal(labelText({}), '');
  });
});

describe('a histogram', () => {
  it('adds up its buckets, and ends with sum and count', () => {
    const text = textOf('text', { name: 'h', kind: 'histogram' });
    assert.deepEqual(text.histogram('a="b"', [0.5, 2], [3, 0, 4], 17.5).split('\n'), [
      'h_bucket{a="b",le="0.5"} 3',
      'h_bucket{a="b",le="2"} 3',
      'h_bucket{a="b",le="+Inf"} 7',
      'h_sum{a="b"} 17.5',
      'h_count{a="b"} 7',
      '',
    ]);
  });

  it('writes bounds as floats in OpenMetrics', () => {
    const text = textOf('openMetrics', { name: 'h', kind: 'histogram' });
    assert.deepEqual(text.histogram('', [0.5, 2], [1, 1, 1], 9).split('\n'), [
      'h_bucket{le="0.5"} 1',
      'h_bucket{le="2.0"} 2',
      'h_bucket{le="+Inf"} 3',
      'h_sum 9',
      'h_count 3',
      '',
    ]);
  });

  it('has exemplars after the values of its buckets', () => {
    const text = textOf('openMetrics', { name: 'h', kind: 'histogram' });
    const traceId = 'a'.repeat(32);
    const exemplars = [{ value: 0.25, traceId, at: 1_700_000_000_007 }, undefined, undefined];
    assert.deepEqual(text.histogram('', [0.5, 2], [1, 1, 1], 9, exemplars).split('\n').slice(0, 2), [
      `h_bucket{le="0.5"} 1 # {trace_id="${traceId}"} 0.25 1700000000.007`,
      'h_bucket{le="2.0"} 2',
    ]);
  });
});
