import type { RedisClientType } from 'redis';
import { messageOf } from '../../../core/errors.ts';

/** One connection to a Redis server. It does not reconnect. */
export interface RedisConnection {
  /** Sends a command. Rejects with an error reply, or because the connection has ended. */
  send(args: readonly string[]): Promise<unknown>;
  /** Hears the messages of a channel from now on. */
  subscribe(channel: string, hear: (message: string) => void): Promise<void>;
}

export interface RedisDialling {
  readonly url: string;
  /** Closes the connection, before it is made or later. */
  readonly signal: AbortSignal;
  /** Called at most once: the connection has ended by itself. */
  readonly onEnd: (reason: string) => void;
}

/**
 * Opens a connection. Resolves when the server has accepted the password; rejects if the connection fails.
 */
export type RedisDial = (dialling: RedisDialling) => Promise<RedisConnection>;

/** Max time of a TCP and TLS handshake. */
const CONNECT_TIMEOUT_MS = 2000;
/** Max commands that wait for an answer. A batch of every limit fits in. */
const MAX_WAITING_COMMANDS = 10_000;

/**
 * Opens a connection by the package `redis`. It is loaded here: it takes 30 MB, and most processes do not
 * need it.
 */
export async function dialRedis({ url, signal, onEnd }: RedisDialling): Promise<RedisConnection> {
  const { createClient } = await import('redis');
  const client: RedisClientType = createClient({
    url,
    socket: { connectTimeout: CONNECT_TIMEOUT_MS, reconnectStrategy: false },
    disableOfflineQueue: true,
    disableClientInfo: true,
    commandsQueueMaxLength: MAX_WAITING_COMMANDS,
    maintNotifications: 'disabled',
    name: 'sluice',
  });
  let isOpen = false;
  // Without a handler an error would end the process.
  client.on('error', (error: unknown) => {
    if (isOpen && !signal.aborted) onEnd(messageOf(error));
    isOpen = false;
  });
  const close = (): void => client.destroy();
  // A client that is closed while it connects closes only its next socket (redis 6.3.1).
  client.on('connect', () => {
    if (signal.aborted) close();
  });
  signal.addEventListener('abort', close, { once: true });
  signal.throwIfAborted();
  await client.connect();
  isOpen = true;
  return {
    send: (args) => client.sendCommand(args),
    subscribe: (channel, hear) => client.subscribe(channel, hear),
  };
}
