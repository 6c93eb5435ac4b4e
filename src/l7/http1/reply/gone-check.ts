import { Timed, type TimerWheel } from '../../../core/timing/timer-wheel.ts';

/** Time from the client's FIN to the first look, and to the second. Node's sockets report a reset at the second write only. */
const FIRST_CHECK_MS = 1000;
const CHECK_MS = 10_000;

/**
 * Looks whether a client that has sent FIN is still there. FIN may mean that it has ended its direction only, or that
 * it has closed its socket; then the next bytes that it gets are answered by a reset. So it gets bytes that mean
 * nothing: 100 (Continue), which a client that did not ask for it discards (RFC 9110 section 15.2.1), or a leading zero
 * of the next chunk's size.
 */
export class GoneCheck extends Timed {
  readonly #wheel: TimerWheel;
  readonly #reply: { probe(): void };
  #isFirst = true;

  /** @param reply sends the bytes if it can */
  constructor(wheel: TimerWheel, reply: { probe(): void }) {
    super();
    this.#wheel = wheel;
    this.#reply = reply;
  }

  start(): void {
    this.#wheel.arm(this, FIRST_CHECK_MS);
  }

  stop(): void {
    this.#wheel.disarm(this);
  }

  override expire(): void {
    this.#wheel.arm(this, this.#isFirst ? FIRST_CHECK_MS : CHECK_MS);
    this.#isFirst = false;
    this.#reply.probe();
  }
}
