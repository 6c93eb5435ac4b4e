import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CLOSE_CODES } from '../../../../src/telemetry/metrics/label-values.ts';
import { closeCodeLabel, isSendableCloseCode } from '../../../../src/wire/frames/close-codes.ts';

describe('close codes', () => {
  it('may be sent as RFC 6455 section 7.4 and the registry allow', () => {
    const right = [
      1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999,
    ];
    const wrong = [NaN, -1, 0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1999, 2000, 2999, 5000, 65_535, 66_536];
    for (const code of right) assert.equal(isSendableCloseCode(code), true, String(code));
    for (const code of wrong) assert.equal(isSendableCloseCode(code), false, String(code));
  });

  it('are labeled by their range if they are not registered', () => {
    const cases = [
      [1000, '1000'],
      [1006, '1006'],
      [1015, '1015'],
      [999, 'other'],
      [1016, 'other'],
      [2999, 'other'],
      [3000, '3xxx'],
      [3999, '3xxx'],
      [4000, '4xxx'],
      [4999, '4xxx'],
      [5000, 'other'],
      [65_535, 'other'],
    ] as const;
    for (const [code, label] of cases) assert.equal(closeCodeLabel(code), label);
  });

  it('always have a label that the metrics know', () => {
    const known = new Set<string>(CLOSE_CODES);
    for (let code = 0; code <= 0xffff; code++) assert.ok(known.has(closeCodeLabel(code)), String(code));
  });
});
