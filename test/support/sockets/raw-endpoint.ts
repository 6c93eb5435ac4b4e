/** An endpoint that says what a test writes, byte for byte. */
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import { Arrivals } from '../deadline.ts';
import { RawConnection, switchingProtocols, type RawHead } from './raw-connection.ts';

/** Plays the endpoint's part on one connection. */
type Part = (connection: RawConnection) => Promise<void>;

export class RawEndpoint {
  /** Connections that no part takes. */
  readonly connections = new Arrivals<RawConnection>('a connection to the endpoint');
  /** The errors that the part has thrown. */
  readonly failures: unknown[] = [];
  readonly #server: Server;
  readonly #open = new Set<RawConnection>();

  private constructor(part: Part | null, tls: TlsOptions | null) {
    const accept = (socket: Socket): void => {
      const connection = new RawConnection(socket);
      this.#open.add(connection);
      socket.once('close', () => this.#open.delete(connection));
      if (part === null) this.connections.push(connection);
      else part(connection).catch((error: unknown) => this.failures.push(error));
    };
    this.#server =
      tls === null
        ? createServer({ noDelay: true }, accept)
        : createTlsServer({ noDelay: true, ...tls }, accept);
  }

  /**
   * @param part called with each connection; null to keep connections for a test that waits for them
   * @param tls certificate and key; null for no TLS
   */
  static async listen(part: Part | null = null, tls: TlsOptions | null = null): Promise<RawEndpoint> {
    const endpoint = new RawEndpoint(part, tls);
    await new Promise<void>((settle) => endpoint.#server.listen(0, '127.0.0.1', settle));
    return endpoint;
  }

  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The next connection and the request on it, not answered yet. */
  async request(): Promise<{ readonly connection: RawConnection; readonly head: RawHead }> {
    const connection = await this.connections.next();
    return { connection, head: await connection.head() };
  }

  /** The next connection, answered with a right 101 and the bytes behind it. */
  async session(behind: Buffer = Buffer.alloc(0)): Promise<RawConnection> {
    const { connection, head } = await this.request();
    connection.write(Buffer.concat([Buffer.from(switchingProtocols(head)), behind]));
    return connection;
  }

  /** Cuts every connection. */
  clear(): void {
    for (const connection of this.#open) connection.destroy();
  }

  close(): void {
    this.#server.close();
    this.clear();
  }
}
