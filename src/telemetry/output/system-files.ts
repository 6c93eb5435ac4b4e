import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  openSync,
  readSync,
  realpathSync,
  renameSync,
  statSync,
  write,
  writeSync,
  type Stats,
} from 'node:fs';
import type { FileFacts, OutputFiles } from './output-files.ts';

/** Mode of a new file. Lines name clients, so other users must not read them. */
const FILE_MODE = 0o640;
/** A FIFO must block neither the start, if it has no reader, nor a thread, if it is full. */
const FLAGS = constants.O_APPEND | constants.O_NONBLOCK | constants.O_NOCTTY;
const NEWLINE = 0x0a;

/** File system calls on Node. */
export const systemFiles: OutputFiles = {
  open: (path) => {
    // O_RDWR opens a FIFO without a reader, and a reader that leaves does not break it (fifo(7)).
    const isFifo = statSync(path, { throwIfNoEntry: false })?.isFIFO() === true;
    const access = isFifo ? constants.O_RDWR : constants.O_WRONLY | constants.O_CREAT;
    return openSync(path, access | FLAGS, FILE_MODE);
  },
  write: (fd, bytes, done) => write(fd, bytes, done),
  close: closeSync,
  facts: (fd) => factsOf(fstatSync(fd)),
  factsAt: (path) => {
    const stats = statSync(path, { throwIfNoEntry: false });
    return stats === undefined ? null : factsOf(stats);
  },
  realPath: realpathSync,
  adopt: (fd, { mode, uid, gid }) => {
    const own = fstatSync(fd);
    if (own.uid !== uid || own.gid !== gid) {
      // Only root may give a file away, but the process may be a member of the group.
      if (!tryTo(() => fchownSync(fd, uid, gid))) tryTo(() => fchownSync(fd, own.uid, gid));
    }
    tryTo(() => fchmodSync(fd, mode));
  },
  rename: renameSync,
  endLine: (fd, path) => {
    const { size } = fstatSync(fd);
    if (size === 0) return;
    const last = Buffer.from([NEWLINE]);
    tryTo(() => {
      const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
      try {
        readSync(reader, last, 0, 1, size - 1);
      } finally {
        closeSync(reader);
      }
      if (last[0] !== NEWLINE) writeSync(fd, '\n');
    });
  },
};

function factsOf(stats: Stats): FileFacts {
  const { dev, ino, size, nlink: links, mode, uid, gid } = stats;
  return { id: `${dev}:${ino}`, size, links, isRegular: stats.isFile(), mode: mode & 0o7777, uid, gid };
}

function tryTo(act: () => void): boolean {
  try {
    act();
    return true;
  } catch {
    return false;
  }
}
