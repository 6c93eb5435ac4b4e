import type { Destination } from './destination.ts';

/** A descriptor that somebody else has opened: standard output. */
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
    // Its size bounds nothing.
  }

  reopen(): void {
    // It has no path.
  }

  close(): void {
    // Whoever has opened it closes it.
  }
}
