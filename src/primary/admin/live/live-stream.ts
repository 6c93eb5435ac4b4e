import type { ServerResponse } from 'node:http';
import type { AnswerClient, AnswerStream } from '../admin-answer.ts';
import { preambleOf, type LiveChunk } from './live-chunk.ts';
import type { LiveFeed, LiveReader } from './live-feed.ts';

/**
 * Returns an answer that streams frames until the connection closes.
 *
 * @param address the client's address or network
 */
export function liveStream(feed: LiveFeed, encoding: 'gzip' | null, address: string): AnswerStream {
  return { begin: (response, client) => beginStream(feed, encoding, address, response, client) };
}

function beginStream(
  feed: LiveFeed,
  encoding: 'gzip' | null,
  address: string,
  response: ServerResponse,
  client: AnswerClient,
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
      // There is no queue: a slow client sees fewer frames, but always new ones.
      if (isReady && !isEncoding) void writeChunk(chunk);
      else feed.skipped++;
    },
  };
  let isEncoding = false;
  const writeChunk = async (chunk: LiveChunk): Promise<void> => {
    isEncoding = true;
    // If compression runs out of memory, the client skips a frame.
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
