import type { Family } from '../../telemetry/exposition/family.ts';
import { primaryMetrics } from '../../telemetry/metrics/primary-metrics.ts';
import type { RevocationService } from './revocations/revocation-service.ts';
import type { SessionService } from './sessions/session-service.ts';

type Revocations = Pick<RevocationService, 'size' | 'failedWrites' | 'closedSessions'>;

/** Returns the metrics of operators' commands on sessions and principals. */
export function operatorFamilies(
  sessions: Pick<SessionService, 'kicked'>,
  revocations: Revocations,
): Family[] {
  return [
    { metric: primaryMetrics.revocations, read: () => [{ labels: {}, value: revocations.size }] },
    {
      metric: primaryMetrics.revocationWriteFailures,
      read: () => [{ labels: {}, value: revocations.failedWrites }],
    },
    {
      metric: primaryMetrics.sessionsClosedByOperator,
      read: () => [
        { labels: { command: 'kick' }, value: sessions.kicked },
        { labels: { command: 'revoke' }, value: revocations.closedSessions },
      ],
    },
  ];
}
