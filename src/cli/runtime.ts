/** Chooses the Node that sluice runs on: uWebSockets.js has binaries for few versions. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { StartError } from '../core/errors.ts';

/** Marks a process that was started by {@link runOnPinned}, so that it never starts another. */
const MARK = 'SLUICE_PINNED_RUNTIME';
const FORWARDED = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR1'] as const;

/** Tells whether sluice runs on a version: Node 22 has the ABI (127) of uWebSockets.js, and 22.18 runs TypeScript. */
export function isSupported(version: string): boolean {
  const [major, minor] = version.replace(/^v/, '').split('.').map(Number);
  return major === 22 && minor !== undefined && minor >= 18;
}

/**
 * Finds the Node binary that npm installed beside sluice.
 *
 * @param file a file or its URL: node_modules is searched for in its directory and upwards
 * @throws StartError with the remedy if there is none, or if this process runs on it already
 */
export function pinnedNode(file: string | URL, version: string, env: NodeJS.ProcessEnv): string {
  const found = env[MARK] === undefined ? findPinned(file) : null;
  if (found !== null) return found;
  throw new StartError(
    `Node ${version.replace(/^v/, '')} has no uWebSockets.js binary and the pinned runtime is not installed: ` +
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
