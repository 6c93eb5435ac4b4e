import type { LiveSet } from '../../../core/collections/live-set.ts';
import type { RandomPool } from '../../../core/random-pool.ts';
import type { TimerWheel } from '../../../core/timing/timer-wheel.ts';
import type { FrameRules } from '../../../wire/frames/frame-tracker.ts';
import type { BufferBudget } from '../../buffers/buffer-budget.ts';
import type { RelaySession, RelayTerms } from '../../contract/relay.ts';

/** What all stream relays of one worker share. */
export interface StreamEnvironment {
  readonly wheel: TimerWheel;
  readonly budget: BufferBudget;
  readonly random: RandomPool;
}

/** What all sessions of one relay share. */
export interface StreamContext extends StreamEnvironment, RelayTerms {
  /** The sessions that live. */
  readonly sessions: LiveSet<RelaySession>;
}

/** What the frames of one side must obey. */
export interface LegRules extends FrameRules {
  /** The value of Sec-WebSocket-Extensions that both sides have agreed on; empty for none. */
  readonly agreed: string;
}

/** What the frames of a session's sides must obey. */
export interface SessionRules {
  readonly client: LegRules;
  readonly endpoint: LegRules;
}
