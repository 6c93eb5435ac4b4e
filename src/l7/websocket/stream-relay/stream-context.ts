import type { LiveSet } from '../../../core/collections/live-set.ts';
import type { RandomPool } from '../../../core/random-pool.ts';
import type { TimerWheel } from '../../../core/timing/timer-wheel.ts';
import type { FrameRules } from '../../../wire/frames/frame-tracker.ts';
import type { BufferBudget } from '../../buffers/buffer-budget.ts';
import type { RelaySession, RelayTerms } from '../../contract/relay.ts';

/** State that all stream relays of one worker share. */
export interface StreamEnvironment {
  readonly wheel: TimerWheel;
  readonly budget: BufferBudget;
  readonly random: RandomPool;
}

/** State that all sessions of one relay share. */
export interface StreamContext extends StreamEnvironment, RelayTerms {
  /** The open sessions. */
  readonly sessions: LiveSet<RelaySession>;
}

/** Rules for the frames of one side. */
export interface LegRules extends FrameRules {
  /** Extensions that both sides agreed on: the value of Sec-WebSocket-Extensions, empty for none. */
  readonly agreed: string;
}

/** Rules for the frames of a session's two sides. */
export interface SessionRules {
  readonly client: LegRules;
  readonly endpoint: LegRules;
}
