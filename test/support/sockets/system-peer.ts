/** Ends of TCP connections on system calls: Node's sockets do not always tell a reset from FIN. */
import { constants } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { formatAddress, parseAddress } from '../../../src/core/address.ts';
import { EAGAIN, errorName } from '../../../src/sys/errno.ts';
import { PinnedBuffer } from '../../../src/sys/memory/pinned-buffer.ts';
import { SocketAddress } from '../../../src/sys/sockets/socket-address.ts';
import { Sockets } from '../../../src/sys/sockets/sockets.ts';
import { freshAddress } from '../../unit/sys/pairs.ts';
import { DEADLINE_MS } from '../deadline.ts';

const { EALREADY, EINPROGRESS, EISCONN } = constants.errno;
const BUFFER_BYTES = 256 * 1024;

export class SystemPeer {
  readonly #sockets: Sockets;
  readonly #buffer = new PinnedBuffer(BUFFER_BYTES);
  #fd: number;

  constructor(sockets: Sockets, fd: number) {
    this.#sockets = sockets;
    this.#fd = fd;
  }

  /** @param address `host:port` */
  static async connect(address: string): Promise<SystemPeer> {
    const sockets = new Sockets();
    const target = new SocketAddress(parseAddress(address)!);
    const fd = sockets.open(target);
    const peer = new SystemPeer(sockets, fd);
    await peer.#until(() => {
      const result = sockets.connect(fd, target);
      if (result === -EINPROGRESS || result === -EALREADY) return false;
      if (result === 0 || result === -EISCONN) return true;
      throw new Error(errorName(-result));
    });
    return peer;
  }

  /** Sends a number of bytes at once. */
  send(bytes: number): void {
    const sent = this.#buffer.send(this.#fd, 0, bytes);
    if (sent !== bytes) throw new Error(`${sent} of ${bytes} bytes were taken`);
  }

  /** Waits until the other end's kernel has all that was sent. */
  async delivered(): Promise<void> {
    await this.#until(() => this.#sockets.unacknowledged(this.#fd) === 0);
  }

  /** Receives a number of bytes. */
  async receive(bytes: number): Promise<void> {
    for (let left = bytes; left > 0;) {
      const received = await this.#receiveSome(left);
      if (received <= 0) throw new Error(`ended (${received}) with ${left} bytes to come`);
      left -= received;
    }
  }

  /** Receives all that comes. Returns how much it was, and how it has ended: `FIN`, or the name of the error. */
  async receiveAll(): Promise<{ readonly bytes: number; readonly end: string }> {
    for (let bytes = 0; ;) {
      const received = await this.#receiveSome(BUFFER_BYTES);
      if (received <= 0) return { bytes, end: received === 0 ? 'FIN' : errorName(-received) };
      bytes += received;
    }
  }

  end(): void {
    this.#sockets.finish(this.#fd);
  }

  /** Closes the connection with a reset. */
  reset(): void {
    this.#sockets.resetOnClose(this.#fd);
    this.close();
  }

  close(): void {
    if (this.#fd >= 0) this.#sockets.close(this.#fd);
    this.#fd = -1;
  }

  async #receiveSome(most: number): Promise<number> {
    let received = 0;
    await this.#until(() => (received = this.#buffer.recv(this.#fd, 0, most)) !== -EAGAIN);
    return received;
  }

  async #until(reached: () => boolean): Promise<void> {
    for (const end = performance.now() + DEADLINE_MS; !reached();) {
      if (performance.now() > end) throw new Error('nothing arrived in time');
      await pause(1);
    }
  }
}

/** A listening socket whose connections wait to be taken. */
export class SystemEndpoint {
  readonly address: string;
  readonly #sockets: Sockets;
  readonly #fd: number;

  private constructor(sockets: Sockets, fd: number, address: string) {
    this.#sockets = sockets;
    this.#fd = fd;
    this.address = address;
  }

  /** @param backlog the kernel keeps one connection more, and drops the SYN of others */
  static async listen(backlog = 128): Promise<SystemEndpoint> {
    const { address } = await freshAddress('IPv4');
    const sockets = new Sockets();
    return new SystemEndpoint(
      sockets,
      sockets.listen(new SocketAddress(address), backlog),
      formatAddress(address),
    );
  }

  async accept(): Promise<SystemPeer> {
    for (const end = performance.now() + DEADLINE_MS; ;) {
      const fd = this.#sockets.accept(this.#fd);
      if (fd >= 0) return new SystemPeer(this.#sockets, fd);
      if (performance.now() > end) throw new Error('no connection arrived in time');
      await pause(1);
    }
  }

  close(): void {
    this.#sockets.close(this.#fd);
  }
}
