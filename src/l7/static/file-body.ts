import type { FileHandle } from 'node:fs/promises';
import { CachedReads } from '../../sys/cached-reads.ts';
import type { HttpReply } from '../contract/http-reply.ts';
import type { ByteRange } from './byte-range.ts';

/** Bytes that are read and sent at a time, and that a client costs which does not read. */
const CHUNK_BYTES = 128 * 1024;

/**
 * Streams a range of a file into a reply whose head is set, as fast as the client takes it. Returns when the reply is
 * over; throws if the file cannot be read, or ends before its range.
 *
 * Files that the kernel has in memory are read by the thread itself, which costs less than Node's thread pool. Only one
 * chunk in each turn of the loop: a fast client must not hold up the others.
 */
export async function sendRange(
  handle: FileHandle,
  { first, last }: ByteRange,
  reply: HttpReply,
): Promise<void> {
  const cached = cachedReads();
  let buffer: Buffer | null = null;
  let hasTurned = true;
  for (let position = first; position <= last && !reply.aborted;) {
    const wanted = Math.min(CHUNK_BYTES, last - position + 1);
    const atHand: number = hasTurned && cached !== null ? cached.read(handle.fd, wanted, position) : 0;
    hasTurned = atHand <= 0;
    let chunk: Buffer;
    if (atHand > 0) {
      chunk = cached!.bytes.subarray(0, atHand);
    } else {
      buffer ??= Buffer.allocUnsafe(wanted);
      const { bytesRead } = await handle.read(buffer, 0, wanted, position);
      if (bytesRead === 0) throw new Error('the file has become shorter');
      chunk = buffer.subarray(0, bytesRead);
    }
    position += chunk.length;
    if (!reply.write(chunk, atHand > 0)) {
      hasTurned = true;
      await new Promise<void>((resolve) => {
        reply.whenWritable(resolve);
      });
    }
  }
}

/** Undefined before the first file. */
let reads: CachedReads | null | undefined;

/** Returns the reads of this thread; null if system calls cannot be used. */
function cachedReads(): CachedReads | null {
  if (reads !== undefined) return reads;
  try {
    reads = new CachedReads(CHUNK_BYTES);
  } catch {
    reads = null;
  }
  return reads;
}
