import { Recorder } from '../../driver/measuring/recorder.ts';

/** A recorder that keeps every event with its time, for a timeline. */
export class Witness extends Recorder {
  /** Pairs: when a message was due, and how long the client waited for its reply, received or not. */
  readonly waits: number[] = [];
  /** Why the current session ended: a close code, or an error. */
  reason = '';

  constructor() {
    super(true);
  }

  override waited(since: number): void {
    this.waits.push(since, this.now - since);
  }

  override error(kind: string, count = 1): void {
    this.reason = kind;
    super.error(kind, count);
  }

  override close(kind: string): void {
    this.reason = kind;
    super.close(kind);
  }
}
