import type { TappedTunnelEnd, TunnelTap } from '../../../telemetry/tap/tap.ts';
import { FROM_CLIENT, FROM_ENDPOINT, bytesLine, tunnelEndLine } from '../tap-lines.ts';
import { Watched } from './watched.ts';

/** Watches one tunnel for all of its taps: shows the number of bytes of each read. */
export class WatchedTunnel extends Watched implements TunnelTap {
  opened(): void {
    try {
      this.open('tunnel');
    } catch (error) {
      this.fail(error);
    }
  }

  received(fromClient: boolean, bytes: number): void {
    try {
      if (this.isWanted()) this.#read(fromClient, bytes);
    } catch (error) {
      this.fail(error);
    }
  }

  ended(end: TappedTunnelEnd): void {
    try {
      const line = this.isWanted() ? tunnelEndLine(this.id, this.state.at(), end) : '';
      this.close(() => line);
    } catch (error) {
      this.fail(error);
    }
  }

  #read(fromClient: boolean, bytes: number): void {
    const { frames, counters } = this.state;
    const now = this.state.startEvent();
    if (this.state.isSpent(now) || !this.state.beginRead()) {
      this.loseFrames(1);
      return;
    }
    const line = bytesLine(this.id, this.state.timeOf(now), fromClient ? FROM_CLIENT : FROM_ENDPOINT, bytes);
    for (const tap of this.taps) {
      if (tap.addFrame(line)) counters.shown();
      else counters.lost('lines', 1);
    }
    frames.end();
  }

  protected override tapsChanged(): void {
    // All taps get the same lines.
  }

  protected override stopped(): void {
    // A read holds no memory.
  }
}
