import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { ConfigSource } from '../../config/loader.ts';
import { StartError } from '../../core/errors.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { DemoReport } from '../commands/demo.ts';

const START_TIMEOUT_MS = 15_000;
const STOP_TIMEOUT_MS = 2_000;
const MAX_LINE_CHARACTERS = 2_000;

/** Runs the demo backends in a separate process: this program with the command `demo`. */
export class DemoProcess {
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;
  #stopping = false;

  private constructor(child: ChildProcess, log: Logger) {
    this.#child = child;
    this.#exited = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        if (!this.#stopping) log.error({ code, signal }, 'the demo backends ended');
        resolve();
      });
    });
  }

  /** Starts the process. Resolves when its backends listen; rejects with a StartError if they fail to. */
  static async start({ file, overrides, env }: ConfigSource, log: Logger): Promise<DemoProcess> {
    const settings = overrides.flatMap((override) => ['--set', override]);
    const [, script = ''] = process.argv;
    const child = spawn(
      process.execPath,
      [...process.execArgv, script, 'demo', '--config', file, ...settings],
      { env, stdio: ['ignore', 'ignore', 'pipe', 'ipc'] },
    );
    if (child.stderr !== null) logLines(child.stderr, log);
    try {
      await listening(child);
    } catch (error) {
      child.kill('SIGKILL');
      throw error;
    }
    // A write fails only if the IPC channel is closed.
    child.on('error', (error) => log.error({ err: error }, 'the demo backends failed'));
    return new DemoProcess(child, log);
  }

  /** Ends the process, by force after a timeout. */
  async stop(): Promise<void> {
    this.#stopping = true;
    if (this.#child.connected) this.#child.disconnect();
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    await this.#exited;
    clearTimeout(timer);
  }
}

function listening(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    const finish = (problem: string | null): void => {
      clearTimeout(timer);
      child.off('error', onError).off('exit', onExit).off('message', onMessage);
      if (problem === null) resolve();
      else reject(new StartError(`demo backends: ${problem}`));
    };
    const onError = (error: Error): void => finish(error.message);
    const onExit = (code: number | null): void => finish(`ended with status ${code ?? 'unknown'}`);
    const onMessage = (message: unknown): void => {
      const report = message as DemoReport;
      finish(report.type === 'ready' ? null : report.message);
    };
    const timer = setTimeout(() => finish(`not ready after ${START_TIMEOUT_MS / 1000} s`), START_TIMEOUT_MS);
    child.on('error', onError).on('exit', onExit).on('message', onMessage);
  });
}

/** Writes the demo's stderr to the log. */
function logLines(stderr: Readable, log: Logger): void {
  stderr.on('error', () => undefined);
  createInterface({ input: stderr }).on('line', (line) =>
    log.warn({ from: 'demo' }, line.slice(0, MAX_LINE_CHARACTERS)),
  );
}
