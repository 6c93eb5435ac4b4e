import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { silenceLimit } from '../../../src/l4/silence.ts';

describe('the limit of silence in a tunnel', () => {
  const idle = (ms: number): object => ({ ms, reason: 'idle timeout' });
  const halfClose = (ms: number): object => ({ ms, reason: 'half-close timeout' });

  for (const [idleTimeoutMs, halfCloseTimeoutMs, open, halfClosed] of [
    [600, 60, idle(600), halfClose(60)],
    [60, 600, idle(60), idle(60)],
    [60, 60, idle(60), halfClose(60)],
    [0, 60, null, halfClose(60)],
    [60, 0, idle(60), idle(60)],
    [0, 0, null, null],
  ] as const) {
    it(`is the shorter of idleTimeout ${idleTimeoutMs} and halfCloseTimeout ${halfCloseTimeoutMs}`, () => {
      const config = { idleTimeoutMs, halfCloseTimeoutMs };
      assert.deepEqual(silenceLimit(config, false), open);
      assert.deepEqual(silenceLimit(config, true), halfClosed);
    });
  }
});
