import type { RecordingFacts } from '../options/plan.ts';
import type { EventMemory } from './event-log.ts';
import type { RecordedHandshake } from './recorded-handshake.ts';

/** One client of a recording. */
export interface RecordedClient {
  /** The session's name in the recording. */
  readonly session: string;
  /** Start in milliseconds after the recording's first client. */
  readonly startMs: number;
  readonly handshake: RecordedHandshake;
  /** Number of its first event in the {@link EventLog}. */
  readonly firstEvent: number;
  /** Messages from the endpoint. */
  readonly replies: number;
  /** Whether its session was open when the recording ended. More replies than recorded may then arrive. */
  readonly isUnended: boolean;
}

/** All playable clients of a recording. Plain data: every driver thread receives it. */
export interface RecordedClients {
  /** Sorted by start time. */
  readonly clients: readonly RecordedClient[];
  readonly events: EventMemory;
  readonly facts: RecordingFacts;
  /** The redaction rules of the recording. */
  readonly redact: readonly string[];
}
