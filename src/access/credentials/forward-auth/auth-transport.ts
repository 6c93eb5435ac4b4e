/** The answer of a server that is asked about a request. */
export interface AuthAnswer {
  readonly status: number;
  /** name, value, name, value ... in byte texts. Names are spelled as they came. */
  readonly headers: readonly string[];
  /** Empty for 2xx. If the body is too long or did not come whole: its beginning. */
  readonly body: Uint8Array;
}

/** Hears what becomes of a question. Nothing is called before {@link AuthTransport.ask} has returned. */
export interface AuthCallOwner {
  /** Called at most once, and not after {@link failed}. */
  answered(answer: AuthAnswer): void;
  /** No answer can be had. Called at most once. @param problem in a few words, for the log */
  failed(problem: string): void;
  /** The call has left its connection. Called once, as the last call, also after {@link AuthCall.cancel}. */
  closed(): void;
}

/** A question that has been asked. */
export interface AuthCall {
  /**
   * Ends the call because its time is over. The owner gets the answer if its head has come, else the failure.
   */
  expire(): void;
  /** Ends the call. The owner hears only that it is closed. */
  cancel(): void;
}

/** Carries questions to the server of a forward authentication. */
export interface AuthTransport {
  /** Asks the server. @param headers for it, without Host: name, value, name, value ... in byte texts */
  ask(headers: readonly string[], owner: AuthCallOwner): AuthCall;
}
