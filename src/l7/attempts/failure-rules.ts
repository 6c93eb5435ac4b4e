/**
 * Defines what layer 7 does after a failed attempt. Each stage of an attempt has one rule. Each reason why
 * the attempts ended without an endpoint has one answer. Rules of both layers are in
 * `upstream/attempts/failure-table.ts`.
 */
import type { OutlierFailure } from '../../config/types/cluster.ts';
import { attemptsEndOf, CONNECT_TIMED_OUT, type AttemptsEnd } from '../../upstream/attempts/failure-table.ts';
import type { HandshakeFailure } from '../contract/listener-stats.ts';

/** The answer to a client that no endpoint serves. */
export interface FailureAnswer {
  readonly status: 502 | 503 | 504;
  readonly message: string;
  /** The `reason` label of a handshake's failure. */
  readonly failure: HandshakeFailure;
}

/** The consequence of a failure at one stage of an attempt. */
export interface FailureRule {
  /** The failure as outlier detection counts it. Null if it does not count against the endpoint. */
  readonly outlier: OutlierFailure | null;
  /**
   * `retry`: try another endpoint if that is allowed, otherwise answer {@link failureAnswer}. `cut`: the
   * client has received a part of the response, so cut it.
   */
  readonly then: 'retry' | 'cut' | FailureAnswer;
}

/** The next step after a failed attempt. `redialled`: the same endpoint is being dialled again. */
export type AttemptStep = FailureRule['then'] | 'redialled';

/** The consequence of an endpoint's timeout. The failure counts as `timeout`. */
export interface OverdueRule extends FailureRule {
  /** For the log line, null for no line. */
  readonly detail: string | null;
}

const NOT_IN_TIME: FailureAnswer = {
  status: 504,
  message: 'the endpoint did not answer in time',
  failure: 'timeout',
};
const NOT_CONNECTED = { outlier: 'connect', then: 'retry' } as const satisfies FailureRule;
const NOT_CONNECTED_IN_TIME = { ...NOT_CONNECTED, detail: CONNECT_TIMED_OUT } as const satisfies OverdueRule;

/**
 * Failures of upgrades. There is no retry if it would send a connection's credentials to another endpoint.
 */
export const UPGRADE_FAILURES = {
  dialling: NOT_CONNECTED,
  /** A part of the upgrade may have been sent. */
  sending: { outlier: 'reset', then: 'retry' },
  /** The endpoint may have acted on the upgrade, or may refuse it by a reset: no retry. */
  sent: {
    outlier: 'reset',
    then: {
      status: 502,
      message: 'the endpoint closed the connection without an answer',
      failure: 'reset',
    },
  },
  /** The answer is malformed, or an invalid 101: the endpoint is broken. */
  badResponse: { outlier: 'handshake', then: 'retry' },
} as const satisfies Readonly<Record<string, FailureRule>>;

/** `connect`: the time for one endpoint is over. All others: `handshakeTimeout` is over. */
export const OVERDUE_UPGRADES = {
  connect: NOT_CONNECTED_IN_TIME,
  lateConnect: { outlier: 'connect', detail: null, then: NOT_IN_TIME },
  lateAnswer: { outlier: 'handshake', detail: null, then: NOT_IN_TIME },
  /** The queue or earlier attempts used up this endpoint's time. */
  timeUsedUp: { outlier: null, detail: null, then: NOT_IN_TIME },
} as const satisfies Readonly<Record<string, OverdueRule>>;

/**
 * Failures of plain requests. There is no retry in three cases:
 * - The request may not be repeated (RFC 9110 section 9.2.2).
 * - A part of the response has arrived.
 * - The retry would send a connection's credentials to another endpoint.
 */
export const REQUEST_FAILURES = {
  dialling: NOT_CONNECTED,
  /** The endpoint may have received a part of the request. */
  sent: { outlier: 'reset', then: 'retry' },
  /** A kept connection turned out to be closed. */
  stale: { outlier: null, then: 'retry' },
  wrongAnswer: { outlier: null, then: 'retry' },
  /** The client has received a part of the response. */
  begun: { outlier: null, then: 'cut' },
} as const satisfies Readonly<Record<string, FailureRule>>;

export const OVERDUE_REQUESTS = {
  connect: NOT_CONNECTED_IN_TIME,
  response: { outlier: null, detail: 'the endpoint did not answer in time', then: NOT_IN_TIME },
  body: { outlier: null, detail: 'the endpoint sent a head, but no body in time', then: NOT_IN_TIME },
  /** The endpoint does not read the request. */
  upload: {
    outlier: null,
    detail: null,
    then: { status: 504, message: 'the endpoint does not read the request', failure: 'timeout' },
  },
} as const satisfies Readonly<Record<string, OverdueRule>>;

const OWN_SHORTAGE: FailureAnswer = {
  status: 503,
  message: 'the proxy is out of descriptors or memory',
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
    message: 'all endpoints are at their connection limit',
    failure: 'overload',
  },
  descriptors: OWN_SHORTAGE,
  own_shortage: OWN_SHORTAGE,
  own_ports: { status: 503, message: 'the proxy is out of local ports', failure: 'own_shortage' },
  timeout: { status: 504, message: 'the endpoint did not accept the connection in time', failure: 'timeout' },
  handshake: { status: 502, message: 'the endpoint sent an invalid answer', failure: 'bad_response' },
  reset: { status: 502, message: 'the endpoint closed without an answer', failure: 'dial_failed' },
  refused: UNREACHABLE,
  unreachable: UNREACHABLE,
  tls: UNREACHABLE,
  other: UNREACHABLE,
};

/** A reset after the dial. */
const LOST: FailureAnswer = { ...ANSWERS.reset, failure: 'reset' };

/**
 * Returns the answer to a client whose attempts ended without an endpoint.
 *
 * @param wasSent whether an endpoint may have received a part of the request
 */
export function failureAnswer(attempts: Parameters<typeof attemptsEndOf>[0], wasSent = false): FailureAnswer {
  const end = attemptsEndOf(attempts);
  return wasSent && end === 'reset' ? LOST : ANSWERS[end];
}
