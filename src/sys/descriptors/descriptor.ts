/** Throws where a number cannot be an open file descriptor: closed ones are set to -1. */
export function checkDescriptor(fd: number): void {
  if ((fd | 0) !== fd || fd < 0) throw new RangeError(`${fd} is no open descriptor`);
}
