/** What fakes of a connection have in common: every kind of write is one. */
export abstract class FakeConnection {
  destroyed = false;
  paused = false;

  abstract write(bytes: Uint8Array): boolean;

  writeCopy(bytes: Uint8Array): boolean {
    return this.write(bytes);
  }

  sendFrom(): number {
    return 0;
  }

  forward(input: Buffer, start: number, end: number): boolean {
    return this.write(input.subarray(start, end));
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
  }
}
