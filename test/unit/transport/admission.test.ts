import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { refusalOf } from '../../../src/transport/admission.ts';

describe('an accepted connection', () => {
  const refusal = (maxConnections: number, active: number, isAdmitted = true): string | null => {
    const asked: unknown[] = [];
    const admits = (...question: unknown[]): boolean => {
      asked.push(...question);
      return isAdmitted;
    };
    const reason = refusalOf({ name: 'l', maxConnections }, { active }, { admits }, 7);
    assert.deepEqual(asked, ['l', 7]);
    return reason;
  };

  it("is served below its listener's limit, and without a limit", () => {
    assert.equal(refusal(2, 1), null);
    assert.equal(refusal(0, 1_000_000), null);
  });

  it('is refused at the limit, or if no descriptor is left', () => {
    assert.equal(refusal(2, 2), 'limit');
    assert.equal(refusal(0, 0, false), 'descriptors');
    assert.equal(refusal(2, 2, false), 'descriptors');
  });
});
