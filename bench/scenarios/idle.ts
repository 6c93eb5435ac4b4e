import type { DriveContext, Traffic } from '../driver/sessions/traffic.ts';

/** Opens connections and holds them. */
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
    // Idle connections send nothing.
  }
  end(): void {
    // Nothing was started.
  }
  giveUp(): void {
    // Nothing is awaited.
  }
  opened(): void {
    // `ThreadSessions` holds the connection.
  }
  closed(): void {
    // `ThreadSessions` reopens the connection.
  }
  message(): void {
    this.#context.recorder.unsolicited++;
  }
  pong(): void {
    // This scenario sends no pings.
  }
  readDone(): void {
    // Idle connections send no replies.
  }
  drained(): void {
    // Nothing was held back.
  }
}
