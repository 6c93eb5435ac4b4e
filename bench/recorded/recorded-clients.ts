import type { RecordingFacts } from '../options/plan.ts';
import type { EventMemory } from './event-log.ts';
import type { RecordedHandshake } from './recorded-handshake.ts';

/** One client of a recording. */
export interface RecordedClient {
  /** The session's name in the recording. */
  readonly session: string;
  /** Milliseconds from the start of the recording's first client. */
  readonly startMs: number;
  readonly handshake: RecordedHandshake;
  /** Number of its first event: see EventLog. */
  readonly firstEvent: number;
  /** Number of messages from the endpoint. */
  readonly replies: number;
  /** Whether the session was open when the recording ended. More replies than recorded may arrive. */
  readonly isUnended: boolean;
}

/** All playable clients of a recording. Plain data, which every driver thread receives. */
export interface RecordedClients {
  /** In order of their starts. */
  readonly clients: readonly RecordedClient[];
  readonly events: EventMemory;
  readonly facts: RecordingFacts;
  /** The redaction rules of the recording. */
  readonly redact: readonly string[];
}
