import type { DownstreamOwner } from './downstream-socket.ts';
import type { HeaderList, HttpReply } from './http-reply.ts';

/** The answer to one WebSocket handshake. Call nothing after the client has gone, and only one of the two, once. */
export interface UpgradeReply {
  /**
   * Answers 101 and gives the client's WebSocket to its owner, by `downstreamOpened`, before this returns.
   *
   * @param subprotocol the one that the endpoint chose; empty for none
   * @returns false if the client has gone, and the owner hears nothing
   */
  accept(owner: DownstreamOwner, subprotocol: string, headers: HeaderList): boolean;
  /** Carries any other answer. */
  readonly http: HttpReply;
}
