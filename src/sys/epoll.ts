import { EINTR, SystemCallError } from './errno.ts';
import { PinnedBuffer, addressWithin } from './memory/pinned-buffer.ts';
import { checkDescriptor, nativeCalls } from './native-calls.ts';
import type { NativeCalls } from './native-calls.ts';
import { EPOLL_CLOEXEC } from './socket-constants.ts';

/** Readable: bytes, a connection or the peer's FIN arrived. */
export const EPOLLIN = 0x1;
/** Writable: the socket has room to send. */
export const EPOLLOUT = 0x4;
/** The connection is broken. Always reported. */
export const EPOLLERR = 0x8;
/** Both directions have ended. Always reported. */
export const EPOLLHUP = 0x10;
/** The peer sent FIN. Reported even while earlier bytes are unread. */
export const EPOLLRDHUP = 0x2000;
/** Report changes only. Otherwise an unhandled end is reported forever. */
export const EPOLLET = 1 << 31;
/** No interest: only a broken connection is reported, and only once. */
export const BREAKS_ONLY = EPOLLET;

const EPOLL_CTL_ADD = 1;
const EPOLL_CTL_DEL = 2;
const EPOLL_CTL_MOD = 3;

/** The layout of an array of `struct epoll_event`, in 32-bit words. */
interface EpollLayout {
  /** Distance between two events. */
  readonly stride: number;
  /** Offset of the event's two data words, which epoll returns unchanged. */
  readonly data: number;
}

/** Returns the layout: packed on x86-64, to match 32-bit programs, and aligned elsewhere. */
export function epollLayout(architecture: string): EpollLayout {
  return architecture === 'x64' ? { stride: 3, data: 1 } : { stride: 4, data: 2 };
}

/** A level-triggered set of descriptors, and the events of the last {@link wait}. */
export class Epoll {
  readonly #calls: NativeCalls;
  readonly #words: Int32Array;
  readonly #eventsAddress: number;
  readonly #maxEvents: number;
  readonly #stride: number;
  readonly #data: number;
  /** Address of a structure after the events, for {@link add} and {@link modify}. */
  readonly #request: number;
  readonly #requestWord: number;
  #fd: number;

  /**
   * @param maxEvents max events per wait, 1 or more
   * @throws Error if system calls are not supported
   */
  constructor(maxEvents: number) {
    this.#calls = nativeCalls();
    const { stride, data } = epollLayout(process.arch);
    this.#maxEvents = maxEvents;
    this.#stride = stride;
    this.#data = data;
    this.#requestWord = maxEvents * stride;
    const buffer = new PinnedBuffer((maxEvents + 1) * stride * 4);
    this.#words = new Int32Array(buffer.bytes.buffer);
    this.#eventsAddress = addressWithin(buffer, 0, maxEvents * stride * 4);
    this.#request = addressWithin(buffer, maxEvents * stride * 4, (maxEvents + 1) * stride * 4);
    this.#fd = this.#calls.epollCreate(EPOLL_CLOEXEC);
    if (this.#fd < 0) throw new SystemCallError('epoll_create1', this.#calls.errno());
  }

  /** Adds a descriptor. Closing the descriptor removes it. @param tag a number that its events return */
  add(fd: number, interest: number, tag: number): void {
    this.#control(EPOLL_CTL_ADD, fd, interest, tag);
  }

  /** Changes the watched events of a descriptor. */
  modify(fd: number, interest: number, tag: number): void {
    this.#control(EPOLL_CTL_MOD, fd, interest, tag);
  }

  /** Removes a descriptor. Does nothing if it is not in the set. */
  remove(fd: number): void {
    checkDescriptor(this.#fd);
    checkDescriptor(fd);
    this.#calls.epollControl(this.#fd, EPOLL_CTL_DEL, fd, this.#request);
  }

  /** Waits up to `timeoutMs` for events. Returns the number of events. */
  wait(timeoutMs: number): number {
    checkDescriptor(this.#fd);
    const count = this.#calls.epollWait(this.#fd, this.#eventsAddress, this.#maxEvents, timeoutMs);
    if (count >= 0) return count;
    const errno = this.#calls.errno();
    if (errno === EINTR) return 0;
    throw new SystemCallError('epoll_wait', errno);
  }

  /** Returns the descriptor of an event. */
  fd(index: number): number {
    return this.#words[index * this.#stride + this.#data]!;
  }

  /** Returns the tag of an event's descriptor. */
  tag(index: number): number {
    return this.#words[index * this.#stride + this.#data + 1]!;
  }

  /** Returns the flags of an event: the constants in this file. */
  events(index: number): number {
    return this.#words[index * this.#stride]!;
  }

  /** Closes the set, which must not be used afterwards. */
  close(): void {
    if (this.#fd < 0) return;
    this.#calls.close(this.#fd);
    this.#fd = -1;
  }

  #control(operation: number, fd: number, interest: number, tag: number): void {
    checkDescriptor(this.#fd);
    checkDescriptor(fd);
    const words = this.#words;
    words[this.#requestWord] = interest;
    words[this.#requestWord + this.#data] = fd;
    words[this.#requestWord + this.#data + 1] = tag;
    if (this.#calls.epollControl(this.#fd, operation, fd, this.#request) < 0) {
      throw new SystemCallError('epoll_ctl', this.#calls.errno(), `descriptor ${fd}`);
    }
  }
}
