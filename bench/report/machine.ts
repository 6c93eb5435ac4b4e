import { availableParallelism, cpus, release, type } from 'node:os';

/** The machine that measures, in a line. */
export function machineText(): string {
  const cores = availableParallelism();
  const processor = cpus()[0]?.model ?? 'unknown processor';
  return `${processor}, ${cores} core${cores === 1 ? '' : 's'}, ${type()} ${release()}, Node ${process.version}`;
}
