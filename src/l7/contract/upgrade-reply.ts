import type { HeaderList, HttpReply } from './http-reply.ts';
import type { RelaySession } from './relay.ts';

/**
 * The answer to one WebSocket handshake: call either `accept` or a method of `http`, once. Call neither after
 * the client has disconnected.
 */
export interface UpgradeReply {
  /**
   * Answers 101 and passes the client's WebSocket to its session before this returns.
   *
   * @param session created by a relay of the same engine
   * @param subprotocol value for the answer, empty for none
   * @returns false if the client has disconnected: the session is not called
   */
  accept(session: RelaySession, subprotocol: string, headers: HeaderList): boolean;
  /** Carries any other answer. */
  readonly http: HttpReply;
}
