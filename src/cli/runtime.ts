/** Finds a Node.js binary that can run sluice: the current one, or in a checkout the pinned one. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { StartError } from '../core/errors.ts';

/** Set in a process that {@link runOnPinned} started, so that it does not start another one. */
const MARK = 'SLUICE_PINNED_RUNTIME';
/** Node 22 runs TypeScript, and so a checkout, since 22.18. Its API is also the oldest that tests use. */
const MIN_MAJOR = 22;
const MIN_MINOR = 18;
/** Node 23 is out of support, and its first releases do not run TypeScript. */
const ODD_MAJOR = 23;
/** The workspace with the pinned Node. Only a checkout has it: the published package has no Node. */
const PIN = 'scripts/pinned-node/package.json';
const FORWARDED = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const;

/**
 * Returns the path of another Node binary to run on. Null keeps the current one.
 *
 * @param main URL of the program's file, in a folder below the root of the checkout or package
 * @param version such as `v22.18.0`
 * @throws StartError with the remedy if no Node can run sluice
 */
export function chooseNode(main: string, version: string, env: NodeJS.ProcessEnv): string | null {
  if (isSuitable(version)) return null;
  const pinned = env[MARK] === undefined ? findPinned(main) : null;
  if (pinned !== null) return pinned;
  throw new StartError(
    `Node ${version.replace(/^v/, '')} cannot run sluice: ` +
      `install Node ${MIN_MAJOR}.${MIN_MINOR} or a later ${MIN_MAJOR}, or Node 24 or later`,
  );
}

function isSuitable(version: string): boolean {
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number);
  return major === MIN_MAJOR ? minor >= MIN_MINOR : major > ODD_MAJOR;
}

/** Returns the pinned Node of the checkout that has the program. Null in a package, and if npm left it out. */
function findPinned(main: string): string | null {
  const pin = join(dirname(fileURLToPath(main)), '..', PIN);
  if (process.platform !== 'linux' || !existsSync(pin)) return null;
  try {
    const manifest = createRequire(pin).resolve(`node-linux-${process.arch}/package.json`);
    const node = join(dirname(manifest), 'bin', 'node');
    return existsSync(node) ? node : null;
  } catch {
    return null;
  }
}

/**
 * Runs a script on another Node binary. The child shares the standard streams and receives the signals of
 * this process.
 *
 * @returns the exit status of the script. If a signal ends the script, this process ends by the same signal.
 */
export function runOnPinned(node: string, script: string, argv: readonly string[]): Promise<number> {
  return new Promise((settle, fail) => {
    const child = spawn(node, [...process.execArgv, script, ...argv], {
      stdio: 'inherit',
      env: { ...process.env, [MARK]: '1' },
    });
    const forward = (signal: NodeJS.Signals): void => {
      // The terminal sends SIGINT to both processes. A second SIGINT would end sluice at once.
      if (signal === 'SIGINT' && process.stdin.isTTY) return;
      child.kill(signal);
    };
    const release = (): void => {
      for (const signal of FORWARDED) process.off(signal, forward);
    };
    for (const signal of FORWARDED) process.on(signal, forward);
    child.once('error', (error) => {
      release();
      fail(new StartError(`cannot run ${node}: ${error.message}`));
    });
    child.once('exit', (code, signal) => {
      release();
      if (signal !== null) process.kill(process.pid, signal);
      settle(code ?? 128 + constants.signals[signal ?? 'SIGTERM']);
    });
  });
}
