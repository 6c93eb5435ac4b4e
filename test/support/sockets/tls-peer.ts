/** Clients' ends of TLS connections. */
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { within } from '../deadline.ts';
import { TcpPeer } from './tcp-peer.ts';

export class TlsPeer extends TcpPeer {
  readonly #tcp: Socket;
  readonly tls: TLSSocket;

  private constructor(tcp: Socket, options: ConnectionOptions) {
    const tls = connectTls({ ...options, socket: tcp });
    super(tls);
    this.tls = tls;
    this.#tcp = tcp;
    tcp.on('error', () => undefined);
  }

  /**
   * Connects, and does the handshake.
   *
   * @param address `host:port`
   * @param options of `tls.connect`: by default every certificate is trusted
   * @param sends what goes before TLS, and right behind the handshake
   */
  static override async connect(
    address: string,
    options: ConnectionOptions = {},
    sends: { readonly before?: string; readonly first?: string } = {},
  ): Promise<TlsPeer> {
    const { hostname, port } = new URL(`tcp://${address}`);
    const tcp = connectTcp({ host: hostname, port: Number(port), noDelay: true, allowHalfOpen: true });
    const { before = '', first = '' } = sends;
    if (before !== '') tcp.write(before);
    const peer = new TlsPeer(tcp, { rejectUnauthorized: false, ...options });
    if (first !== '') peer.send(first);
    const connected = new Promise<void>((settle, fail) => {
      peer.socket.once('secureConnect', settle);
      peer.socket.once('error', fail);
      tcp.once('error', fail);
    });
    await within(`the handshake with ${address}`, connected);
    return peer;
  }

  /** Bytes received, TLS overhead included. */
  get bytesRead(): number {
    return this.#tcp.bytesRead;
  }

  /** Sends FIN without close_notify. */
  finish(): void {
    this.#tcp.end();
  }

  override reset(): void {
    this.#tcp.resetAndDestroy();
    this.socket.destroy();
  }

  override destroy(): void {
    super.destroy();
    this.#tcp.destroy();
  }
}

/** Does what `SystemPeer` does, by TLS. */
export class TlsSystemPeer {
  readonly #peer: TlsPeer;

  private constructor(peer: TlsPeer) {
    this.#peer = peer;
  }

  /** @param address `host:port` */
  static async connect(address: string): Promise<TlsSystemPeer> {
    return new TlsSystemPeer(await TlsPeer.connect(address));
  }

  send(bytes: number): void {
    this.#peer.send(Buffer.alloc(bytes));
  }

  /** Waits until the kernel has all that was sent, and the other end's kernel has had time to get it. */
  async delivered(): Promise<void> {
    const { socket } = this.#peer;
    await within('the kernel', new Promise<unknown>((settle) => socket.write('', settle)));
    await new Promise((settle) => setTimeout(settle, 50));
  }

  async receiveAll(): Promise<{ readonly bytes: number; readonly end: string }> {
    const failure = await this.#peer.read().closed();
    return { bytes: this.#peer.received, end: failure === '' ? 'FIN' : failure };
  }

  end(): void {
    this.#peer.end();
  }

  reset(): void {
    this.#peer.reset();
  }

  close(): void {
    this.#peer.destroy();
  }
}
