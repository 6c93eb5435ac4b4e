/** A command of the system, run to its end. */
import { execFile } from 'node:child_process';
import { DEADLINE_MS } from '../deadline.ts';

export interface CommandResult {
  /** 0 for success. */
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command without a shell and with an empty stdin; rejects if the command cannot be run or takes too long. */
export function runCommand(command: string, args: readonly string[]): Promise<CommandResult> {
  return new Promise((settle, fail) => {
    const child = execFile(
      command,
      args,
      { timeout: DEADLINE_MS, killSignal: 'SIGKILL', maxBuffer: 64 * 1024 * 1024 },
      (error, stdout, stderr) => {
        const status = child.exitCode;
        if (status === null) fail(new Error(`${command} ${args.join(' ')}: ${error?.message ?? ''}`));
        else settle({ status, stdout, stderr });
      },
    );
    child.stdin?.end();
  });
}
