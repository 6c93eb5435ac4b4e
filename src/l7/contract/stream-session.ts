import type { Channel } from '../../transport/channel.ts';
import type { RelaySession } from './relay.ts';

/**
 * A session that takes its client as a channel. A stream relay makes them; engines that leave the framing of WebSockets to
 * the relay join clients to them.
 */
export interface StreamSession extends RelaySession {
  /**
   * The client has been answered 101. The session is the channel's owner from now on, and resumes it.
   *
   * @param rest bytes behind the client's request, valid during the call only
   */
  clientOpened(channel: Channel, rest: Buffer): void;
}
