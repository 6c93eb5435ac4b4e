import type { DriveContext, Traffic } from '../driver/sessions/traffic.ts';

/** Connections are opened and held. */
export class IdleTraffic implements Traffic {
  readonly holdsConnections = true;
  readonly keptBytes = 0;
  readonly replyLengths = new Uint32Array(0);
  readonly settled = true;
  readonly #context: DriveContext;

  constructor(context: DriveContext) {
    this.#context = context;
  }

  begin(): void {
    // All that happens is that nothing is sent.
  }
  end(): void {
    // As before.
  }
  giveUp(): void {
    // Nothing is waited for.
  }
  opened(): void {
    // It is held, by the fleet.
  }
  closed(): void {
    // The fleet opens it again.
  }
  message(): void {
    this.#context.recorder.unsolicited++;
  }
  pong(): void {
    // This scenario sends no pings.
  }
  readDone(): void {
    // Nothing is sent in reply.
  }
  drained(): void {
    // Nothing was held back.
  }
}
