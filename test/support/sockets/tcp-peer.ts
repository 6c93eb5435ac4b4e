/** Ends of TCP connections whose every byte, FIN and reset a test sees and makes. */
import { createHash, randomBytes } from 'node:crypto';
import { connect, createServer } from 'node:net';
import type { ListenOptions, Server, Socket } from 'node:net';
import { atTrueEnd } from '../../../src/sys/node/true-end.ts';
import { Arrivals, DEADLINE_MS, within } from '../deadline.ts';

/** Max received bytes that are kept as text. */
const KEPT_BYTES = 64 * 1024;
const LARGEST_CHUNK = 256 * 1024;
const FLOOD_CHUNK = Buffer.alloc(64 * 1024, 'flood');
/** A sender counts as stopped if none of its bytes were taken for this long. */
const QUIET_MS = 700;

export class TcpPeer {
  readonly socket: Socket;
  /** Bytes received. */
  received = 0;
  /** Bytes of {@link flood} that the kernel has taken. */
  flooded = 0;
  readonly #hash = createHash('sha256');
  readonly #closed: Promise<string>;
  readonly #watchers = new Set<() => void>();
  #text = '';
  #ended = false;
  #gone = false;
  #failure = '';
  #flooding = false;

  /** Nothing is read before {@link read}. */
  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('error', (error: NodeJS.ErrnoException) => (this.#failure = error.code ?? error.message));
    socket.once('end', () => {
      atTrueEnd(socket, () => {
        this.#ended = true;
        this.#notify();
      });
    });
    this.#closed = new Promise((settle) => {
      socket.once('close', () => {
        this.#gone = true;
        settle(this.#failure);
        this.#notify();
      });
    });
  }

  /** @param address `host:port`, `[ipv6]:port` */
  static async connect(address: string): Promise<TcpPeer> {
    const { hostname, port } = new URL(`tcp://${address}`);
    const host = hostname.replace(/^\[|\]$/g, '');
    const peer = new TcpPeer(connect({ host, port: Number(port), noDelay: true, allowHalfOpen: true }));
    const connected = new Promise<void>((settle, fail) => {
      peer.socket.once('connect', settle);
      peer.socket.once('error', fail);
    });
    await within(`the connection to ${address}`, connected);
    return peer;
  }

