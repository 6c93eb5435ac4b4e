/** A TCP proxy that delays every byte both ways, as a long way does. */
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { once } from 'node:events';

export class SlowLink {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(port: number, delayMs: number) {
    this.#server = createServer((client) => {
      const server = connect(port, '127.0.0.1');
      for (const [from, to] of [
        [client, server],
        [server, client],
      ] as const) {
        this.#sockets.add(from);
        // Timers of one length fire in the order in which they were set.
        const later = (act: () => void): void => void setTimeout(act, delayMs).unref();
        from.setNoDelay(true);
        from.on('data', (bytes) => later(() => to.writable && to.write(bytes)));
        from.on('error', () => undefined);
        from.on('close', () => {
          this.#sockets.delete(from);
          later(() => to.destroy());
        });
      }
    });
    this.#server.unref();
  }

  /** @param port on 127.0.0.1: the target of all connections */
  static async listen(port: number, delayMs: number): Promise<SlowLink> {
    const link = new SlowLink(port, delayMs);
    link.#server.listen(0, '127.0.0.1');
    await once(link.#server, 'listening');
    return link;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}
