import { EINTR, SystemCallError } from './errno.ts';
import { checkDescriptor, nativeCalls } from './native-calls.ts';
import type { NativeCalls } from './native-calls.ts';
import { PinnedBuffer, addressWithin } from './memory/pinned-buffer.ts';
import { EPOLL_CLOEXEC } from './sockets/socket-constants.ts';
import { epollLayout } from './sockets/socket-structs.ts';

/** There is something to receive, to accept, or the other side's FIN. */
export const EPOLLIN = 0x1;
/** There is room to send. */
export const EPOLLOUT = 0x4;
/** The connection is broken. Reported whether asked for or not. */
export const EPOLLERR = 0x8;
/** Both directions have ended. Reported whether asked for or not. */
export const EPOLLHUP = 0x10;
/** Report changes only: an end that is not acted on yet would be reported for ever. */
export const EPOLLET = 1 << 31;
/** Interest in nothing: only a broken connection is reported, and only once. */
export const BREAKS_ONLY = EPOLLET;

const EPOLL_CTL_ADD = 1;
const EPOLL_CTL_DEL = 2;
const EPOLL_CTL_MOD = 3;

/** A set of descriptors, level-triggered, and the events of the last {@link wait}. */
export class Epoll {
  readonly #calls: NativeCalls;
  readonly #words: Int32Array;
  readonly #events: number;
  readonly #most: number;
  readonly #stride: number;
  readonly #data: number;
  /** One more structure behind the events, for {@link add} and {@link modify}. */
  readonly #request: number;
  readonly #requestWord: number;
  #fd: number;

  /** @param most events that one wait can bring, 1 or more. Throws where system calls are not supported. */
  constructor(most: number) {
    this.#calls = nativeCalls();
    const { stride, data } = epollLayout(process.arch);
    this.#most = most;
    this.#stride = stride;
    this.#data = data;
    this.#requestWord = most * stride;
    const buffer = new PinnedBuffer((most + 1) * stride * 4);
    this.#words = new Int32Array(buffer.bytes.buffer);
    this.#events = addressWithin(buffer, 0, most * stride * 4);
    this.#request = addressWithin(buffer, most * stride * 4, (most + 1) * stride * 4);
    this.#fd = this.#calls.epollCreate(EPOLL_CLOEXEC);
    if (this.#fd < 0) throw new SystemCallError('epoll_create1', this.#calls.errno());
  }

  /** Adds a descriptor; closing it takes it out. @param tag a number that its events bring back */
  add(fd: number, interest: number, tag: number): void {
    this.#control(EPOLL_CTL_ADD, fd, interest, tag);
  }

  /** Changes what a descriptor is watched for. */
  modify(fd: number, interest: number, tag: number): void {
    this.#control(EPOLL_CTL_MOD, fd, interest, tag);
  }

  /** Takes a descriptor out. Does nothing if it is not in the set. */
  remove(fd: number): void {
    checkDescriptor(this.#fd);
    checkDescriptor(fd);
    this.#calls.epollControl(this.#fd, EPOLL_CTL_DEL, fd, this.#request);
  }

  /** Waits until something happens, for so many milliseconds at most; returns how many events there are. */
  wait(timeoutMs: number): number {
    checkDescriptor(this.#fd);
    const count = this.#calls.epollWait(this.#fd, this.#events, this.#most, timeoutMs);
    if (count >= 0) return count;
    const errno = this.#calls.errno();
    if (errno === EINTR) return 0;
    throw new SystemCallError('epoll_wait', errno);
  }

  /** The descriptor of the event of this index. */
  fd(index: number): number {
    return this.#words[index * this.#stride + this.#data]!;
  }

  /** Its tag. */
  tag(index: number): number {
    return this.#words[index * this.#stride + this.#data + 1]!;
  }

  /** What has happened, as a sum of the constants of this file. */
  events(index: number): number {
    return this.#words[index * this.#stride]!;
  }

  /** Closes the set. It cannot be used any more. */
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
