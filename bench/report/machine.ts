/** Describes the measuring machine. */
import { availableParallelism, cpus, loadavg, release, type } from 'node:os';

/** Describes the machine in one line. */
export function machineText(): string {
  // Not availableParallelism(): this process may be pinned to a core.
  const cores = cpus().length;
  return `${processor()}, ${cores} core${cores === 1 ? '' : 's'}, ${system()}, Node ${process.version}`;
}

/**
 * Describes the machine as data, with its load. Counts only the cores that this process may use.
 */
export function machineRecord(): Readonly<Record<string, string | number | readonly number[]>> {
  return {
    cpu: processor(),
    cores: availableParallelism(),
    system: system(),
    node: process.version,
    load: loadavg(),
  };
}

function processor(): string {
  return cpus()[0]?.model ?? 'unknown processor';
}

function system(): string {
  return `${type()} ${release()}`;
}
