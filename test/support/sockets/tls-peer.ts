/** Clients' ends of TLS connections. */
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import { within } from '../deadline.ts';
import { TcpPeer } from './tcp-peer.ts';

export class TlsPeer extends TcpPeer {
  readonly #tcp: Socket;

  private constructor(tcp: Socket, options: ConnectionOptions) {
    super(connectTls({ ...options, socket: tcp }));
    this.#tcp = tcp;
    tcp.on('error', () => undefined);
  }

  /**
   * Connects, and does the handshake.
   *
   * @param address `host:port`
   * @param options of `tls.connect`: by default every certificate is trusted
   */
  static override async connect(address: string, options: ConnectionOptions = {}): Promise<TlsPeer> {
    const { hostname, port } = new URL(`tcp://${address}`);
    const tcp = connectTcp({ host: hostname, port: Number(port), noDelay: true, allowHalfOpen: true });
    const peer = new TlsPeer(tcp, { rejectUnauthorized: false, ...options });
    const connected = new Promise<void>((settle, fail) => {
      peer.socket.once('secureConnect', settle);
      peer.socket.once('error', fail);
      tcp.once('error', fail);
    });
    await within(`the handshake with ${address}`, connected);
    return peer;
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
