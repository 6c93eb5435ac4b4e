import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import type { Command } from './supervised.ts';

/** CPU cores: one for proxies, another for the driver and the endpoint. */
export interface Cores {
  readonly proxy: number;
  readonly driver: number;
}

/** Returns the first two cores; null without a second core or without taskset. */
export function coresToPin(): Cores | null {
  if (availableParallelism() < 2) return null;
  return spawnSync('taskset', ['--version']).error === undefined ? { proxy: 0, driver: 1 } : null;
}

/** Pins this process to a core, including its future threads. */
export function pinSelf(core: number): void {
  spawnSync('taskset', ['-a', '-c', '-p', String(core), String(process.pid)]);
}

/** Returns the command pinned to a core, or unchanged if the core is null. */
export function pinned(command: Command, core: number | null): Command {
  if (core === null) return command;
  return { ...command, program: 'taskset', args: ['-c', String(core), command.program, ...command.args] };
}
