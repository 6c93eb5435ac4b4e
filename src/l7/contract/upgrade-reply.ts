import type { HeaderList, HttpReply } from './http-reply.ts';
import type { RelaySession } from './relay.ts';

/** The answer to one WebSocket handshake. Call nothing after the client has gone, and only one of the two, once. */
export interface UpgradeReply {
  /**
   * Answers 101 and gives the client's WebSocket to its session before this returns.
   *
   * @param session made by a relay of the same engine
   * @param subprotocol the one that the endpoint chose; empty for none
   * @returns false if the client has gone, and the session hears nothing
   */
  accept(session: RelaySession, subprotocol: string, headers: HeaderList): boolean;
  /** Carries any other answer. */
  readonly http: HttpReply;
}
