/**
 * The byte stream of one connection, to a client or an endpoint. It runs on system calls (`raw/`) or Node's
 * sockets (`net/`). Shared members have the names of Node's sockets, so that a Node socket is a channel
 * without a wrapper object.
 */

/** Receives the events of a channel. */
export interface ChannelOwner {
  /** Returns the max bytes of the next read. Default: 64 KiB. Node's sockets ignore it. */
  maxReadBytes?(): number;
  /**
   * Called when `input[start, end)` arrives. All channels of a thread share this buffer: copy what must
   * outlive the call.
   */
  channelData(input: Buffer, start: number, end: number): void;
  /**
   * Called when bytes went to the target of {@link Channel.splice}, unread.
   *
   * @param isTaken false if some bytes wait in the target: its owner gets `channelDrained` once they are sent
   */
  channelSpliced?(bytes: number, isTaken: boolean): void;
  /** Called after a write that returned false, once its bytes are sent and the channel can take more. */
  channelDrained?(): void;
  /** Called when the other side sends FIN. */
  channelEnded(): void;
  /** Called last, when the connection has closed. May be called before `destroy` returns. */
  channelClosed(error: Error | null): void;
}

/** Memory to send from without a copy. */
export interface SendSource {
  readonly bytes: Buffer;
  /**
   * Sends `bytes[start, end)` on a socket's descriptor.
   *
   * @returns the number of bytes the kernel took; negative if it took none or system calls are not used
   */
  send(fd: number, start: number, end: number): number;
}

export interface Channel {
  owner: ChannelOwner | null;
  /** Bytes waiting for the kernel. */
  readonly writableLength: number;
  readonly destroyed: boolean;
  /** Whether `end` was called. */
  readonly writableEnded: boolean;
  /**
   * Sends bytes after those that already wait. The caller must not change them afterwards.
   *
   * @returns false if the next write should wait for {@link ChannelOwner.channelDrained}
   */
  write(bytes: Buffer): boolean;
  /** Sends bytes like {@link write}, but they need to be valid only during the call. */
  writeCopy(bytes: Uint8Array): boolean;
  /**
   * Sends `source.bytes[start, end)` if possible without a copy. The bytes need to be valid only during the
   * call. Write the rest before any other bytes.
   *
   * @returns the number of bytes sent; 0 if others wait, or after an error, which the next write also meets
   */
  sendFrom(source: SendSource, start: number, end: number): number;
  /**
   * Sends part of the input of {@link ChannelOwner.channelData}, during that call, like {@link writeCopy}.
   * Bytes the kernel takes at once are not copied.
   */
  forward(input: Buffer, start: number, end: number): boolean;
  /**
   * Moves the next `bytes` bytes (1 or more) to another channel without reading them. Each part is reported
   * through `channelSpliced`. If a part was not taken, the owner pauses this channel: a paused channel moves
   * nothing. If the target closes, or other bytes wait in it, the splice ends and the bytes arrive through
   * `channelData`.
   *
   * @param target a channel without waiting bytes
   * @returns false if these two channels cannot splice: all bytes then arrive through `channelData`
   */
  splice(target: Channel, bytes: number): boolean;
  /** Stops receiving until {@link resume}. Bytes that were already read may still arrive. */
  pause(): unknown;
  resume(): unknown;
  /** Sends FIN after the waiting bytes, and closes after the other side's FIN. */
  end(): unknown;
  /** Closes now and drops the waiting bytes. */
  destroy(): unknown;
  /** Closes now with a reset. */
  resetAndDestroy(): unknown;
}
