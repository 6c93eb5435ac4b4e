/** Says what layer 7 answers when no endpoint serves a client. What both layers do stands in `upstream/attempts/failure-table.ts`. */
import { attemptsEndOf, type AttemptsEnd } from '../../upstream/attempts/failure-table.ts';
import type { HandshakeFailure } from '../contract/listener-stats.ts';

/** The answer to a client that no endpoint serves. */
interface FailureAnswer {
  readonly status: 502 | 503 | 504;
  readonly message: string;
  /** What a handshake counts as. */
  readonly failure: HandshakeFailure;
}

const OWN_SHORTAGE: FailureAnswer = {
  status: 503,
  message: 'the proxy has no descriptor or memory left',
  failure: 'own_shortage',
};
const UNREACHABLE: FailureAnswer = {
  status: 502,
  message: 'the endpoint cannot be reached',
  failure: 'dial_failed',
};
const ANSWERS: Readonly<Record<AttemptsEnd, FailureAnswer>> = {
  no_endpoint: { status: 503, message: 'no endpoint is available', failure: 'no_endpoint' },
  overload: {
    status: 503,
    message: 'the endpoints have all the connections that they may have',
    failure: 'overload',
  },
  descriptors: OWN_SHORTAGE,
  own_shortage: OWN_SHORTAGE,
  own_ports: { status: 503, message: 'the proxy has no local port left', failure: 'own_shortage' },
  timeout: { status: 504, message: 'the endpoint did not accept in time', failure: 'timeout' },
  handshake: { status: 502, message: 'the endpoint gave no valid answer', failure: 'bad_response' },
  reset: { status: 502, message: 'the endpoint closed without an answer', failure: 'dial_failed' },
  refused: UNREACHABLE,
  unreachable: UNREACHABLE,
  tls: UNREACHABLE,
  other: UNREACHABLE,
};

/** Returns the answer to a client whose attempts have ended without an endpoint. */
export function failureAnswer(attempts: Parameters<typeof attemptsEndOf>[0]): FailureAnswer {
  return ANSWERS[attemptsEndOf(attempts)];
}
