import { Timed, type TimerWheel } from '../../../core/timing/timer-wheel.ts';

/**
 * Time from the client's FIN to the first probe, and to the second. Node's sockets report a reset only at the
 * second write.
 */
const FIRST_CHECK_MS = 1000;
const CHECK_MS = 10_000;

/**
 * Checks whether a client still exists after its FIN. The client may have closed only its sending side, or
 * its whole socket: then it answers the next bytes with a reset. The probe bytes have no meaning. They are
 * 100 (Continue), which clients discard if they did not ask for it (RFC 9110 section 15.2.1), or a leading
 * zero of the next chunk's size.
 */
export class HalfCloseProbe extends Timed {
  readonly #wheel: TimerWheel;
  readonly #reply: { probe(): void };
  #isFirst = true;

  /** @param reply sends the probe bytes, if it can */
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
