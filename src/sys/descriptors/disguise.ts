import { SystemCallError } from '../errno.ts';
import { checkDescriptor, nativeCalls } from '../native-calls.ts';
import { EPOLL_CLOEXEC, F_DUPFD_CLOEXEC, O_CLOEXEC } from '../sockets/socket-constants.ts';

/** Another thread that opens a file can make the system refuse a number for a moment (EBUSY). */
const MAX_TRIES = 1000;

/**
 * Puts something that is no socket in the place of sockets and back, so that it can be seen which socket a library
 * asks. A second descriptor keeps each socket open meanwhile: epoll watches the open file, and never notices.
 *
 * To be ended before anything else of this thread runs, and only for sockets that no other thread uses.
 */
export class Disguise {
  readonly #calls = nativeCalls();
  readonly #fds: readonly number[];
  /** Second descriptors of the same sockets. */
  readonly #copies: number[] = [];
  readonly #hidden: boolean[];
  #stand = -1;

  /** Hides nothing yet. Throws if there are not enough descriptors: one for each socket, and one more. */
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

  /** From now on the descriptor with this index has no peer. */
  hide(index: number): void {
    if (this.#hidden[index] === false) this.#put(this.#stand, index, true);
  }

  /** Undoes {@link hide}. */
  show(index: number): void {
    if (this.#hidden[index] === true) this.#put(this.#copies[index]!, index, false);
  }

  /** Shows all sockets. Nothing can be hidden afterwards. */
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
