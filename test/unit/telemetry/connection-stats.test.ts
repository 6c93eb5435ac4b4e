import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ConnectionStats } from '../../../src/telemetry/connection-stats.ts';
import type { Logger } from '../../../src/telemetry/logger.ts';
import { ACCEPT_FAILURES, REJECT_REASONS } from '../../../src/telemetry/metrics/label-values.ts';
import { pageMetrics } from '../../../src/telemetry/metrics/page-metrics.ts';
import { PageLayout } from '../../../src/telemetry/page-layout.ts';
import { StatsPage, allocatePage } from '../../../src/telemetry/stats-page.ts';

/** The pages of two workers with two listeners. */
function pages(): [StatsPage, StatsPage] {
  const layout = new PageLayout();
  for (const listener of ['web', 'tcp']) {
    layout.add(pageMetrics.connectionsActive, { listener });
    layout.add(pageMetrics.connections, { listener });
    for (const reason of REJECT_REASONS) layout.add(pageMetrics.connectionsRejected, { listener, reason });
    for (const reason of ACCEPT_FAILURES) layout.add(pageMetrics.acceptFailures, { listener, reason });
  }
  return [new StatsPage(allocatePage(layout), layout), new StatsPage(allocatePage(layout), layout)];
}

describe('the connections of a listener', () => {
  it("are counted on each worker's page, and open ones across all pages", () => {
    const both = pages();
    const all = both.map(({ values }) => values);
    const [one, other] = both.map((page) => new ConnectionStats(page, all, 'web'));
    const tcp = new ConnectionStats(both[0], all, 'tcp');
    one!.opened();
    one!.opened();
    other!.opened();
    other!.closed();
    one!.closed();
    other!.opened();
    assert.deepEqual([one!.active, other!.active, tcp.active], [2, 2, 0]);
    const totals = both.map((page) => page.values[page.slot(pageMetrics.connections, { listener: 'web' })]);
    assert.deepEqual(totals, [2, 2]);
  });

  it('are counted by reason if rejected', () => {
    const [page] = pages();
    const stats = new ConnectionStats(page, [page.values], 'web');
    for (const [index, reason] of REJECT_REASONS.entries()) {
      for (let count = 0; count <= index; count++) stats.rejected(reason);
    }
    for (const listener of ['web', 'tcp']) {
      for (const [index, reason] of REJECT_REASONS.entries()) {
        const slot = page.slot(pageMetrics.connectionsRejected, { listener, reason });
        assert.equal(page.values[slot], listener === 'web' ? index + 1 : 0, `${listener} ${reason}`);
      }
    }
    assert.equal(stats.active, 0);
  });

  it('are all counted if accept fails, but only the first failure in a row is logged', () => {
    const { stats, failures, log, lines } = acceptFailures();
    assert.equal(stats.acceptFailed(log, 'EMFILE', true), false);
    assert.equal(stats.acceptFailed(log, 'EMFILE', false), false);
    assert.equal(failures('process_limit'), 2);
    const line = { listener: 'web', code: 'EMFILE', reason: 'process_limit', text: 'accept failed' };
    assert.deepEqual(lines, [line]);
  });

  it('are counted but not logged if clients aborted them before the accept', () => {
    const { stats, failures, log, lines } = acceptFailures();
    assert.equal(stats.acceptFailed(log, 'ECONNABORTED', true), true);
    assert.equal(failures('aborted'), 1);
    assert.deepEqual(lines, []);
  });
});

function acceptFailures(): {
  stats: ConnectionStats;
  failures: (reason: string) => number | undefined;
  log: Logger;
  lines: object[];
} {
  const [page] = pages();
  const lines: object[] = [];
  const error = (fields: object, text: string): number => lines.push({ ...fields, text });
  return {
    stats: new ConnectionStats(page, [page.values], 'web'),
    failures: (reason) => page.values[page.slot(pageMetrics.acceptFailures, { listener: 'web', reason })],
    log: { error } as unknown as Logger,
    lines,
  };
}
