/**
 * One connection's byte stream, of a client or an endpoint. System calls carry it (`raw/`), or Node's sockets (`net/`). The
 * members that Node's sockets have, too, have the same names, so that a Node socket is a channel without an object beside it.
 */

/** Hears what happens on a channel. */
export interface ChannelOwner {
  /** Returns the max bytes of the next read; 64 KiB if the owner does not say. Node's sockets do not ask. */
  maxReadBytes?(): number;
  /** `input[start, end)` has come. All channels of the thread share the buffer: it is valid during the call only. */
  channelData(input: Buffer, start: number, end: number): void;
  /**
   * Bytes have gone to the target of {@link Channel.splice}, unseen.
   *
   * @param isTaken false if some of them wait in the target: its owner hears `channelDrained` when it has taken them
   */
  channelSpliced?(bytes: number, isTaken: boolean): void;
  /** The bytes of a write that returned false have been taken: the next write may follow. */
  channelDrained?(): void;
  /** The other side has sent FIN. */
  channelEnded(): void;
  /** The connection has closed, and nothing follows. May be called before `destroy` returns. */
  channelClosed(error: Error | null): void;
}

/** Memory whose bytes are sent without a copy. */
export interface SendSource {
  readonly bytes: Buffer;
  /**
   * Sends `bytes[start, end)` on a socket's descriptor.
   *
   * @returns the number of bytes that the kernel has taken; negative if it takes none or system calls are not used
   */
  send(fd: number, start: number, end: number): number;
}

export interface Channel {
  owner: ChannelOwner | null;
  /** Bytes that wait for the kernel to take them. */
  readonly writableLength: number;
  readonly destroyed: boolean;
  /** Whether `end` has been called. */
  readonly writableEnded: boolean;
  /**
   * Sends bytes, behind those that wait. They must not change afterwards.
   *
   * @returns false if the next write should wait for {@link ChannelOwner.channelDrained}
   */
  write(bytes: Buffer): boolean;
  /** Sends bytes that are valid during the call only, as {@link write} does. */
  writeCopy(bytes: Uint8Array): boolean;
  /**
   * Sends `source.bytes[start, end)`, valid during the call only, if it can be done without a copy. The rest must be written
   * before anything else.
   *
   * @returns the number of bytes that have been sent; 0 if others wait, or after an error, which a write meets again
   */
  sendFrom(source: SendSource, start: number, end: number): number;
  /**
   * Sends a part of what {@link ChannelOwner.channelData} has been given, during that call, as {@link writeCopy} does.
   * What the kernel takes is not copied.
   */
  forward(input: Buffer, start: number, end: number): boolean;
  /**
   * Hands the next `bytes` bytes that come, 1 or more, to another channel without reading them. The owner hears of each part
   * by `channelSpliced`, and pauses this channel if the part is not taken: a channel that is paused moves nothing. Bytes that
   * the target cannot take at all, because it closes or others wait in it, come by `channelData`, and end the splice.
   *
   * @param target with no bytes that wait
   * @returns false if the two cannot do it: then everything comes by `channelData`
   */
  splice(target: Channel, bytes: number): boolean;
  /** Receives nothing more until {@link resume}, except what has been read already. */
  pause(): unknown;
  resume(): unknown;
  /** Sends FIN behind the bytes that wait, and closes when the other side's FIN has come. */
  end(): unknown;
  /** Closes now. The bytes that wait are lost. */
  destroy(): unknown;
  /** Closes now, and the other side gets a reset. */
  resetAndDestroy(): unknown;
}
