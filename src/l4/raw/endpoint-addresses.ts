import { lookup, type LookupAddress } from 'node:dns';
import { isIP } from 'node:net';
import { type Address, type TcpAddress, formatAddress } from '../../core/address.ts';
import { Timed, type TimerWheel } from '../../core/timer-wheel.ts';
import { SocketAddress } from '../../sys/socket-address.ts';

/** How old the addresses of a host name may get. */
const REFRESH_MS = 10_000;
/** After how long a name that could not be looked up is looked up again. */
const RETRY_MS = 1000;

/** Looks a host name up, as `lookup` of `node:dns` does. */
type LookUp = (
  host: string,
  options: { readonly all: true },
  done: (error: NodeJS.ErrnoException | null, found: LookupAddress[]) => void,
) => void;

/** The addresses of one endpoint, in the order in which they are dialled. */
interface DialTargets {
  /** Empty where the endpoint's host name has not been resolved yet. */
  readonly list: readonly SocketAddress[];
  /** This one has accepted a connection: it is the first to be dialled from now on. */
  prefer(address: SocketAddress): void;
  /** Calls back as soon as a first look-up has ended, with whatever success; at once where there is none. */
  whenKnown(done: () => void): void;
}

/** Where the endpoints of a thread are to be dialled, host names looked up beforehand, so that no dial waits. */
export class EndpointAddresses {
  readonly #wheel: TimerWheel;
  readonly #targets = new Map<Address, DialTargets>();
  readonly #names: HostTargets[] = [];
  readonly #lookUp: LookUp;

  constructor(wheel: TimerWheel, lookUp: LookUp = lookup) {
    this.#wheel = wheel;
    this.#lookUp = lookUp;
  }

  /**
   * Gets an endpoint's address ready. Calls back when its host name has been looked up for the first time, with
   * whatever success; at once where there is none to look up.
   */
  prepare(address: Address, done: () => void): void {
    let targets = this.#targets.get(address);
    if (targets === undefined) {
      targets = this.#create(address);
      this.#targets.set(address, targets);
    }
    targets.whenKnown(done);
  }

  /** What has been prepared for an address, by the same object. */
  of(address: Address): DialTargets {
    const targets = this.#targets.get(address);
    if (targets === undefined) throw new RangeError(`the address ${formatAddress(address)} is not prepared`);
    return targets;
  }

  /** Looks nothing up any more. */
  close(): void {
    for (const targets of this.#names) targets.close();
  }

  #create(address: Address): DialTargets {
    if (address.kind === 'unix' || isIP(address.host) !== 0) {
      return new FixedTarget(new SocketAddress(address));
    }
    const targets = new HostTargets(address, this.#wheel, this.#lookUp);
    this.#names.push(targets);
    return targets;
  }
}

/** An address that stays as it is. */
class FixedTarget implements DialTargets {
  readonly list: readonly SocketAddress[];

  constructor(address: SocketAddress) {
    this.list = [address];
  }

  prefer(): void {
    // There is no other.
  }

  whenKnown(done: () => void): void {
    done();
  }
}

/** The addresses of a host name, looked up again and again; those known last stay while it cannot be resolved. */
class HostTargets extends Timed implements DialTargets {
  list: readonly SocketAddress[] = [];
  readonly #address: TcpAddress;
  readonly #wheel: TimerWheel;
  readonly #lookUp: LookUp;
  /** Who waits for the end of the first look-up; null after it. */
  #waiting: (() => void)[] | null = [];
  #closed = false;

  constructor(address: TcpAddress, wheel: TimerWheel, lookUp: LookUp) {
    super();
    this.#address = address;
    this.#wheel = wheel;
    this.#lookUp = lookUp;
    this.#refresh();
  }

  whenKnown(done: () => void): void {
    if (this.#waiting === null) done();
    else this.#waiting.push(done);
  }

  prefer(address: SocketAddress): void {
    if (address === this.list[0] || !this.list.includes(address)) return;
    this.list = [address, ...this.list.filter((other) => other !== address)];
  }

  close(): void {
    this.#closed = true;
    this.#wheel.disarm(this);
  }

  override expire(): void {
    this.#refresh();
  }

  #refresh(): void {
    this.#lookUp(this.#address.host, { all: true }, (error, found) => {
      if (this.#closed) return;
      if (error === null) this.#replace(found);
      this.#wheel.arm(this, error === null ? REFRESH_MS : RETRY_MS);
      const waiting = this.#waiting ?? [];
      this.#waiting = null;
      for (const done of waiting) done();
    });
  }

  #replace(found: readonly LookupAddress[]): void {
    const { port } = this.#address;
    const addresses = found.map(({ address }) => new SocketAddress({ kind: 'tcp', host: address, port }));
    const first = addresses.find(({ text }) => text === this.list[0]?.text);
    this.list = addresses;
    if (first !== undefined) this.prefer(first);
  }
}
