/** Response of the authentication server. */
export interface AuthAnswer {
  readonly status: number;
  /** name, value, name, value ... as byte texts. Names keep their spelling. */
  readonly headers: readonly string[];
  /** Empty for 2xx. If the body is too long or incomplete: its beginning. */
  readonly body: Uint8Array;
}

/** Receives the result of a call. No method is called before {@link AuthTransport.ask} has returned. */
export interface AuthCallOwner {
  /** Called at most once, and not after {@link failed}. */
  answered(answer: AuthAnswer): void;
  /** Called at most once, if no response is available. @param problem a few words for the log */
  failed(problem: string): void;
  /**
   * Called once, as the last method, when the call has left its connection. Also called after {@link
   * AuthCall.cancel}.
   */
  closed(): void;
}

/** A call to the authentication server. */
export interface AuthCall {
  /**
   * Ends the call at its deadline. The owner gets the response if its head has arrived, otherwise a failure.
   */
  expire(): void;
  /** Cancels the call. Only the owner's `closed` is still called. */
  cancel(): void;
}

/** Sends authentication requests to a server. */
export interface AuthTransport {
  /** Sends a request. @param headers name, value, name, value ... as byte texts, without Host */
  ask(headers: readonly string[], owner: AuthCallOwner): AuthCall;
}
