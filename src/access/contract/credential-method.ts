import type { ACCESS_REFUSALS } from '../../telemetry/metrics/label-values.ts';
import type { RequestHead } from '../../wire/http/request-head.ts';
import type { AccessRequest } from './access-request.ts';
import type { Principal } from './principal.ts';

/** Reason for a refusal, for metrics and logs. */
export type AccessRefusalReason = (typeof ACCESS_REFUSALS)[number];

/** A method accepted the client's credentials. */
export interface Granted {
  readonly granted: true;
  /** Null if the method does not identify the client. */
  readonly principal: Principal | null;
  /** Headers for endpoints: name, value, name, value ... */
  readonly forwarded: readonly string[];
  /** The head without the credential, if endpoints must not see it. Null to keep the head. */
  readonly head: RequestHead | null;
  /** The subprotocol in the response if the endpoint chooses none. Null for none. */
  readonly subprotocol: string | null;
}

/** A method refused the client. */
export interface Refused {
  readonly granted: false;
  readonly status: number;
  readonly reason: AccessRefusalReason;
  /** A few words for the client and the log. Never quotes the client's input. */
  readonly detail: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Replaces `detail` as the body. Null to send `detail` as text. */
  readonly body: Uint8Array | null;
}

export type Decision = Granted | Refused;

/** A check without a decision yet. */
export interface PendingCheck {
  /** Ends the check because its client has left or the time is over. Its owner is not called again. */
  cancel(): void;
}

/** Receives the result of a check. */
export interface CheckOwner {
  /**
   * Called once unless the check is cancelled, always in a later turn than {@link CredentialMethod.check}.
   */
  decided(decision: Decision): void;
}

/** One way for clients to authenticate. */
export interface CredentialMethod {
  /**
   * Checks the credentials of a request, at once or later.
   *
   * @param owner called only if a {@link PendingCheck} is returned
   */
  check(request: AccessRequest, owner: CheckOwner): Decision | PendingCheck;
}

/** Whether a check has no decision yet. */
export function isPending(result: Decision | PendingCheck): result is PendingCheck {
  return 'cancel' in result;
}
