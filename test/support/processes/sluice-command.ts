/** The commands for a running sluice, in separate processes. */
import { existsSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { PROGRAM, ROOT } from './program.ts';
import { runCommand, type CommandResult } from './run-command.ts';
import type { SluiceProcess } from './sluice-process.ts';

const PINNED = join(ROOT, 'node_modules/.bin/node');

/** Runs `sluice COMMAND` against a running one, with the configuration that it was started with. */
export function sluiceCommand(sluice: SluiceProcess, ...args: readonly string[]): Promise<CommandResult> {
  const node = existsSync(PINNED) ? realpathSync(PINNED) : process.execPath;
  const [command = '', ...options] = args;
  // The kernel has chosen the port.
  const admin = ['--set', `admin.address=${sluice.admin}`];
  return runCommand(node, [PROGRAM, command, '-c', sluice.configFile, ...admin, ...options]);
}
