/** The commands for a running sluice, in processes of their own. */
import { existsSync, realpathSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { runCommand, type CommandResult } from './run-command.ts';
import type { SluiceProcess } from './sluice-process.ts';

const ROOT = resolve(import.meta.dirname, '../../..');
const PINNED = join(ROOT, 'node_modules/.bin/node');

/** Runs `sluice COMMAND` against a running one, with the configuration that it was started with. */
export function sluiceCommand(sluice: SluiceProcess, ...args: readonly string[]): Promise<CommandResult> {
  const node = existsSync(PINNED) ? realpathSync(PINNED) : process.execPath;
  const [command = '', ...options] = args;
  // The kernel has chosen the port.
  const admin = ['--set', `admin.address=${sluice.admin}`];
  const main = join(ROOT, 'src/main.ts');
  return runCommand(node, [main, command, '-c', sluice.configFile, ...admin, ...options]);
}
