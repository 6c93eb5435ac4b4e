import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LimitedLog } from '../../../src/telemetry/limited-log.ts';

describe('a limited log', () => {
  it('writes a message once in ten seconds, and says how often it was left out', () => {
    let now = 0;
    const lines: unknown[] = [];
    const log = { warn: note('warn'), error: note('error') };
    function note(level: string) {
      return (fields: object, message: string): void => void lines.push([level, message, fields]);
    }
    const limited = new LimitedLog(log as unknown as ConstructorParameters<typeof LimitedLog>[0], () => now);
    for (let index = 0; index < 1000; index++) limited.warn({ index }, 'request refused');
    limited.error({ index: 0 }, 'server failed');
    now = 9999;
    limited.warn({ index: 1000 }, 'request refused');
    now = 10_000;
    limited.warn({ index: 1001 }, 'request refused');
    limited.warn({ index: 1002 }, 'request refused');
    now = 30_000;
    limited.error({ index: 1 }, 'server failed');
    assert.deepEqual(lines, [
      ['warn', 'request refused', { index: 0 }],
      ['error', 'server failed', { index: 0 }],
      ['warn', 'request refused', { index: 1001, omitted: 1000 }],
      ['error', 'server failed', { index: 1 }],
    ]);
  });
});
