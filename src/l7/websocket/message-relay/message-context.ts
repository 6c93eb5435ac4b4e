import type { LiveSet } from '../../../core/collections/live-set.ts';
import type { RandomPool } from '../../../core/random-pool.ts';
import type { TimerWheel } from '../../../core/timing/timer-wheel.ts';
import type { BufferBudget } from '../../buffers/buffer-budget.ts';
import type { ExchangeEngine } from '../../contract/exchange.ts';
import type { RelaySession, RelayTerms } from '../../contract/relay.ts';
import type { Outbox } from './outbox.ts';

/** State that all message relays of one worker share. */
export interface MessageEnvironment {
  readonly wheel: TimerWheel;
  readonly engine: Pick<ExchangeEngine, 'clientsTouched'>;
  readonly outbox: Outbox;
  readonly budget: BufferBudget;
  readonly random: RandomPool;
}

/** State that all sessions of one relay share. */
export interface MessageContext extends MessageEnvironment, RelayTerms {
  /** The open sessions. */
  readonly sessions: LiveSet<RelaySession>;
}
