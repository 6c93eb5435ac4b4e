/**
 * Chooses the Node.js binary. TypeScript needs a recent version, and uWebSockets.js has binaries for few
 * versions.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { StartError } from '../core/errors.ts';

/** Set in a process that {@link runOnPinned} started, so that it does not start another one. */
const MARK = 'SLUICE_PINNED_RUNTIME';
/** Node 22 has ABI 127, which the uWebSockets.js binary needs. It runs TypeScript since 22.18. */
const TESTED_MAJOR = 22;
const MIN_MINOR = 18;
/** Node 23 is out of support, and its first releases do not run TypeScript. */
const ODD_MAJOR = 23;
const FORWARDED = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR1'] as const;

/**
 * Returns the path of another Node binary to run on. Null keeps the current one.
 *
 * If uWebSockets.js has no binary for the current Node, the pinned Node is preferred. Without the pinned
 * Node, a newer Node runs everything except listeners that need uWebSockets.js.
 *
 * @param file see {@link pinnedNode}
 * @throws StartError with the remedy if no Node can run sluice
 */
export function chooseNode(file: string | URL, version: string, env: NodeJS.ProcessEnv): string | null {
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number);
  if (major === TESTED_MAJOR && minor >= MIN_MINOR) return null;
  if (major <= TESTED_MAJOR || major === ODD_MAJOR) return pinnedNode(file, version, env);
  return env[MARK] === undefined ? findPinned(file) : null;
}

/**
 * Finds the Node binary that npm installed next to sluice.
 *
 * @param file a path or URL. The search for node_modules starts in its directory and goes up.
 * @throws StartError with the remedy if the binary is missing, or if this process already runs on it
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

function findPinned(file: string | URL): string | null {
  try {
    const manifest = createRequire(file).resolve(`node-linux-${process.arch}/package.json`);
    const node = join(dirname(manifest), 'bin', 'node');
    return process.platform === 'linux' && existsSync(node) ? node : null;
  } catch {
    return null;
  }
}
