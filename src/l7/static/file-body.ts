import type { FileHandle } from 'node:fs/promises';
import { CachedReads } from '../../sys/cached-reads.ts';
import type { HttpReply } from '../contract/http-reply.ts';
import type { ByteRange } from './byte-range.ts';

/** Bytes that are read and sent at a time. A client that does not read costs this much memory. */
const CHUNK_BYTES = 128 * 1024;

/**
 * Streams a range of a file into a reply with a head, as fast as the client takes it. Resolves when the reply
 * ends. Rejects if the file cannot be read, or ends before the range does.
 *
 * The thread itself reads files that the kernel has cached, which is cheaper than Node's thread pool. It
 * reads only one chunk per turn of the loop, so that a fast client does not delay others.
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
    const cachedBytes: number = hasTurned && cached !== null ? cached.read(handle.fd, wanted, position) : 0;
    hasTurned = cachedBytes <= 0;
    let chunk: Buffer;
    if (cachedBytes > 0) {
      chunk = cached!.bytes.subarray(0, cachedBytes);
    } else {
      buffer ??= Buffer.allocUnsafe(wanted);
      const { bytesRead } = await handle.read(buffer, 0, wanted, position);
      if (bytesRead === 0) throw new Error('the file was truncated');
      chunk = buffer.subarray(0, bytesRead);
    }
    position += chunk.length;
    if (!reply.write(chunk, cachedBytes > 0)) {
      hasTurned = true;
      await new Promise<void>((resolve) => {
        reply.whenWritable(resolve);
      });
    }
  }
}

/** Undefined before the first file. */
let reads: CachedReads | null | undefined;

/** Returns this thread's cached reads, null if system calls are off. */
function cachedReads(): CachedReads | null {
  if (reads !== undefined) return reads;
  try {
    reads = new CachedReads(CHUNK_BYTES);
  } catch {
    reads = null;
  }
  return reads;
}
