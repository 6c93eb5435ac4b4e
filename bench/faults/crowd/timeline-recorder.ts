import { Recorder } from '../../driver/measuring/recorder.ts';

/** A recorder that keeps every event with its time, for a timeline. */
export class TimelineRecorder extends Recorder {
  /** Pairs, one per message: its due time, and the wait for its reply, whether or not the reply arrived. */
  readonly waits: number[] = [];
  /** Why the last session to end or fail did so: a close code, or an error. */
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
