import net from 'node:net';
import { getSystemErrorName } from 'node:util';
import type { TcpAddress } from '../../core/address.ts';
import type { Reservation } from '../sockets/port-reservation.ts';

/** The methods used of a libuv handle. */
interface BoundHandle {
  getsockname(into: { port?: number }): number;
  close(): void;
}

/** Returns a bound handle that does not listen, or an error number. Node's cluster module uses it. */
type CreateServerHandle = (host: string, port: number, family: 4 | 6) => BoundHandle | number;

const { _createServerHandle: createHandle } = net as unknown as { _createServerHandle?: CreateServerHandle };

/**
 * A {@link Reservation} without system calls. Node has no public way to bind without listening, so this uses
 * `net._createServerHandle` (seen in Node 22). Workers cannot share its address, so it ends when they start.
 */
export class NodeReservation implements Reservation {
  /** Whether this Node has the function. */
  static readonly isSupported = createHandle !== undefined;

  readonly port: number;
  #handle: BoundHandle | null;

  /**
   * @throws Error with a `code` if the address cannot be bound
   * @throws TypeError if this Node lacks the function
   */
  constructor({ host, port }: TcpAddress) {
    if (createHandle === undefined) throw new TypeError('this Node does not bind without listening');
    const handle = createHandle(host, port, net.isIP(host) === 6 ? 6 : 4);
    if (typeof handle === 'number') throw bindError(handle);
    // libuv reports an address in use only here.
    const bound: { port?: number } = {};
    const status = handle.getsockname(bound);
    if (status !== 0) {
      handle.close();
      throw bindError(status);
    }
    this.#handle = handle;
    this.port = bound.port ?? port;
  }

  share(): void {
    this.close();
  }

  close(): void {
    this.#handle?.close();
    this.#handle = null;
  }
}

function bindError(status: number): NodeJS.ErrnoException {
  const code = getSystemErrorName(status);
  return Object.assign(new Error(`bind: ${code}`), { code });
}
