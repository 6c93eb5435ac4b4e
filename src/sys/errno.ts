import { constants } from 'node:os';
import { getSystemErrorName } from 'node:util';

const { errno } = constants;

export const EAGAIN = errno.EAGAIN;
export const EINPROGRESS = errno.EINPROGRESS;
export const EINTR = errno.EINTR;
export const ETIMEDOUT = errno.ETIMEDOUT;

/** The name of an error number: `ECONNREFUSED`. */
export function errorName(number: number): string {
  return getSystemErrorName(-number);
}

/** A system call that failed where it should not have. `code` is the error's name, as in Node's own errors. */
export class SystemCallError extends Error {
  override readonly name = 'SystemCallError';
  readonly code: string;
  readonly syscall: string;

  constructor(syscall: string, number: number, detail = '') {
    const code = errorName(number);
    super(`${syscall} ${code}${detail === '' ? '' : ` ${detail}`}`);
    this.code = code;
    this.syscall = syscall;
  }
}
