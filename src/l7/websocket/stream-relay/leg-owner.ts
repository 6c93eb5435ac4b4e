import type { Admission } from '../../../access/contract/admission.ts';
import type { SessionTap } from '../../../telemetry/tap/tap.ts';
import type { StreamContext } from './stream-context.ts';

/** Receives the events of a session's legs. */
export interface LegOwner<Leg> {
  readonly context: StreamContext;
  readonly admission: Pick<Admission, 'meter'>;
  /** Watches the session's frames, or null. */
  readonly tap: SessionTap | null;
  /** Whether one of sluice's own frames, or a drain, waits for the end of a frame. */
  readonly awaitsBorder: boolean;
  /** Called when a frame from a leg has ended while {@link awaitsBorder} is true. */
  borderReached(leg: Leg): void;
  /** Called when bytes arrive from a leg, or a slow leg takes some. */
  legActive(leg: Leg): void;
  /** Called when the number of bytes buffered for a leg changes. */
  legMeasured(leg: Leg): void;
  /** Called when reading from the endpoint stops or resumes, because the client is slow or no longer slow. */
  endpointPaused(isPaused: boolean): void;
  /** Called when the client has sent bytes, if {@link admission} has a meter. */
  clientSent(messages: number, bytes: number): void;
  /** Whether a pong answers one of sluice's own pings. */
  isOwnPong(payload: Uint8Array): boolean;
  /** Called when a leg gets no more bytes. */
  legFinished(): void;
  /** Called when a close frame arrived and was forwarded. @param code 1005 for none */
  legClosing(leg: Leg, code: number): void;
  /** Called when a leg has violated the protocol. Earlier bytes were forwarded. */
  legFailed(leg: Leg, code: number, reason: string): void;
  /** Called when FIN arrives. */
  legEnded(leg: Leg): void;
  /** Called when the leg's connection has closed. */
  legClosed(leg: Leg, error: Error | null): void;
}
