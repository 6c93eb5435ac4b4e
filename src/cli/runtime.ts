/** Chooses the Node that sluice runs on: TypeScript needs a recent one, and uWebSockets.js has binaries for few. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { StartError } from '../core/errors.ts';

/** Marks a process that was started by {@link runOnPinned}, so that it never starts another. */
const MARK = 'SLUICE_PINNED_RUNTIME';
/** Node 22 has the ABI (127) of uWebSockets.js. From 22.18 on it runs TypeScript. */
const TESTED_MAJOR = 22;
const MIN_MINOR = 18;
/** Node 23 runs TypeScript from a later version on only, and has no support any more. */
const ODD_MAJOR = 23;
const FORWARDED = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR1'] as const;

/**
 * Returns the Node that sluice is to run on in place of this one; null to run on this one. The pinned Node is preferred to one
 * for which uWebSockets.js has no binary. Without it, a newer Node runs everything but listeners that need uWebSockets.js.
 *
 * @param file see {@link pinnedNode}
 * @throws StartError with the remedy if sluice runs on none of them
 */
export function chooseNode(file: string | URL, version: string, env: NodeJS.ProcessEnv): string | null {
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number);
  if (major === TESTED_MAJOR && minor >= MIN_MINOR) return null;
  if (major <= TESTED_MAJOR || major === ODD_MAJOR) return pinnedNode(file, version, env);
  return env[MARK] === undefined ? findPinned(file) : null;
}

/**
 * Finds the Node binary that npm installed beside sluice.
 *
 * @param file a file or its URL: node_modules is searched for in its directory and upwards
 * @throws StartError with the remedy if there is none, or if this process runs on it already
 */
function pinnedNode(file: string | URL, version: string, env: NodeJS.ProcessEnv): string {
  const found = env[MARK] === undefined ? findPinned(file) : null;
  if (found !== null) return found;
  throw new StartError(
    `Node ${version.replace(/^v/, '')} cannot run sluice, and the pinned runtime is not installed: ` +
      'use Node 22.18 or a newer 22, or install sluice with npm ci --include=optional',
  );
}

/**
 * Runs a script on another Node, with the standard streams of this process, and passes signals on to it.
 *
 * @returns the exit status of the script; a signal that ended it ends this process, too
 */
export function runOnPinned(node: string, script: string, argv: readonly string[]): Promise<number> {
  return new Promise((settle, fail) => {
    const child = spawn(node, [...process.execArgv, script, ...argv], {
      stdio: 'inherit',
      env: { ...process.env, [MARK]: '1' },
    });
    const forward = (signal: NodeJS.Signals): void => {
      // The terminal sends SIGINT to both processes; a second one would end sluice at once.
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

function findPinned(file: string | URL): string | null {
  try {
    const manifest = createRequire(file).resolve(`node-linux-${process.arch}/package.json`);
    const node = join(dirname(manifest), 'bin', 'node');
    return process.platform === 'linux' && existsSync(node) ? node : null;
  } catch {
    return null;
  }
}
