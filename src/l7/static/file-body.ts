import type { FileHandle } from 'node:fs/promises';
import type { HttpReply } from '../contract/http-reply.ts';
import type { ByteRange } from './byte-range.ts';

/** Bytes that are read and sent at a time, and that a client costs which does not read. */
const CHUNK_BYTES = 128 * 1024;

/**
 * Streams a range of a file into a reply whose head is set, as fast as the client takes it. Returns when the reply is
 * over; throws if the file cannot be read, or ends before its range.
 */
export async function sendRange(
  handle: FileHandle,
  { first, last }: ByteRange,
  reply: HttpReply,
): Promise<void> {
  const buffer = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, last - first + 1));
  for (let position = first; position <= last && !reply.aborted;) {
    const wanted = Math.min(buffer.length, last - position + 1);
    const { bytesRead } = await handle.read(buffer, 0, wanted, position);
    if (bytesRead === 0) throw new Error('the file has become shorter');
    position += bytesRead;
    if (!reply.write(buffer.subarray(0, bytesRead))) {
      await new Promise<void>((resolve) => {
        reply.whenWritable(resolve);
      });
    }
  }
}
