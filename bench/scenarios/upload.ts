import type { Session } from '../driver/sessions/session.ts';
import { MessageTraffic } from './message-traffic.ts';

const PLACE_LENGTH = 4;

/**
 * Sends messages in one direction. A ping follows each message, and its pong proves that the peer has read
 * the message. Every WebSocket server answers pings in order. If a proxy answers pings itself, the pong
 * proves only that the proxy has read the message.
 */
export class UploadTraffic extends MessageTraffic {
  message(): void {
    // Messages from the server are not measured.
  }

  pong(session: Session, payload: Uint8Array): void {
    if (payload.length !== PLACE_LENGTH) return;
    const place = new DataView(payload.buffer, payload.byteOffset).getUint32(0);
    // A server may answer only the last of several pings (RFC 6455 section 5.5.3). Its pong answers the
    // earlier ones too.
    const count = ((place - session.nextReply + this.pool.count) % this.pool.count) + 1;
    if (place >= this.pool.count || count > session.sent.length) {
      session.fail('pong without a ping');
      return;
    }
    for (let left = count; left > 0; left--) this.answered(session);
  }
}
