import type { Family } from '../../../telemetry/exposition/family.ts';
import { PASSWORD_RESULTS } from '../../../telemetry/metrics/label-values.ts';
import { primaryMetrics } from '../../../telemetry/metrics/primary-metrics.ts';
import type { Passwords } from './passwords.ts';

/** Returns the metrics of the password thread. */
export function passwordFamilies(passwords: Pick<Passwords, 'results' | 'waiting' | 'waitedMs'>): Family[] {
  return [
    {
      metric: primaryMetrics.passwords,
      read: () =>
        PASSWORD_RESULTS.map((result) => ({ labels: { result }, value: passwords.results[result] })),
    },
    {
      metric: primaryMetrics.passwordsWaiting,
      read: () => [{ labels: {}, value: passwords.waiting }],
    },
    {
      metric: primaryMetrics.passwordWait,
      read: () => [{ labels: {}, value: passwords.waitedMs / 1000 }],
    },
  ];
}
