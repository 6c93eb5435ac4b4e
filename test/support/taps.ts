/** Taps for units: none, and one that notes what it is told. */
import type {
  FramePosition,
  SessionTap,
  TappedEnd,
  TappedSession,
  TappedTunnel,
  TappedTunnelEnd,
  Taps,
  TunnelTap,
} from '../../src/telemetry/tap/tap.ts';

export const NO_TAPS: Taps = { isOn: false, watchSession: () => null, watchTunnel: () => null };

/** A position as it was during a call. */
export interface NotedPosition {
  readonly messages: number;
  readonly payloadLeft: number;
  readonly held: string;
}

/** Notes what a session tells, and gathers the bytes of both directions. */
export class NotingTap implements SessionTap {
  /** Calls in their order, without their bytes. */
  readonly calls: string[] = [];
  /** Where the frames stood at each call of `received`. */
  readonly positions: NotedPosition[] = [];
  end: TappedEnd | null = null;
  readonly #onEnd: (end: TappedEnd) => void;
  #fromClient = Buffer.alloc(0);
  #fromEndpoint = Buffer.alloc(0);

  constructor(onEnd: (end: TappedEnd) => void = () => undefined) {
    this.#onEnd = onEnd;
  }

  /** The bytes received from the client. */
  get fromClient(): Buffer {
    return this.#fromClient;
  }
  get fromEndpoint(): Buffer {
    return this.#fromEndpoint;
  }

  opened(): void {
    this.calls.push('opened');
  }
  received(
    fromClient: boolean,
    position: FramePosition,
    input: Uint8Array,
    start: number,
    end: number,
  ): void {
    this.calls.push(`${end - start} of ${sideOf(fromClient)}`);
    const { messages, payloadLeft, heldPart } = position;
    this.positions.push({ messages, payloadLeft, held: Buffer.from(heldPart).toString('latin1') });
    const bytes = input.subarray(start, end);
    if (fromClient) this.#fromClient = Buffer.concat([this.#fromClient, bytes]);
    else this.#fromEndpoint = Buffer.concat([this.#fromEndpoint, bytes]);
  }
  skipped(fromClient: boolean, bytes: number): void {
    this.calls.push(`skipped ${bytes} of ${sideOf(fromClient)}`);
  }
  message(fromClient: boolean, opcode: number, payload: Uint8Array): void {
    this.calls.push(`${opcode} of ${sideOf(fromClient)}: ${textOf(payload)}`);
  }
  sent(toClient: boolean, opcode: number, payload: Uint8Array): void {
    this.calls.push(`own ${opcode} to ${sideOf(toClient)}: ${textOf(payload)}`);
  }
  ended(end: TappedEnd): void {
    this.calls.push('ended');
    this.end = end;
    this.#onEnd(end);
  }
}

/** Notes what a tunnel tells. */
export class NotingTunnelTap implements TunnelTap {
  readonly calls: string[] = [];
  readonly #onEnd: (end: TappedTunnelEnd) => void;

  constructor(onEnd: (end: TappedTunnelEnd) => void = () => undefined) {
    this.#onEnd = onEnd;
  }

  opened(): void {
    this.calls.push('opened');
  }
  received(fromClient: boolean, bytes: number): void {
    this.calls.push(`${bytes} of ${sideOf(fromClient)}`);
  }
  ended(end: TappedTunnelEnd): void {
    const { reason, bytesUpstream, bytesDownstream } = end;
    this.calls.push(`ended: ${reason}, ${bytesUpstream} up, ${bytesDownstream} down`);
    this.#onEnd(end);
  }
}

/** Watches every session and tunnel with a separate tap. */
export class NotingTaps implements Taps {
  isOn = true;
  readonly sessions: TappedSession[] = [];
  readonly taps: NotingTap[] = [];
  readonly tunnels: TappedTunnel[] = [];
  readonly tunnelTaps: NotingTunnelTap[] = [];

  watchSession(session: TappedSession): SessionTap {
    this.sessions.push(session);
    const tap = new NotingTap();
    this.taps.push(tap);
    return tap;
  }
  watchTunnel(tunnel: TappedTunnel): TunnelTap {
    this.tunnels.push(tunnel);
    const tap = new NotingTunnelTap();
    this.tunnelTaps.push(tap);
    return tap;
  }
}

function sideOf(isClient: boolean): string {
  return isClient ? 'client' : 'endpoint';
}

function textOf(payload: Uint8Array): string {
  return Buffer.from(payload).toString('latin1');
}
