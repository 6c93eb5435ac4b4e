import type { FileFacts, OutputFiles } from '../../../../src/telemetry/output/output-files.ts';

interface FakeFile {
  readonly id: string;
  text: string;
  links: number;
  mode: number;
}

interface PendingWrite {
  readonly file: FakeFile;
  readonly bytes: Uint8Array;
  readonly done: (error: NodeJS.ErrnoException | null, written: number) => void;
}

/** A file system in memory. Writes end when a test says so. */
export class FakeFiles implements OutputFiles {
  readonly names = new Map<string, FakeFile>();
  /** Paths that cannot be opened or renamed. */
  readonly forbidden = new Set<string>();
  readonly open_ = new Map<number, FakeFile>();
  readonly writes: PendingWrite[] = [];
  /** Max bytes of one write. */
  maxBytes = Infinity;
  /** The error of all writes. */
  failure: string | null = null;
  #number = 3;

  /** Returns the texts of files by name. */
  get texts(): Record<string, string> {
    return Object.fromEntries(Array.from(this.names, ([name, { text }]) => [name, text] as const).sort());
  }

  /** Ends all writes, and those that follow from them. */
  settle(): void {
    for (let write = this.writes.shift(); write !== undefined; write = this.writes.shift()) {
      if (this.failure !== null) {
        write.done(Object.assign(new Error(this.failure), { code: this.failure }), 0);
      } else {
        const part = write.bytes.subarray(0, this.maxBytes);
        write.file.text += Buffer.from(part).toString();
        write.done(null, part.length);
      }
    }
  }

  open(path: string): number {
    this.#check(path);
    let file = this.names.get(path);
    if (file === undefined) {
      file = { id: `inode ${this.#number}`, text: '', links: 1, mode: 0o640 };
      this.names.set(path, file);
    }
    this.open_.set(this.#number, file);
    return this.#number++;
  }

  write(fd: number, bytes: Uint8Array, done: PendingWrite['done']): void {
    this.writes.push({ file: this.open_.get(fd)!, bytes, done });
  }

  close(fd: number): void {
    if (!this.open_.delete(fd)) throw new Error('EBADF');
  }

  facts(fd: number): FileFacts {
    return factsOf(this.open_.get(fd)!);
  }

  factsAt(path: string): FileFacts | null {
    const file = this.names.get(path);
    return file === undefined ? null : factsOf(file);
  }

  realPath(path: string): string {
    return path;
  }

  adopt(fd: number, { mode }: FileFacts): void {
    this.open_.get(fd)!.mode = mode;
  }

  rename(from: string, to: string): void {
    this.#check(to);
    const file = this.names.get(from);
    if (file === undefined) throw new Error('ENOENT');
    this.remove(to);
    this.names.delete(from);
    this.names.set(to, file);
  }

  remove(path: string): void {
    const file = this.names.get(path);
    if (file !== undefined) file.links = 0;
    this.names.delete(path);
  }

  endLine(fd: number): void {
    const file = this.open_.get(fd)!;
    if (file.text !== '' && !file.text.endsWith('\n')) file.text += '\n';
  }

  #check(path: string): void {
    if (this.forbidden.has(path)) throw new Error('EACCES');
  }
}

function factsOf({ id, text, links, mode }: FakeFile): FileFacts {
  return { id, size: Buffer.byteLength(text), links, isRegular: true, mode, uid: 0, gid: 0 };
}
