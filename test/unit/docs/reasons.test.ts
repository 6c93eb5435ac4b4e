/** docs/reference/reasons.md explains every value that a label can have. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, it } from 'node:test';
import {
  ACCEPT_FAILURES,
  ACCESS_REFUSALS,
  ADMIN_CLOSES,
  ADMIN_REFUSALS,
  BOUND_CLOSES,
  CLOSE_SIDES,
  CLUSTER_LIMITS,
  CONNECT_FAILURES,
  DIRECTIONS,
  GATE_REFUSALS,
  HANDSHAKE_FAILURES,
  LIMIT_KINDS,
  PASSWORD_RESULTS,
  REJECT_REASONS,
  REQUEST_REFUSALS,
  RESPONSE_CUTS,
  SHED_REASONS,
  STATUS_CLASSES,
  TAP_LOSSES,
  TAP_RESULTS,
  TRACE_DROPS,
  TUNNEL_CLOSES,
  UNUSED_REASONS,
} from '../../../src/telemetry/metrics/label-values.ts';
import type { Metric } from '../../../src/telemetry/metrics/metric.ts';
import { pageMetrics } from '../../../src/telemetry/metrics/page-metrics.ts';
import { primaryMetrics } from '../../../src/telemetry/metrics/primary-metrics.ts';

const PAGE = readFileSync(
  join(resolve(import.meta.dirname, '../../..'), 'docs/reference/reasons.md'),
  'utf8',
);

const EXPLAINED: readonly (readonly [Metric, readonly string[]])[] = [
  [pageMetrics.connectionsRejected, REJECT_REASONS],
  [pageMetrics.connectionsUnused, UNUSED_REASONS],
  [pageMetrics.acceptFailures, ACCEPT_FAILURES],
  [pageMetrics.tunnelCloses, TUNNEL_CLOSES],
  [pageMetrics.handshakeFailures, HANDSHAKE_FAILURES],
  [pageMetrics.handshakesTurnedAway, GATE_REFUSALS],
  [pageMetrics.closes, CLOSE_SIDES],
  [pageMetrics.accessRefusals, ACCESS_REFUSALS],
  [pageMetrics.limitRefusals, LIMIT_KINDS],
  [pageMetrics.sessionsShed, SHED_REASONS],
  [pageMetrics.bufferOverflows, DIRECTIONS],
  [pageMetrics.httpRefusals, REQUEST_REFUSALS],
  [pageMetrics.httpCuts, RESPONSE_CUTS],
  [pageMetrics.boundCloses, BOUND_CLOSES],
  [pageMetrics.httpRequests, STATUS_CLASSES],
  [pageMetrics.clusterRejections, CLUSTER_LIMITS],
  [pageMetrics.endpointConnectFailures, CONNECT_FAILURES],
  [primaryMetrics.configReloads, ['success', 'failure']],
  [primaryMetrics.passwords, PASSWORD_RESULTS],
  [primaryMetrics.keySetFetches, ['success', 'failure']],
  [primaryMetrics.spansDropped, TRACE_DROPS],
  [primaryMetrics.taps, TAP_RESULTS],
  [pageMetrics.tapFramesLost, TAP_LOSSES],
  [primaryMetrics.adminCloses, ADMIN_CLOSES],
  [primaryMetrics.adminRefusals, ADMIN_REFUSALS],
];

/** Returns the first cells of the first table below the metric's heading, without the table's head. */
function explained(metric: string): string[] {
  const [, section = ''] = PAGE.split(`\n## ${metric}\n`);
  const [body = ''] = section.split('\n## ');
  const [table = ''] = body.split('\n\n').filter((block) => block.trimStart().startsWith('|'));
  return Array.from(table.matchAll(/^\| `(\w+)`/gm), ([, value = '']) => value);
}

describe('docs/reference/reasons.md', () => {
  for (const [{ name }, values] of EXPLAINED) {
    it(`explains exactly the values of ${name}`, () => {
      assert.deepEqual(explained(name).toSorted(), [...values].toSorted());
    });
  }

  it('explains every metric with a reason', () => {
    const withReason = Object.values({ ...pageMetrics, ...primaryMetrics } as Record<string, Metric>)
      .filter(({ labels }) => labels.includes('reason'))
      .map(({ name }) => name);
    const known = EXPLAINED.map(([{ name }]) => name);
    assert.deepEqual(
      withReason.filter((name) => !known.includes(name)),
      [],
    );
  });
});
