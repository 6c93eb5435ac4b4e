import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import type { Command } from './supervised.ts';

/** On which cores what runs: proxies on one, the driver and the endpoint on the other. */
export interface Cores {
  readonly proxy: number;
  readonly driver: number;
}

/** The first two cores; null where there is no second, or no taskset. */
export function coresToPin(): Cores | null {
  if (availableParallelism() < 2) return null;
  return spawnSync('taskset', ['--version']).error === undefined ? { proxy: 0, driver: 1 } : null;
}

/** Keeps this process, threads to come included, on a core. */
export function pinSelf(core: number): void {
  spawnSync('taskset', ['-a', '-c', '-p', String(core), String(process.pid)]);
}

/** A command that keeps to a core. */
export function pinned(command: Command, core: number | null): Command {
  if (core === null) return command;
  return { ...command, program: 'taskset', args: ['-c', String(core), command.program, ...command.args] };
}
