/** Clients that begin messages and do not finish them, written as bytes. */
import { connect as connectTls } from 'node:tls';
import { within } from '../deadline.ts';
import { RawConnection, upgradeRequest } from '../sockets/raw-connection.ts';
import { BINARY, encodeFrame } from './raw-frames.ts';

const CONTINUATION = 0;
const MASK = Buffer.alloc(4);
const FRAGMENT = 256 * 1024;

/** How a message is left unfinished: as fragments without the last one, or as a frame that breaks off. */
export type Manner = 'fragments' | 'one frame';

export class MessageHolder {
  readonly connection: RawConnection;
  readonly #payload: Buffer;
  readonly #manner: Manner;

  private constructor(connection: RawConnection, payload: Buffer, manner: Manner) {
    this.connection = connection;
    this.#payload = payload;
    this.#manner = manner;
  }

  /**
   * @param bytes part of the message that {@link hold} sends
   * @param ca the authority's certificate if the listener speaks TLS
   */
  static async join(
    address: string,
    bytes: number,
    manner: Manner,
    ca: string | null = null,
    headers: readonly string[] = [],
  ): Promise<MessageHolder> {
    const connection =
      ca === null ? await RawConnection.connect(address) : await connectSecurely(address, ca);
    connection.write(upgradeRequest('localhost', headers));
    const { startLine } = await connection.head();
    if (!startLine.startsWith('HTTP/1.1 101 ')) throw new Error(startLine);
    return new MessageHolder(connection, Buffer.alloc(bytes, 'held '), manner);
  }

  /** Sends all of the message but its last byte. */
  hold(): void {
    if (this.#manner === 'one frame') {
      const frame = encodeFrame(BINARY, this.#payload, { mask: MASK });
      this.connection.write(frame.subarray(0, frame.length - 1));
      return;
    }
    const end = this.#payload.length - 1;
    for (let at = 0; at < end; at += FRAGMENT) {
      const piece = this.#payload.subarray(at, Math.min(at + FRAGMENT, end));
      this.connection.write(encodeFrame(at === 0 ? BINARY : CONTINUATION, piece, { fin: false, mask: MASK }));
    }
  }

  /** Sends the last byte. */
  finish(): void {
    const last = this.#payload.subarray(-1);
    this.connection.write(
      this.#manner === 'one frame' ? last : encodeFrame(CONTINUATION, last, { mask: MASK }),
    );
  }

  get isOpen(): boolean {
    return !this.connection.socket.destroyed && !this.connection.socket.readableEnded;
  }
}

async function connectSecurely(address: string, ca: string): Promise<RawConnection> {
  const { hostname, port } = new URL(`tcp://${address}`);
  const socket = connectTls({ host: hostname, port: Number(port), servername: 'localhost', ca });
  const connection = new RawConnection(socket);
  await within(
    'the TLS connection',
    new Promise<void>((settle, fail) => {
      socket.once('secureConnect', settle);
      socket.once('error', fail);
    }),
  );
  return connection;
}
