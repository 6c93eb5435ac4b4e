import type { Admission } from '../../../access/contract/admission.ts';
import type { SessionTap } from '../../../telemetry/tap/tap.ts';
import type { StreamContext } from './stream-context.ts';

/** Hears what happens on the legs of a session. */
export interface LegOwner<Leg> {
  readonly context: StreamContext;
  readonly admission: Pick<Admission, 'meter'>;
  /** Watches what crosses; null for nothing. */
  readonly tap: SessionTap | null;
  /** Whether a frame of the proxy's own, or a drain, waits for the end of a frame. */
  readonly awaitsBorder: boolean;
  /** A frame that has come from a leg has ended while {@link awaitsBorder} holds. */
  borderReached(leg: Leg): void;
  /** Bytes have come from a leg, or a slow leg has taken some. */
  legHeard(leg: Leg): void;
  /** More, or fewer, bytes wait for a leg. */
  legMeasured(leg: Leg): void;
  /** Nothing is read from the endpoint any more, or again, because the client is slow. */
  endpointPaused(isPaused: boolean): void;
  /** The client has sent something, and {@link admission} has a meter for it. */
  clientSent(messages: number, bytes: number): void;
  /** Whether a pong answers a ping of the proxy's own. */
  isOwnPong(payload: Uint8Array): boolean;
  /** A leg gets nothing more. */
  legFinished(): void;
  /** A close frame has come and been passed on. @param code 1005 for none */
  legClosing(leg: Leg, code: number): void;
  /** A leg has broken the protocol. What came before has been passed on. */
  legFailed(leg: Leg, code: number, reason: string): void;
  /** FIN has come. */
  legEnded(leg: Leg): void;
  /** The leg's connection has closed. */
  legClosed(leg: Leg, error: Error | null): void;
}
