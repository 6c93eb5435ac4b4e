import type { RunningTap } from '../running-tap.ts';
import type { TapState } from '../tap-state.ts';
import { lineStart } from '../tap-lines.ts';

const NO_TAPS: readonly RunningTap[] = [];

/** A tap waiting for an opening, and the rest of its first line after the `at`. */
interface Expected {
  readonly tap: RunningTap;
  readonly opening: string;
}

/** A session or tunnel watched by one or more taps. It takes one of the limited slots of the worker. */
export abstract class Watched {
  readonly state: TapState;
  /** Identifies it in all lines. */
  readonly id: string;
  /** The taps that watch it. */
  protected taps: readonly RunningTap[] = NO_TAPS;
  /** First lines of an opening session or tunnel. Null once it has opened. */
  #expected: readonly Expected[] | null = null;
  /** `TapState.endedTaps` at the last check of the list of taps. */
  #endedTaps: number;
  #hasSlot = false;

  constructor(state: TapState, id: string) {
    this.state = state;
    this.id = id;
    this.#endedTaps = state.endedTaps;
  }

  /** Called when the list of taps has changed. */
  protected abstract tapsChanged(): void;
  /** Called when no tap is left. Releases all memory. */
  protected abstract stopped(): void;

  /** Whether no tap watches it any more. */
  get isUnused(): boolean {
    return !this.isWanted();
  }

  /** Adds taps to a session or tunnel that is about to open. */
  expect(expected: readonly Expected[]): void {
    this.#expected = expected;
    const [first] = expected;
    this.#setTaps(expected.length === 1 ? first!.tap.alone : expected.map(({ tap }) => tap));
  }

  /** Adds a tap to an open session or tunnel. @param line the first line for the tap */
  attach(tap: RunningTap, line: string): void {
    this.#prune();
    if (!this.#takeSlot() || !tap.addStartOrEnd(line)) tap.loseSession();
    else this.#setTaps(this.taps.length === 0 ? tap.alone : [...this.taps, tap]);
    if (this.taps.length === 0) this.#releaseSlot();
  }

  /** Adds the first line to each tap. Removes taps without room for it. */
  protected open(type: 'session' | 'tunnel'): void {
    const expected = this.#expected;
    this.#expected = null;
    if (expected === null || !this.isWanted()) return;
    const start = lineStart(type, this.state.at());
    const hasSlot = this.#takeSlot();
    const left = expected.filter(({ tap, opening }) => {
      if (tap.isOver) return false;
      const isTold = hasSlot && tap.addStartOrEnd(start + opening);
      if (!isTold) tap.loseSession();
      return isTold;
    });
    if (left.length < this.taps.length) this.#setTaps(left.map(({ tap }) => tap));
  }

  /** Removes ended taps. Returns whether any tap is left. */
  protected isWanted(): boolean {
    if (this.#endedTaps !== this.state.endedTaps) this.#prune();
    return this.taps.length > 0;
  }

  /** Counts frames as lost for lack of CPU time. */
  protected loseFrames(frames: number): void {
    this.state.counters.lost('cpu', frames);
    for (const tap of this.taps) tap.loseFrames(frames);
  }

  /** Adds the last line to each tap, and ends. */
  protected close(lineFor: (tap: RunningTap) => string): void {
    // Taps know nothing of a session or tunnel that never opened.
    if (this.#hasSlot) for (const tap of this.taps) if (!tap.addStartOrEnd(lineFor(tap))) tap.loseFrames(1);
    this.#setTaps(NO_TAPS);
  }

  /**
   * Ends the watch after an exception in its code. The session or tunnel continues, and its taps count it as
   * lost.
   */
  protected fail(error: unknown): void {
    this.state.fault(error);
    const { taps } = this;
    this.#expected = null;
    for (const tap of taps) tap.loseSession();
    try {
      this.#setTaps(NO_TAPS);
    } catch {
      // Its memory stays counted. The first fault was reported.
    }
  }

  #prune(): void {
    this.#endedTaps = this.state.endedTaps;
    const taps = this.taps.filter(({ isOver }) => !isOver);
    if (taps.length < this.taps.length) this.#setTaps(taps);
  }

  #setTaps(taps: readonly RunningTap[]): void {
    this.taps = taps;
    this.tapsChanged();
    if (taps.length > 0) return;
    this.#releaseSlot();
    this.stopped();
  }

  #takeSlot(): boolean {
    this.#hasSlot ||= this.state.takeSlot();
    return this.#hasSlot;
  }

  #releaseSlot(): void {
    if (this.#hasSlot) this.state.releaseSlot();
    this.#hasSlot = false;
  }
}
