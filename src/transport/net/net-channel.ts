import { Socket } from 'node:net';
import { copyOf } from '../../core/copy.ts';
import { atTrueEnd } from '../../sys/node/true-end.ts';
import type { Channel, ChannelOwner, SendSource } from '../channel.ts';

/** Max bytes of one read: large messages come in few pieces, which fit the processor's cache. */
const MAX_READ_BYTES = 256 * 1024;
const readBuffer = Buffer.allocUnsafeSlow(MAX_READ_BYTES);
/** The bytes that are being handed over, if Node never reads into their memory again; else null. */
let unshared: Buffer | null = null;

/**
 * A channel on one of Node's sockets. Its handlers are shared functions that find the owner by the socket, so that an idle
 * connection holds as little memory as Node allows.
 */
export type NetChannel<Owner extends ChannelOwner = ChannelOwner> = Socket &
  Channel & {
    owner: Owner | null;
    /** The descriptor, on which bytes may be sent while none wait; -1 if all bytes must go through `write`. */
    fd: number;
    /** The error that has broken the connection; null without one. */
    failure: Error | null;
    /** Called when something has been asked of the socket; null for nothing: see {@link asChannel}. */
    touched: (() => void) | null;
    /** Null for a connection that was not accepted. */
    host: ChannelHost | null;
  };

/** Hears about accepted connections, whoever owns them. */
export interface ChannelHost {
  /** The channel has closed. Called behind `channelClosed`. */
  closed(channel: NetChannel): void;
  /** The channel's owner has thrown. */
  faulted(error: unknown): void;
}

/** Options of a socket that reads into the buffer that all channels share. */
export const READ_OPTIONS = {
  buffer: readBuffer,
  // Node calls it with the socket as `this`.
  callback(this: NetChannel, length: number): boolean {
    give(this, readBuffer, length);
    return true;
  },
};

/**
 * Makes a channel of a socket. What a socket of {@link READ_OPTIONS} reads comes without `data` events.
 *
 * @param touched gives Node a turn soon, in a thread whose loop is not Node's: only then Node does what it is asked to
 */
export function asChannel<Owner extends ChannelOwner>(
  socket: Socket,
  owner: Owner | null,
  touched: (() => void) | null,
): NetChannel<Owner> {
  const channel = socket as NetChannel<Owner>;
  channel.owner = owner;
  channel.fd = -1;
  channel.failure = null;
  channel.touched = touched;
  channel.host = null;
  channel.write = write;
  channel.writeCopy = writeCopy;
  channel.sendFrom = sendFrom;
  channel.forward = forward;
  channel.splice = cannotSplice;
  if (touched !== null) Object.assign(channel, TOUCHING);
  channel.on('error', onError);
  channel.on('close', onClose);
  channel.on('end', onEnd);
  channel.on('drain', onDrain);
  return channel;
}

/** Reads from a socket that was accepted: Node gives each read memory of its own. */
export function readByEvents(channel: NetChannel): void {
  channel.on('data', onData);
}

/**
 * Sends bytes. Node says false for bytes above its high-water mark, although the kernel may have taken all of them. Behind
 * `end` it would break the connection.
 */
function write(this: NetChannel, bytes: Uint8Array): boolean {
  if (this.destroyed || this.writableEnded) return true;
  const goesOn = Socket.prototype.write.call(this, bytes) || this.writableLength === 0;
  this.touched?.();
  return goesOn;
}

function writeCopy(this: NetChannel, bytes: Uint8Array): boolean {
  return this.write(copyOf(bytes));
}

function sendFrom(this: NetChannel, source: SendSource, start: number, end: number): number {
  if (this.fd < 0 || this.writableLength > 0) return 0;
  return Math.max(0, source.send(this.fd, start, end));
}

/** Copies, unless nothing is read into the same memory again: Node may send the bytes later. */
function forward(this: NetChannel, input: Buffer, start: number, end: number): boolean {
  const bytes = input.subarray(start, end);
  return this.write(input === unshared ? bytes : copyOf(bytes));
}

function cannotSplice(): boolean {
  return false;
}

/** The methods of sockets in a thread whose loop is not Node's. */
const TOUCHING = {
  pause(this: NetChannel): unknown {
    this.touched?.();
    return Socket.prototype.pause.call(this);
  },
  resume(this: NetChannel): unknown {
    this.touched?.();
    return Socket.prototype.resume.call(this);
  },
  end(this: NetChannel): unknown {
    this.touched?.();
    return (Socket.prototype.end as () => unknown).call(this);
  },
  destroy(this: NetChannel, error?: Error): unknown {
    this.touched?.();
    return Socket.prototype.destroy.call(this, error);
  },
};

/** Hands bytes to the owner. */
function give(channel: NetChannel, bytes: Buffer, length: number): void {
  try {
    channel.owner?.channelData(bytes, 0, length);
  } catch (error) {
    lose(channel, error);
  }
}

/** Closes the connection of an owner that has thrown, and nobody else's. */
function lose(channel: NetChannel, error: unknown): void {
  channel.host?.faulted(error);
  channel.destroy(error instanceof Error ? error : new Error(String(error)));
}

function onData(this: NetChannel, bytes: Buffer): void {
  unshared = bytes;
  give(this, bytes, bytes.length);
  unshared = null;
}

function onError(this: NetChannel, error: Error): void {
  this.failure ??= error;
}

function onDrain(this: NetChannel): void {
  try {
    this.owner?.channelDrained?.();
  } catch (error) {
    lose(this, error);
  }
}

function onEnd(this: NetChannel): void {
  atTrueEnd(this, () => {
    try {
      this.owner?.channelEnded();
    } catch (error) {
      lose(this, error);
    }
  });
}

function onClose(this: NetChannel): void {
  const { owner, host } = this;
  this.owner = null;
  this.fd = -1;
  try {
    owner?.channelClosed(this.failure);
  } catch (error) {
    if (host === null) throw error;
    host.faulted(error);
  }
  host?.closed(this);
}
