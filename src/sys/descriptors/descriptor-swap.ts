import { SystemCallError } from '../errno.ts';
import { checkDescriptor, nativeCalls } from '../native-calls.ts';
import { EPOLL_CLOEXEC, F_DUPFD_CLOEXEC, O_CLOEXEC } from '../socket-constants.ts';

/** Max attempts of dup3. While another thread opens a file, the kernel may refuse a number with EBUSY. */
const MAX_TRIES = 1000;

/**
 * Replaces sockets by a descriptor that is not a socket, and restores them. A library's answer then reveals
 * which socket it used. A second descriptor keeps each socket open: epoll watches the open file, and is not
 * affected.
 *
 * Use it only for sockets that no other thread uses, and end it before other code of this thread runs.
 */
export class DescriptorSwap {
  readonly #calls = nativeCalls();
  readonly #fds: readonly number[];
  /** Second descriptors of the same sockets. */
  readonly #copies: number[] = [];
  readonly #hidden: boolean[];
  #stand = -1;

  /**
   * Hides nothing yet. Needs one descriptor per socket plus one.
   *
   * @throws SystemCallError if descriptors run out
   */
  constructor(fds: readonly number[]) {
    this.#fds = fds;
    this.#hidden = fds.map(() => false);
    try {
      this.#stand = this.#check('epoll_create1', this.#calls.epollCreate(EPOLL_CLOEXEC));
      for (const fd of fds) {
        checkDescriptor(fd);
        this.#copies.push(this.#check('fcntl', this.#calls.fcntl(fd, F_DUPFD_CLOEXEC, 0)));
      }
    } catch (error) {
      this.end();
      throw error;
    }
  }

  get size(): number {
    return this.#fds.length;
  }

  /** Replaces the socket with this index: its descriptor has no peer until it is shown again. */
  hide(index: number): void {
    if (this.#hidden[index] === false) this.#put(this.#stand, index, true);
  }

  /** Undoes {@link hide}. */
  show(index: number): void {
    if (this.#hidden[index] === true) this.#put(this.#copies[index]!, index, false);
  }

  /** Shows all sockets. The object must not be used afterwards. */
  end(): void {
    for (let index = 0; index < this.#copies.length; index++) {
      this.show(index);
      this.#calls.close(this.#copies[index]!);
    }
    this.#copies.length = 0;
    this.#hidden.length = 0;
    if (this.#stand >= 0) this.#calls.close(this.#stand);
    this.#stand = -1;
  }

  #put(from: number, index: number, hidden: boolean): void {
    const fd = this.#fds[index]!;
    for (let tries = 1; this.#calls.dup3(from, fd, O_CLOEXEC) !== fd; tries++) {
      if (tries === MAX_TRIES) throw new SystemCallError('dup3', this.#calls.errno(), `descriptor ${fd}`);
    }
    this.#hidden[index] = hidden;
  }

  #check(call: string, result: number): number {
    if (result < 0) throw new SystemCallError(call, this.#calls.errno());
    return result;
  }
}
