import { TICK_MS, Timed, type TimerWheel } from '../../core/timing/timer-wheel.ts';
import type { Pulse } from '../../protocol/pulse.ts';

/**
 * Beats at every tick of a thread's timer wheel. The loop that carries the traffic drives the wheel, and
 * gives Node a turn between two ticks. So a thread that hangs in either loop stops beating.
 */
export class Heartbeat extends Timed {
  readonly #pulse: Pulse;
  readonly #wheel: TimerWheel;

  constructor(pulse: Pulse, wheel: TimerWheel) {
    super();
    this.#pulse = pulse;
    this.#wheel = wheel;
    wheel.arm(this, 0);
  }

  override expire(): void {
    this.#pulse.beat();
    this.#wheel.arm(this, TICK_MS);
  }
}
