/** Names the reason why a client's connection gets no tunnel, in the terms of the metrics. */
import { attemptsEndOf, type AttemptsEnd } from '../upstream/attempts/failure-table.ts';

type Rejection = 'overload' | 'no_endpoint' | 'dial_failed' | 'own_shortage' | 'descriptors';

const REJECTIONS: Readonly<Record<AttemptsEnd, Rejection>> = {
  no_endpoint: 'no_endpoint',
  overload: 'overload',
  descriptors: 'descriptors',
  refused: 'dial_failed',
  timeout: 'dial_failed',
  reset: 'dial_failed',
  unreachable: 'dial_failed',
  tls: 'dial_failed',
  handshake: 'dial_failed',
  other: 'dial_failed',
  own_shortage: 'own_shortage',
  own_ports: 'own_shortage',
};

/** Returns the rejection to count for attempts that ended without an endpoint. */
export function rejectionOf(attempts: Parameters<typeof attemptsEndOf>[0]): Rejection {
  return REJECTIONS[attemptsEndOf(attempts)];
}
