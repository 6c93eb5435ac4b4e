import type { Channel } from '../../transport/channel.ts';
import type { RelaySession } from './relay.ts';

/**
 * A session that takes its client as a channel. Created by a stream relay, for engines that leave WebSocket
 * framing to the relay.
 */
export interface StreamSession extends RelaySession {
  /**
   * Called after the client got its 101. The session becomes the channel's owner, and resumes the channel.
   *
   * @param rest bytes after the client's request, valid during the call only
   */
  clientOpened(channel: Channel, rest: Buffer): void;
}
