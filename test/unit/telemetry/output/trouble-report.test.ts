import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TroubleReport } from '../../../../src/telemetry/output/trouble-report.ts';

describe('the report of failing outputs', () => {
  it('goes to the log, or to standard error if the log itself fails, at a limited rate', () => {
    const told: unknown[] = [];
    let now = 0;
    const warn = (fields: object, message: string): void => void told.push({ ...fields, message });
    const report = new TroubleReport(
      () => ({ warn }) as never,
      (text) => told.push(text),
      () => now,
    );
    for (let times = 0; times < 3; times++) {
      report.report({ kind: 'failed', log: 'log', reason: 'ENOSPC' });
      report.report({ kind: 'failed', log: 'access', reason: 'EIO' });
    }
    report.report({ kind: 'recovered', log: 'log', dropped: 4 });
    now = 10_000;
    report.report({ kind: 'failed', log: 'access', reason: 'EIO' });
    report.report({ kind: 'rotation', log: 'log', file: '/log', reason: 'EACCES' });
    assert.deepEqual(told, [
      'sluice: the log cannot be written: ENOSPC\n',
      { log: 'access', reason: 'EIO', message: 'access log write failed' },
      { log: 'log', dropped: 4, message: 'log writes recovered' },
      { log: 'access', reason: 'EIO', suppressed: 2, message: 'access log write failed' },
      { log: 'log', file: '/log', reason: 'EACCES', message: 'log rotation failed' },
    ]);
  });
});