  /** Begins to read. */
  read(): this {
    this.socket.on('data', (bytes: Buffer) => {
      this.received += bytes.length;
      this.#hash.update(bytes);
      if (this.#text.length < KEPT_BYTES) this.#text += bytes.toString('latin1');
      this.#notify();
    });
    // A listener does not wake a socket that has been paused.
    this.socket.resume();
    return this;
  }

  send(bytes: string | Buffer): void {
    this.socket.write(bytes);
  }

  /** Sends a FIN behind all that was sent. */
  end(): void {
    this.socket.end();
  }

  reset(): void {
    this.socket.resetAndDestroy();
  }

  /** Sends random bytes in chunks of random sizes, as fast as they are taken; returns their digest. */
  async sendRandom(total: number): Promise<string> {
    const pool = randomBytes(Math.min(total, 2 * LARGEST_CHUNK));
    const hash = createHash('sha256');
    for (let left = total; left > 0;) {
      // Most chunks are small, and some are a single byte.
      const size = Math.min(left, pool.length, Math.ceil(LARGEST_CHUNK * Math.random() ** 4));
      const start = Math.floor(Math.random() * (pool.length - size + 1));
      const chunk = pool.subarray(start, start + size);
      hash.update(chunk);
      left -= size;
      if (this.socket.write(chunk)) continue;
      await within('the sender to get on', this.#event('drain'));
    }
    return hash.digest('hex');
  }

  /** Sends as fast as the peer takes it, until {@link stopFlood} or a number of bytes. */
  flood(most: number): void {
    this.#flooding = true;
    let waiting = 0;
    const more = (): void => {
      while (this.#flooding && waiting < 4 && this.flooded + waiting * FLOOD_CHUNK.length < most) {
        waiting++;
        this.socket.write(FLOOD_CHUNK, (error) => {
          waiting--;
          if (error) return;
          this.flooded += FLOOD_CHUNK.length;
          more();
        });
      }
    };
    more();
  }

  stopFlood(): void {
    this.#flooding = false;
  }

  /** Waits until the kernel takes no more of the flood; returns how much it has taken. */
  async floodStops(): Promise<number> {
    const end = performance.now() + DEADLINE_MS;
    for (;;) {
      const before = this.flooded;
      await new Promise((settle) => setTimeout(settle, QUIET_MS));
      if (before === this.flooded && before > 0) return before;
      if (performance.now() > end) throw new Error(`${this.flooded} bytes were taken, and no end of it`);
    }
  }

  /** Waits for a number of bytes; returns the digest of all received bytes. */
  async receives(bytes: number, deadlineMs = DEADLINE_MS): Promise<string> {
    await this.#until(() => this.received >= bytes, `${bytes} bytes`, deadlineMs);
    return this.#hash.copy().digest('hex');
  }

  /** Waits until the received bytes, up to 64 KiB, are this text. */
  async receivesText(text: string): Promise<void> {
    await this.#until(() => this.#text === text, JSON.stringify(text));
  }

  /** Waits for the other side's FIN. */
  async ended(): Promise<void> {
    await this.#until(() => this.#ended, 'FIN');
  }

  /** Waits for the end of both directions; returns the name of the error that made it, or nothing. */
  closed(): Promise<string> {
    return within('the end of the connection', this.#closed);
  }

  get isOpen(): boolean {
    return !this.#gone && !this.#ended;
  }

  destroy(): void {
    this.#flooding = false;
    this.socket.destroy();
  }

  #event(name: string): Promise<void> {
    return new Promise((settle, fail) => {
      this.socket.once(name, settle);
      void this.#closed.then((failure) => fail(new Error(`closed (${failure}) before ${name}`)));
    });
  }

  #notify(): void {
    for (const watcher of this.#watchers) watcher();
  }

  async #until(reached: () => boolean, what: string, deadlineMs = DEADLINE_MS): Promise<void> {
    let watcher: () => void = () => undefined;
    const done = new Promise<void>((settle, fail) => {
      watcher = () => {
        if (reached()) settle();
        else if (this.#gone) {
          const end = this.#failure === '' ? 'closed' : this.#failure;
          fail(new Error(`${end} after ${this.received} bytes, before ${what}`));
        }
      };
      this.#watchers.add(watcher);
      watcher();
    });
    try {
      await within(what, done, deadlineMs);
    } finally {
      this.#watchers.delete(watcher);
    }
  }
}

/** A TCP server whose connections wait to be taken by a test, or behave as it says. */
export class TcpEndpoint {
  readonly peers = new Arrivals<TcpPeer>('a connection to the endpoint');
  readonly #server: Server;
  readonly #open = new Set<TcpPeer>();

  private constructor(behave: ((peer: TcpPeer) => void) | null) {
    this.#server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true }, (socket) => {
      const peer = new TcpPeer(socket);
      this.#open.add(peer);
      socket.once('close', () => this.#open.delete(peer));
      if (behave === null) this.peers.push(peer);
      else behave(peer);
    });
  }

  /** Rejects where the machine has no such address. */
  static async listen(
    where: ListenOptions = { host: '127.0.0.1', port: 0 },
    behave: ((peer: TcpPeer) => void) | null = null,
  ): Promise<TcpEndpoint> {
    const endpoint = new TcpEndpoint(behave);
    await new Promise<void>((settle, fail) => {
      endpoint.#server.once('error', fail);
      endpoint.#server.listen(where, settle);
    });
    return endpoint;
  }

  /** Makes an endpoint that sends everything back. */
  static echo(): Promise<TcpEndpoint> {
    return TcpEndpoint.listen(undefined, (peer) => {
      peer.read().socket.on('data', (bytes: Buffer) => peer.send(bytes));
      peer.socket.once('end', () => peer.end());
    });
  }

  /** As a configuration has it. */
  get address(): string {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') return `unix:${address ?? ''}`;
    return address.family === 'IPv6' ? `[${address.address}]:${address.port}` : `127.0.0.1:${address.port}`;
  }

  /** Closes every connection, and drops those that no test has taken. */
  clear(): void {
    for (const peer of this.#open) peer.destroy();
    this.peers.forget();
  }

  close(): void {
    this.#server.close();
    this.clear();
  }
}
