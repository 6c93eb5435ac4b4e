import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { WaitingBytes } from '../../../../src/l7/buffers/waiting-bytes.ts';

describe('queued bytes', () => {
  it('keep their order, whatever their sizes and the times of removal', () => {
    const step = fc.oneof(
      fc.record({ push: fc.integer({ min: 0, max: 200_000 }) }),
      fc.constant({ push: null }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const waiting = new WaitingBytes();
        const pushed: Buffer[] = [];
        const taken: Buffer[] = [];
        let value = 0;
        const take = (): boolean => {
          const bytes = waiting.shift();
          if (bytes === null) return false;
          taken.push(Buffer.from(bytes));
          return true;
        };
        for (const { push } of steps) {
          if (push === null) take();
          else {
            const bytes = Buffer.alloc(push, (value = (value + 1) % 251));
            waiting.push(bytes);
            pushed.push(Buffer.from(bytes));
            bytes.fill(255);
          }
          const left = Buffer.concat(pushed).length - Buffer.concat(taken).length;
          assert.equal(waiting.length, left);
        }
        while (take());
        assert.ok(Buffer.concat(pushed).equals(Buffer.concat(taken)));
        assert.equal(waiting.length, 0);
      }),
      { numRuns: 100 },
    );
  });

  it('take few pieces of memory, even if they arrive in small pieces', () => {
    const waiting = new WaitingBytes();
    for (let count = 0; count < 16_384; count++) waiting.push(Buffer.from([count % 251]));
    const blocks: Uint8Array[] = [];
    for (let bytes = waiting.shift(); bytes !== null; bytes = waiting.shift()) blocks.push(bytes.slice());
    assert.ok(blocks.length <= 20, `${blocks.length} blocks`);
    const whole = Buffer.concat(blocks);
    assert.equal(whole.length, 16_384);
    assert.ok(whole.every((byte, index) => byte === index % 251));
  });

  it('are dropped at once', () => {
    const waiting = new WaitingBytes();
    waiting.push(Buffer.alloc(300_000));
    waiting.clear();
    assert.deepEqual([waiting.length, waiting.shift()], [0, null]);
  });
});
