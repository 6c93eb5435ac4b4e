/**
 * Sends ticket keys to the process that takes over, through an abstract UNIX socket (unix(7)). The socket
 * exists only during the takeover. The keys never leave the machine, and touch no file.
 *
 * The admin API only reveals the socket's name. Any local user could connect, so each side asks the kernel
 * for the other side's user.
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { finished } from 'node:stream/promises';
import { messageOf } from '../../core/errors.ts';
import { peerUserOf } from '../../sys/node/node-sockets.ts';

/** Returns the user at the other end of a socket; null if unknown. */
type FindUser = (socket: Socket) => number | null;

const NAME = /^sluice-tickets-[0-9a-f]{32}$/;
/** Enough for the keys of 10,000 listeners. */
const MAX_BYTES = 4 * 1024 * 1024;
const TIMEOUT_MS = 2000;
const ROOT = 0;

/** Receives the keys of another process, once. */
export class KeyReceiver {
  /** Name of the socket. */
  readonly name: string;
  readonly #server: Server;
  readonly #text = Promise.withResolvers<string>();
  readonly #findUser: FindUser;

  private constructor(name: string, server: Server, findUser: FindUser) {
    this.name = name;
    this.#server = server;
    this.#findUser = findUser;
    this.#text.promise.catch(() => undefined);
    server.on('connection', (socket) => void this.#take(socket));
  }

  /** Starts to listen. Returns null if the system has no abstract sockets. */
  static async open(findUser: FindUser = peerUserOf): Promise<KeyReceiver | null> {
    const name = `sluice-tickets-${randomBytes(16).toString('hex')}`;
    const server = createServer();
    try {
      server.listen(pathOf(name));
      await once(server, 'listening');
    } catch {
      return null;
    }
    return new KeyReceiver(name, server, findUser);
  }

  /** Returns the text from the other process. Rejects after a timeout of two seconds. */
  async receive(timeoutMs = TIMEOUT_MS): Promise<string> {
    const late = setTimeout(() => this.#text.reject(new Error('the keys did not arrive in time')), timeoutMs);
    try {
      return await this.#text.promise;
    } finally {
      clearTimeout(late);
    }
  }

  close(): void {
    this.#server.close();
    this.#text.reject(new Error('closed'));
  }

  async #take(socket: Socket): Promise<void> {
    socket.on('error', () => undefined);
    if (!isTrusted(this.#findUser(socket))) {
      socket.destroy();
      return;
    }
    const late = setTimeout(() => socket.destroy(), TIMEOUT_MS);
    const chunks: Buffer[] = [];
    let bytes = 0;
    try {
      for await (const chunk of socket as AsyncIterable<Buffer>) {
        bytes += chunk.length;
        if (bytes > MAX_BYTES) return;
        chunks.push(chunk);
      }
      // A sender that does not trust this process sends nothing.
      if (bytes > 0) this.#text.resolve(Buffer.concat(chunks).toString());
    } catch {
      // The other process has disconnected, so `receive` times out.
    } finally {
      clearTimeout(late);
      socket.destroy();
    }
  }
}

/**
 * Sends keys to the process that listens under a name.
 *
 * @returns why they cannot be sent, in words for that process; null if it has received them
 */
export async function sendKeys(
  name: string,
  text: string,
  findUser: FindUser = peerUserOf,
): Promise<string | null> {
  if (!NAME.test(name)) return 'invalid name of a key channel';
  if (Buffer.byteLength(text) > MAX_BYTES) return 'too many keys';
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const socket = connect(pathOf(name));
  socket.on('error', () => undefined);
  try {
    await once(socket, 'connect', { signal });
    const user = findUser(socket);
    if (user === null) return 'the user of the peer is unknown: system calls are unavailable';
    if (!isTrusted(user))
      return `the keys belong to user ${process.geteuid?.()}, but user ${user} asked for them`;
    socket.resume().end(text);
    await finished(socket, { signal });
    return null;
  } catch (error) {
    return `the key channel failed: ${messageOf(error).replaceAll('\0', '@')}`;
  } finally {
    socket.destroy();
  }
}

/** Keys pass between processes of one user, and to and from root, who can read all memory anyway. */
function isTrusted(user: number | null): boolean {
  return user !== null && (user === ROOT || user === process.geteuid?.());
}

function pathOf(name: string): string {
  return `\0${name}`;
}
