import type { TapCommand, TapOrder, TapReport } from '../../protocol/tap.ts';
import type { SessionTap, TappedSession, TappedTunnel, Taps, TunnelTap } from '../../telemetry/tap/tap.ts';

interface TapBookParts {
  /** Takes the lines of a tap. */
  readonly send: (report: TapReport) => void;
}

/** The taps of a worker. */
export class TapBook implements Taps {
  readonly #send: (report: TapReport) => void;
  readonly #orders = new Map<string, TapOrder>();

  constructor({ send }: TapBookParts, orders: readonly TapOrder[]) {
    this.#send = send;
    for (const order of orders) this.#orders.set(order.id, order);
  }

  get isOn(): boolean {
    return this.#orders.size > 0;
  }

  watchSession(_session: TappedSession): SessionTap | null {
    return null;
  }

  watchTunnel(_tunnel: TappedTunnel): TunnelTap | null {
    return null;
  }

  /** Takes what the primary says about taps. */
  hear(command: TapCommand): void {
    switch (command.type) {
      case 'tap_start':
        this.#orders.set(command.order.id, command.order);
        break;
      case 'tap_stop':
        this.#orders.delete(command.id);
        break;
      case 'tap_taken':
        break;
    }
  }

  /** Sends the lines that wait. */
  flush(): void {
    for (const id of this.#orders.keys())
      this.#send({ type: 'tap', id, lines: '', lostFrames: 0, lostSessions: 0 });
  }
}
