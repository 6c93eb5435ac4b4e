import { WRONG_LENGTH } from '../driver/measuring/outcome.ts';
import type { Session } from '../driver/sessions/session.ts';
import { MessageTraffic } from './message-traffic.ts';

/** Sends messages to a target that echoes them. */
export class EchoTraffic extends MessageTraffic {
  message(session: Session, length: number): void {
    const { recorder } = this.context;
    if (session.sent.length === 0) {
      // A greeting, for example.
      recorder.unsolicited++;
      return;
    }
    if (length !== this.pool.lengths[session.nextReply]) {
      session.fail(WRONG_LENGTH);
      return;
    }
    this.answered(session);
  }

  pong(): void {
    // RFC 6455 section 5.5.3 allows unsolicited pongs.
  }
}
