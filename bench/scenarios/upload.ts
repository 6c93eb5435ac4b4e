import type { Session } from '../driver/sessions/session.ts';
import { MessageTraffic } from './message-traffic.ts';

const PLACE_LENGTH = 4;

/**
 * Messages one way. Behind each goes a ping, and its pong says that the peer has read the message: whatever it
 * does with it, any WebSocket server answers pings, and in order. Behind a proxy that ends pings on its own leg
 * the pong is that of the proxy.
 */
export class UploadTraffic extends MessageTraffic {
  message(): void {
    // The server's replies are not measured.
  }

  pong(session: Session, payload: Uint8Array): void {
    if (payload.length !== PLACE_LENGTH) return;
    const place = new DataView(payload.buffer, payload.byteOffset).getUint32(0);
    // A server may answer only the last of several pings (RFC 6455 section 5.5.3): it stands for those before.
    const count = ((place - session.nextReply + this.pool.count) % this.pool.count) + 1;
    if (place >= this.pool.count || count > session.sent.length) {
      session.fail('pong without a ping');
      return;
    }
    for (let left = count; left > 0; left--) this.answered(session);
  }
}
