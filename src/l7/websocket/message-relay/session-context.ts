import type { WebSocketSettings } from '../../../config/types/listener.ts';
import type { LiveMember, LiveSet } from '../../../core/collections/live-set.ts';
import type { RandomPool } from '../../../core/random-pool.ts';
import type { TimerWheel } from '../../../core/timing/timer-wheel.ts';
import type { Logger } from '../../../telemetry/logger.ts';
import type { BufferBudget } from '../../buffers/buffer-budget.ts';
import type { MessageMemory } from '../../uws/message-memory.ts';
import type { Outbox } from './outbox.ts';
import type { SessionStats } from '../session-stats.ts';
import type { WireTraits } from '../../uws/unfinished/held-bytes.ts';
import type { UnfinishedMessages } from '../../uws/unfinished/unfinished-messages.ts';
import type { UpstreamDialler } from '../../upstream/upstream-socket.ts';

/** What all sessions of one route in one worker share. */
export interface SharedContext<Session extends LiveMember> {
  readonly settings: WebSocketSettings;
  /** Whether frames to the endpoint carry fresh random masks. */
  readonly randomMasks: boolean;
  readonly stats: SessionStats;
  readonly wheel: TimerWheel;
  readonly dialler: UpstreamDialler;
  readonly outbox: Outbox;
  readonly budget: BufferBudget;
  readonly unfinished: UnfinishedMessages;
  readonly wireTraits: WireTraits;
  readonly random: RandomPool;
  readonly messageMemory: MessageMemory;
  /** The sessions that live, for draining. */
  readonly sessions: LiveSet<Session>;
  /** Writes the access lines; null without an access log. */
  readonly access: Logger | null;
}
