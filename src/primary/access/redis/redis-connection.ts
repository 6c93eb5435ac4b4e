import type { RedisClientType } from '@redis/client';
import { messageOf } from '../../../core/errors.ts';

/** One connection to a Redis server, without reconnects. */
export interface RedisConnection {
  /** Sends a command. Rejects on an error reply, or when the connection ends. */
  send(args: readonly string[]): Promise<unknown>;
  /** Subscribes to the messages of a channel. */
  subscribe(channel: string, onMessage: (message: string) => void): Promise<void>;
}

export interface RedisDialling {
  readonly url: string;
  /** Aborts the dial, or closes the connection. */
  readonly signal: AbortSignal;
  /** Called at most once, when the connection ends without an abort. */
  readonly onEnd: (reason: string) => void;
}

/** Opens a connection. Resolves when the server has accepted the password. */
export type RedisDial = (dialling: RedisDialling) => Promise<RedisConnection>;

/** Max time for the TCP and TLS handshakes. */
const CONNECT_TIMEOUT_MS = 2000;
/** Max commands in flight. One batch of every limit fits. */
const MAX_WAITING_COMMANDS = 10_000;

/**
 * Opens a connection with the package `@redis/client`. The package is loaded only here: it takes 30 MB of
 * memory, and most processes do not use Redis.
 */
export async function dialRedis({ url, signal, onEnd }: RedisDialling): Promise<RedisConnection> {
  // A CommonJS package has only a default export in the bundle.
  const { default: redis } = await import('@redis/client');
  const client: RedisClientType = redis.createClient({
    url,
    socket: { connectTimeout: CONNECT_TIMEOUT_MS, reconnectStrategy: false },
    disableOfflineQueue: true,
    disableClientInfo: true,
    commandsQueueMaxLength: MAX_WAITING_COMMANDS,
    maintNotifications: 'disabled',
    name: 'sluice',
  });
  let isOpen = false;
  // Without an error handler, an error would end the process.
  client.on('error', (error: unknown) => {
    if (isOpen && !signal.aborted) onEnd(messageOf(error));
    isOpen = false;
  });
  const close = (): void => client.destroy();
  // Destroying a client that still connects does not close the socket that is being opened (@redis/client
  // 6.3.1).
  client.on('connect', () => {
    if (signal.aborted) close();
  });
  signal.addEventListener('abort', close, { once: true });
  signal.throwIfAborted();
  await client.connect();
  isOpen = true;
  return {
    send: (args) => client.sendCommand(args),
    subscribe: (channel, onMessage) => client.subscribe(channel, onMessage),
  };
}
