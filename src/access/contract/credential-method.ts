import type { ACCESS_REFUSALS } from '../../telemetry/metrics/label-values.ts';
import type { RequestHead } from '../../wire/http/request-head.ts';
import type { AccessRequest } from './access-request.ts';
import type { Principal } from './principal.ts';

/** Why a client is refused, for metrics and logs. */
export type AccessRefusalReason = (typeof ACCESS_REFUSALS)[number];

/** A client has shown what a method asks for. */
export interface Granted {
  readonly granted: true;
  /** Null if the method does not say who the client is. */
  readonly principal: Principal | null;
  /** Headers for endpoints: name, value, name, value ... */
  readonly forwarded: readonly string[];
  /** The head without the credential, if endpoints must not see it; null to keep the head. */
  readonly head: RequestHead | null;
  /** The subprotocol that the client is answered if the endpoint chooses none; null for none. */
  readonly subprotocol: string | null;
}

/** A client has not shown what is asked for. */
export interface Refused {
  readonly granted: false;
  readonly status: number;
  readonly reason: AccessRefusalReason;
  /** In a few words, for the client and the log: nothing that the client has sent. */
  readonly detail: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Replaces `detail` as the body; null to send `detail` as text. */
  readonly body: Uint8Array | null;
}

export type Decision = Granted | Refused;

/** A check that is not decided yet. */
export interface PendingCheck {
  /** Ends the check, because its client has gone or its time is over. Its owner hears nothing more. */
  cancel(): void;
}

/** Hears how a check ends. */
export interface CheckOwner {
  /** Called once, in a later turn than {@link CredentialMethod.check}, unless the check is cancelled. */
  decided(decision: Decision): void;
}

/** One way for clients to prove who they are. */
export interface CredentialMethod {
  /**
   * Checks the credentials of a request, at once or later.
   *
   * @param owner hears the decision only if a {@link PendingCheck} is returned
   */
  check(request: AccessRequest, owner: CheckOwner): Decision | PendingCheck;
}

/** Whether a check is still to be decided. */
export function isPending(result: Decision | PendingCheck): result is PendingCheck {
  return 'cancel' in result;
}
