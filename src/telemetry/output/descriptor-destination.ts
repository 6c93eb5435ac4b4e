import type { Destination } from './destination.ts';

/** A descriptor opened by other code: standard output. */
export class DescriptorDestination implements Destination {
  readonly path = null;
  readonly fd: number;

  constructor(fd: number) {
    this.fd = fd;
  }

  makeRoom(bytes: Buffer): number {
    return bytes.length;
  }

  wrote(): void {
    // Its size has no limit.
  }

  reopen(): void {
    // It has no path.
  }

  close(): void {
    // The code that opened it closes it.
  }
}
