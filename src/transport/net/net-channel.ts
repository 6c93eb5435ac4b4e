import { Socket } from 'node:net';
import { copyOf } from '../../core/copy.ts';
import { atTrueEnd } from '../../sys/node/true-end.ts';
import type { Channel, ChannelOwner, SendSource } from '../channel.ts';

/** Max bytes of one read. Large messages arrive in few pieces, and each piece fits the CPU cache. */
const MAX_READ_BYTES = 256 * 1024;
const readBuffer = Buffer.allocUnsafeSlow(MAX_READ_BYTES);
/** The bytes being delivered, if Node never reuses their memory. Otherwise null. */
let unshared: Buffer | null = null;

/**
 * A channel on a Node socket. Handlers are shared functions that find the owner through the socket, so an
 * idle connection holds as little memory as Node allows.
 */
export type NetChannel<Owner extends ChannelOwner = ChannelOwner> = Socket &
  Channel & {
    owner: Owner | null;
    /** Descriptor for direct sends while no bytes wait. -1 if all bytes must go through `write`. */
    fd: number;
    /** The error that broke the connection. Null without one. */
    failure: Error | null;
    /** Called after each request to the socket. Null if not needed: see {@link asChannel}. */
    yieldToNode: (() => void) | null;
    /** Null for a connection that was not accepted. */
    host: ChannelHost | null;
  };

/** Receives events of accepted connections, regardless of their owners. */
export interface ChannelHost {
  /** Called when the channel has closed, after `channelClosed`. */
  closed(channel: NetChannel): void;
  /** Called when the channel's owner throws. */
  faulted(error: unknown): void;
}

/** Options for a socket that reads into the buffer shared by all channels. */
export const READ_OPTIONS = {
  buffer: readBuffer,
  // Node calls it with the socket as `this`.
  callback(this: NetChannel, length: number): boolean {
    deliver(this, readBuffer, length);
    return true;
  },
};

/**
 * Turns a socket into a channel. Bytes read by a socket with {@link READ_OPTIONS} arrive without `data`
 * events.
 *
 * @param yieldToNode gives Node a turn soon; null in a thread that runs Node's own loop. Elsewhere, Node acts
 * on requests only in its turn.
 */
export function asChannel<Owner extends ChannelOwner>(
  socket: Socket,
  owner: Owner | null,
  yieldToNode: (() => void) | null,
): NetChannel<Owner> {
  const channel = socket as NetChannel<Owner>;
  channel.owner = owner;
  channel.fd = -1;
  channel.failure = null;
  channel.yieldToNode = yieldToNode;
  channel.host = null;
  channel.write = write;
  channel.writeCopy = writeCopy;
  channel.sendFrom = sendFrom;
  channel.forward = forward;
  channel.splice = cannotSplice;
  if (yieldToNode !== null) Object.assign(channel, YIELDING_METHODS);
  channel.on('error', onError);
  channel.on('close', onClose);
  channel.on('end', onEnd);
  channel.on('drain', onDrain);
  return channel;
}

/** Reads from an accepted socket through `data` events: Node allocates memory for each read. */
export function readByEvents(channel: NetChannel): void {
  channel.on('data', onData);
}

/**
 * Sends bytes. Node returns false above its high-water mark, even if the kernel took all bytes. A write after
 * `end` would break the connection.
 */
function write(this: NetChannel, bytes: Uint8Array): boolean {
  if (this.destroyed || this.writableEnded) return true;
  const goesOn = Socket.prototype.write.call(this, bytes) || this.writableLength === 0;
  this.yieldToNode?.();
  return goesOn;
}

function writeCopy(this: NetChannel, bytes: Uint8Array): boolean {
  return this.write(copyOf(bytes));
}

function sendFrom(this: NetChannel, source: SendSource, start: number, end: number): number {
  if (this.fd < 0 || this.writableLength > 0) return 0;
  return Math.max(0, source.send(this.fd, start, end));
}

/** Copies the bytes, unless their memory is never reused: Node may send them later. */
function forward(this: NetChannel, input: Buffer, start: number, end: number): boolean {
  const bytes = input.subarray(start, end);
  return this.write(input === unshared ? bytes : copyOf(bytes));
}

function cannotSplice(): boolean {
  return false;
}

/** Methods of sockets in a thread that does not run Node's own loop. */
const YIELDING_METHODS = {
  pause(this: NetChannel): unknown {
    this.yieldToNode?.();
    return Socket.prototype.pause.call(this);
  },
  resume(this: NetChannel): unknown {
    this.yieldToNode?.();
    return Socket.prototype.resume.call(this);
  },
  end(this: NetChannel): unknown {
    this.yieldToNode?.();
    return (Socket.prototype.end as () => unknown).call(this);
  },
  destroy(this: NetChannel, error?: Error): unknown {
    this.yieldToNode?.();
    return Socket.prototype.destroy.call(this, error);
  },
};

/** Passes bytes to the owner. */
function deliver(channel: NetChannel, bytes: Buffer, length: number): void {
  try {
    channel.owner?.channelData(bytes, 0, length);
  } catch (error) {
    closeFaulty(channel, error);
  }
}

/** Closes the connection of an owner that threw. Other connections are not affected. */
function closeFaulty(channel: NetChannel, error: unknown): void {
  channel.host?.faulted(error);
  channel.destroy(error instanceof Error ? error : new Error(String(error)));
}

function onData(this: NetChannel, bytes: Buffer): void {
  unshared = bytes;
  deliver(this, bytes, bytes.length);
  unshared = null;
}

function onError(this: NetChannel, error: Error): void {
  this.failure ??= error;
}

function onDrain(this: NetChannel): void {
  try {
    this.owner?.channelDrained?.();
  } catch (error) {
    closeFaulty(this, error);
  }
}

function onEnd(this: NetChannel): void {
  atTrueEnd(this, () => {
    try {
      this.owner?.channelEnded();
    } catch (error) {
      closeFaulty(this, error);
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
