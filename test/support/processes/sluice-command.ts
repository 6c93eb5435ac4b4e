/** The commands for a running sluice, in separate processes. */
import { PROGRAM } from './program.ts';
import { runCommand, type CommandResult } from './run-command.ts';
import type { SluiceProcess } from './sluice-process.ts';

/** Runs `sluice COMMAND` against a running one, with the configuration that it was started with. */
export function sluiceCommand(sluice: SluiceProcess, ...args: readonly string[]): Promise<CommandResult> {
  const [command = '', ...options] = args;
  // The kernel has chosen the port.
  const admin = ['--set', `admin.address=${sluice.admin}`];
  return runCommand(process.execPath, [PROGRAM, command, '-c', sluice.configFile, ...admin, ...options]);
}
