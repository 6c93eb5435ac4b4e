import { constants } from 'node:os';
import { getSystemErrorName } from 'node:util';

const { errno } = constants;

export const EAGAIN = errno.EAGAIN;
export const ECONNRESET = errno.ECONNRESET;
export const EINPROGRESS = errno.EINPROGRESS;
export const EINTR = errno.EINTR;
export const EINVAL = errno.EINVAL;
export const ENODATA = errno.ENODATA;
export const EPIPE = errno.EPIPE;
export const EPROTO = errno.EPROTO;
export const ETIMEDOUT = errno.ETIMEDOUT;

/** Returns the name of an error number, such as `ECONNREFUSED`. */
export function errorName(number: number): string {
  return getSystemErrorName(-number);
}

/** An unexpected failure of a system call. `code` is the error's name, as in Node's errors. */
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
