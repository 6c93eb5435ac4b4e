import type { ServerResponse } from 'node:http';
import type { AdminConnection } from '../admin-connections.ts';
import { preambleOf, type LiveChunk } from './live-chunk.ts';
import type { LiveFeed, LiveReader } from './live-feed.ts';

/** The body of an answer that goes on until its client goes. */
export interface LiveStream {
  readonly feed: LiveFeed;
  readonly encoding: 'gzip' | null;
  /** The client's address or network. */
  readonly address: string;
}

/** The connection of a stream: knows how long the client takes for a frame. */
type Client = Pick<AdminConnection, 'answered' | 'taken'>;

/** Begins to write frames, after the head of the answer, until the connection is closed. */
export function beginStream(
  { feed, encoding, address }: LiveStream,
  response: ServerResponse,
  client: Client,
): void {
  if (response.destroyed) return;
  let isReady = true;
  let isOpen = true;
  const write = (bytes: Buffer): void => {
    if (!isOpen || response.write(bytes)) return;
    isReady = false;
    client.answered();
  };
  const reader: LiveReader = {
    address,
    take: (chunk) => {
      // No queue: a slow client sees fewer frames, each of them new.
      if (isReady && !isEncoding) void writeChunk(chunk);
      else feed.skipped++;
    },
  };
  let isEncoding = false;
  const writeChunk = async (chunk: LiveChunk): Promise<void> => {
    isEncoding = true;
    // Without memory for the compression the client misses a frame.
    const bytes = await chunk.bytes(encoding).catch(() => null);
    isEncoding = false;
    if (bytes === null) feed.skipped++;
    else write(bytes);
  };
  response.on('drain', () => {
    isReady = true;
    client.taken();
  });
  response.once('close', () => {
    isOpen = false;
    feed.leave(reader);
  });
  write(preambleOf(encoding));
  feed.join(reader);
}
