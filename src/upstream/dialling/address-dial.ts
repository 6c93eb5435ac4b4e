import type { Address } from '../../core/address.ts';
import { Timed, type TimerWheel } from '../../core/timing/timer-wheel.ts';
import { Watched, type Poller } from '../../loop/poller.ts';
import { EPOLLERR, EPOLLHUP, EPOLLOUT } from '../../sys/epoll.ts';
import { EINPROGRESS, ETIMEDOUT, SystemCallError } from '../../sys/errno.ts';
import type { SocketAddress } from '../../sys/sockets/socket-address.ts';
import type { Sockets } from '../../sys/sockets/sockets.ts';
import { NEXT_ADDRESS_MS, decisiveError } from './dial.ts';

/** The event loop's parts that a dial uses. `EventLoop` implements it. */
interface DialLoop {
  readonly sockets: Pick<Sockets, 'open' | 'connect' | 'close' | 'takeError'>;
  readonly poller: Pick<Poller, 'tryWatch' | 'close'>;
  readonly wheel: TimerWheel;
}

/** The target of a dial. `Endpoint` implements it. */
interface DialledEndpoint {
  readonly label: string;
  readonly addresses: readonly Address[];
  prefer(address: Address): void;
}

/** Receives the result of a dial. Exactly one method is called, once, unless the dial is cancelled. */
export interface DialOwner {
  /**
   * Called when an address accepts.
   *
   * @param connection watches the connected socket. The owner must replace it with `Poller.adopt` before it
   * returns.
   */
  dialConnected(connection: Watched): void;
  /** Called when no address accepts. */
  dialFailed(error: Error): void;
  /** Called when a handler of the dial throws. The dial is cancelled. */
  dialFault(error: unknown): void;
}

/**
 * Dials the addresses of one endpoint by system calls (RFC 8305 section 5). Dials the next address when the
 * previous one fails or stays silent for {@link NEXT_ADDRESS_MS}. Earlier attempts continue until one address
 * accepts, because a lost SYN or a slow path does not rule an address out. So each address has time until the
 * owner's deadline.
 */
export class AddressDial extends Timed {
  readonly #loop: DialLoop;
  readonly #endpoint: DialledEndpoint;
  /** In the order of this dial. The endpoint's order may change during it. */
  readonly #addresses: readonly Address[];
  readonly #targets: readonly SocketAddress[];
  readonly #owner: DialOwner;
  readonly #attempts: Attempt[] = [];
  /** Index of the next address to dial. */
  #next = 0;
  /** The decisive error so far. Null before the first failure. */
  #error: SystemCallError | null = null;

  /** @param addressOf converts an address for system calls */
  constructor(
    loop: DialLoop,
    addressOf: (address: Address) => SocketAddress,
    endpoint: DialledEndpoint,
    owner: DialOwner,
  ) {
    super();
    this.#loop = loop;
    this.#endpoint = endpoint;
    this.#addresses = endpoint.addresses;
    this.#targets = endpoint.addresses.map(addressOf);
    this.#owner = owner;
  }

  /**
   * Starts the dial. Returns false if no address can be dialled: {@link error} has the reason, and the owner
   * is not called.
   */
  start(): boolean {
    this.#dialNext();
    return this.#attempts.length > 0;
  }

  /** Why no address accepted. */
  get error(): Error {
    return this.#error ?? noAddressError(this.#endpoint);
  }

  /** Closes all attempts without calling the owner. */
  cancel(): void {
    this.#loop.wheel.disarm(this);
    for (const attempt of this.#attempts.splice(0)) this.#loop.poller.close(attempt);
  }

  /** Closes all attempts at the owner's deadline. Returns why no address accepted. */
  timeOut(): Error {
    const attempt = this.#attempts.at(-1);
    if (attempt !== undefined) this.#note(connectError(ETIMEDOUT, attempt.target));
    this.cancel();
    return this.error;
  }

  override expire(): void {
    try {
      this.#dialNext();
    } catch (error) {
      this.fault(error);
    }
  }

  /** Called when an address accepts. */
  accepted(attempt: Attempt): void {
    const index = this.#targets.indexOf(attempt.target);
    this.#attempts.splice(this.#attempts.indexOf(attempt), 1);
    this.cancel();
    this.#endpoint.prefer(this.#addresses[index]!);
    this.#owner.dialConnected(attempt);
  }

  /** Called when an address fails. */
  failed(attempt: Attempt, errno: number): void {
    const { poller, wheel } = this.#loop;
    this.#attempts.splice(this.#attempts.indexOf(attempt), 1);
    poller.close(attempt);
    this.#note(connectError(errno, attempt.target));
    wheel.disarm(this);
    this.#dialNext();
    if (this.#attempts.length === 0) this.#owner.dialFailed(this.error);
  }

  takeError(fd: number): number {
    return this.#loop.sockets.takeError(fd);
  }

  fault(error: unknown): void {
    this.cancel();
    this.#owner.dialFault(error);
  }

  /** Dials addresses until one attempt is in progress or none is left. */
  #dialNext(): void {
    const { sockets, poller, wheel } = this.#loop;
    while (this.#next < this.#targets.length) {
      const target = this.#targets[this.#next++]!;
      const fd = sockets.open(target);
      const result = fd < 0 ? fd : sockets.connect(fd, target);
      if (result !== 0 && result !== -EINPROGRESS) {
        if (fd >= 0) sockets.close(fd);
        this.#note(connectError(-result, target));
        continue;
      }
      const attempt = new Attempt(this, target);
      const refusal = poller.tryWatch(attempt, fd, EPOLLOUT);
      if (refusal !== null) {
        this.#note(refusal);
        continue;
      }
      this.#attempts.push(attempt);
      if (this.#next < this.#targets.length) wheel.arm(this, NEXT_ADDRESS_MS);
      return;
    }
  }

  #note(error: SystemCallError): void {
    this.#error = decisiveError(this.#error, error);
  }
}

/** A dial of one address. */
class Attempt extends Watched {
  readonly target: SocketAddress;
  readonly #dial: AddressDial;

  constructor(dial: AddressDial, target: SocketAddress) {
    super();
    this.#dial = dial;
    this.target = target;
  }

  override ready(events: number): void {
    const broken = (events & (EPOLLERR | EPOLLHUP)) !== 0;
    const errno = broken ? this.#dial.takeError(this.fd) : 0;
    if (errno !== 0) this.#dial.failed(this, errno);
    else if (broken || (events & EPOLLOUT) !== 0) this.#dial.accepted(this);
  }

  override fault(error: unknown): void {
    this.#dial.fault(error);
  }
}

function connectError(errno: number, { text }: SocketAddress): SystemCallError {
  return new SystemCallError('connect', errno, text);
}

function noAddressError({ label }: DialledEndpoint): Error {
  return Object.assign(new Error(`${label} has no address`), { code: 'ENOTFOUND' });
}
