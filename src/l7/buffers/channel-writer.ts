import type { Channel } from '../../transport/channel.ts';
import type { Slab } from './slab.ts';

/** Size of a writer's slab. */
export const WRITER_SLAB_BYTES = 64 * 1024;
/** Max length of a text that is copied into the slab before the bytes. */
const MAX_TEXT_CHARACTERS = WRITER_SLAB_BYTES / 2;

/**
 * Writes text and body bytes from one slab for a whole worker, directly by system call. Bytes that the kernel
 * does not take are buffered in the channel.
 */
export class ChannelWriter {
  readonly #slab: Slab;

  /** @param slab has {@link WRITER_SLAB_BYTES} bytes */
  constructor(slab: Slab) {
    this.#slab = slab;
  }

  /**
   * Writes bytes between two texts, in one system call if all of it fits into the slab.
   *
   * @param before as Latin-1
   * @param bytes valid during the call only
   * @param behind as Latin-1, short
   * @returns false if the caller should wait for `channelDrained`
   */
  write(channel: Channel, before: string, bytes: Uint8Array, behind: string): boolean {
    const slab = this.#slab.bytes;
    let filled = 0;
    if (before.length <= MAX_TEXT_CHARACTERS) filled = slab.write(before, 'latin1');
    else channel.write(Buffer.from(before, 'latin1'));
    for (let at = 0; ;) {
      const room = slab.length - filled - behind.length;
      const piece = at === 0 && bytes.length <= room ? bytes : bytes.subarray(at, at + room);
      slab.set(piece, filled);
      filled += piece.length;
      at += piece.length;
      if (at === bytes.length) return this.#flush(channel, filled + slab.write(behind, filled, 'latin1'));
      const sent = channel.sendFrom(this.#slab, 0, filled);
      if (sent < filled) {
        channel.writeCopy(slab.subarray(sent, filled));
        const canContinue = channel.writeCopy(bytes.subarray(at));
        return behind === '' ? canContinue : channel.write(Buffer.from(behind, 'latin1'));
      }
      filled = 0;
    }
  }

  /** Sends the slab up to `end`. Returns false if the caller should wait for `channelDrained`. */
  #flush(channel: Channel, end: number): boolean {
    if (end === 0) return channel.writableLength === 0;
    const sent = channel.sendFrom(this.#slab, 0, end);
    return sent === end || channel.writeCopy(this.#slab.bytes.subarray(sent, end));
  }
}
