import type { Family } from '../../../telemetry/exposition/family.ts';
import { primaryMetrics } from '../../../telemetry/metrics/primary-metrics.ts';
import type { RedisServices } from './redis-services.ts';

/** Returns the metrics of Redis. Without Redis, only the error counters have series. */
export function redisFamilies(redis: Pick<RedisServices, 'counts' | 'state'>): Family[] {
  const perServer = (
    metric: Family['metric'],
    value: (state: NonNullable<RedisServices['state']>) => number,
  ): Family => ({
    metric,
    read: () => (redis.state === null ? [] : [{ labels: {}, value: value(redis.state) }]),
  });
  return [
    perServer(primaryMetrics.redisUp, ({ isUp }) => (isUp ? 1 : 0)),
    perServer(primaryMetrics.sharedLimitsCounting, ({ isCounting }) => (isCounting ? 1 : 0)),
    perServer(primaryMetrics.redisRoundDuration, ({ roundSeconds }) => roundSeconds),
    {
      metric: primaryMetrics.redisErrors,
      read: () => Object.entries(redis.counts.errors).map(([kind, value]) => ({ labels: { kind }, value })),
    },
  ];
}
