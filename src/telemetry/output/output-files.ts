/**
 * The file system calls that outputs use, implemented by `system-files.ts`. Every function throws the
 * system's error.
 */
export interface OutputFiles {
  /** Opens a file for appending, and creates it if it is missing. A FIFO opens even without a reader. */
  open(path: string): number;
  /** Appends bytes, possibly not all, and calls back with the number written. */
  write(
    fd: number,
    bytes: Uint8Array,
    done: (error: NodeJS.ErrnoException | null, written: number) => void,
  ): void;
  close(fd: number): void;
  facts(fd: number): FileFacts;
  /** Returns facts about the file at a path. Null without a file. */
  factsAt(path: string): FileFacts | null;
  /** Resolves a path's symbolic links. */
  realPath(path: string): string;
  /** Gives a file the mode of another and, as far as the process may, its owner. */
  adopt(fd: number, like: FileFacts): void;
  rename(from: string, to: string): void;
  /** Ends the last line of a regular file if a crash cut it. Does nothing if the file cannot be read. */
  endLine(fd: number, path: string): void;
}

/** Facts about an open file or a file at a path. */
export interface FileFacts {
  /** Device and inode: equal only for the same file. */
  readonly id: string;
  readonly size: number;
  /** Number of names. 0 if the file was removed. */
  readonly links: number;
  /** Whether it is a regular file. */
  readonly isRegular: boolean;
  /** Permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}
