import { cpus, release, type } from 'node:os';

/** The machine that measures, in a line. */
export function machineText(): string {
  // Not those that this process may use: it may be pinned.
  const cores = cpus().length;
  const processor = cpus()[0]?.model ?? 'unknown processor';
  return `${processor}, ${cores} core${cores === 1 ? '' : 's'}, ${type()} ${release()}, Node ${process.version}`;
}
