/** The file system as outputs use it. `system-files.ts` implements it. Every function throws the system's error. */
export interface OutputFiles {
  /** Opens a file to append to, and creates it if it is missing. A FIFO is opened even without a reader. */
  open(path: string): number;
  /** Appends bytes, maybe not all of them, and calls back with the number that were written. */
  write(
    fd: number,
    bytes: Uint8Array,
    done: (error: NodeJS.ErrnoException | null, written: number) => void,
  ): void;
  close(fd: number): void;
  facts(fd: number): FileFacts;
  /** Returns facts about the file at a path; null if there is none. */
  factsAt(path: string): FileFacts | null;
  /** Returns a path without symbolic links. */
  realPath(path: string): string;
  /** Gives a file of the process the mode and, as far as the process may, the owner of another one. */
  adopt(fd: number, like: FileFacts): void;
  rename(from: string, to: string): void;
  /** Ends the last line of a regular file that a crash has cut, or does nothing if the file cannot be read. */
  endLine(fd: number, path: string): void;
}

/** Facts about an open file, or one at a path. */
export interface FileFacts {
  /** Device and inode: equal for the same file only. */
  readonly id: string;
  readonly size: number;
  /** Number of names; 0 if the file has been removed. */
  readonly links: number;
  /** Whether it is a regular file. */
  readonly isRegular: boolean;
  /** Permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}
