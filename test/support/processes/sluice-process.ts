/** A real sluice in a separate process, for tests that use its sockets and its log. */
import { spawn } from 'node:child_process';
import type { ChildProcess, ChildProcessByStdio } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { DEADLINE_MS } from '../deadline.ts';
import { PROGRAM, ROOT } from './program.ts';

/** Every start, and every thread of it, has the same hundred files to compile. */
const COMPILE_CACHE = join(ROOT, 'node_modules/.cache/compiled');
/** Workers start cold: hundreds of starts would each wait for a warm-up. */
const ENVIRONMENT = { NODE_COMPILE_CACHE: COMPILE_CACHE, SLUICE_WORKERS_WARMUP: '0s' };
const STDERR_KEPT = 64 * 1024;
/** A machine that has much else to do may need long to start threads. */
const START_MS = 60_000;

export interface SluiceOptions {
  /** The text of a YAML file, or the same as an object. Its log format must be `json`; paths must be absolute. */
  readonly config: string | object;
  /** Added to the environment. Every inherited `SLUICE_` variable is removed first. */
  readonly env?: Readonly<Record<string, string>>;
  /** More arguments after `run --config FILE`, such as `--set`. */
  readonly args?: readonly string[];
  /** Runs this program, such as an installed one, in place of the checkout's on the test's own Node. */
  readonly command?: readonly string[];
  /** Max open descriptors of the process. Inherited from the test if omitted. */
  readonly descriptorLimit?: number;
}

/** One line of the log. */
export interface LogLine {
  readonly level: string | number;
  readonly msg: string;
  readonly [field: string]: unknown;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/**
 * Starts `sluice run` and waits until it is ready.
 *
 * The process never keeps the test's own event loop alive. It is killed when the test's process ends in any
 * way, and its temporary directory is deleted.
 *
 * @throws Error with the text of stderr, if the process exits or the deadline passes before it is ready
 */
export async function startSluice(options: SluiceOptions): Promise<SluiceProcess> {
  const sluice = new SluiceProcess(options);
  try {
    await sluice.waitForLog((line) => line.msg === 'ready', START_MS);
  } catch (error) {
    sluice.kill('SIGKILL');
    throw error;
  }
  return sluice;
}

class SluiceProcess {
  /** Every JSON line of stdout so far, in order. */
  readonly logs: LogLine[] = [];
  /** Every line of stdout that was no JSON. */
  readonly otherOutput: string[] = [];
  /** The file of the configuration: rewrite it before a reload. */
  readonly configFile: string;
  readonly #child: ChildProcess;
  readonly #watchers = new Set<() => void>();
  #partialLine = '';
  #stderr = '';
  #exit: Exit | null = null;
  #spawnError: Error | null = null;

  constructor({
    config,
    env = {},
    args = [],
    command: program = [process.execPath, PROGRAM],
    descriptorLimit,
  }: SluiceOptions) {
    const directory = mkdtempSync(join(tmpdir(), 'sluice-test-'));
    this.configFile = join(directory, 'sluice.yaml');
    this.writeConfig(config);
    const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('SLUICE_'));
    const command = [...program, 'run', '--config', this.configFile, ...args];
    const [file, ...argv] =
      descriptorLimit === undefined
        ? command
        : ['sh', '-c', `ulimit -n ${descriptorLimit} && exec "$@"`, 'sh', ...command];
    const child = spawn(file!, argv, {
      cwd: ROOT,
      env: { ...ENVIRONMENT, ...Object.fromEntries(inherited), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    keep(child, directory);
    child.stdout.setEncoding('utf8').on('data', (text: string) => this.#readLines(text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-STDERR_KEPT);
    });
    // If the process cannot be spawned, 'error' comes and then 'close'.
    child.once('error', (error) => (this.#spawnError = error));
    child.once('close', (code, signal) => {
      release(child, directory);
      this.#exit = { code, signal };
      this.#notify();
    });
  }

  get pid(): number {
    const { pid } = this.#child;
    if (pid === undefined) throw new Error(`sluice was not started: ${this.#spawnError?.message ?? ''}`);
    return pid;
  }

  /** The last 64 Ki characters of what it wrote to stderr. */
  get stderr(): string {
    return this.#stderr;
  }

  /** `host:port` of the admin server. */
  get admin(): string {
    const { admin } = this.#readyLine();
    if (typeof admin !== 'string') throw new Error('the ready line has no admin address');
    return admin;
  }

  /** `host:port` of a listener, with the port that the kernel gave where the configuration had 0. */
  address(listener: string): string {
    const { listeners } = this.#readyLine();
    const address = (listeners as Readonly<Record<string, string>> | undefined)?.[listener];
    if (address === undefined) throw new Error(`the ready line has no listener ${listener}`);
    return address;
  }

  writeConfig(config: string | object): void {
    // JSON is YAML.
    writeFileSync(this.configFile, typeof config === 'string' ? config : JSON.stringify(config, null, 2));
  }

  /**
   * Waits for a line of the log; resolves at once if it has been written already.
   *
   * @param from index in {@link logs} of the first line that counts: `logs.length` for lines still to come
   * @throws Error when the process ends or the deadline passes first
   */
  async waitForLog(
    predicate: (line: LogLine) => boolean,
    deadlineMs = DEADLINE_MS,
    from = 0,
  ): Promise<LogLine> {
    let next = from;
    return this.#waitFor(deadlineMs, 'the expected log line', () => {
      while (next < this.logs.length) {
        const line = this.logs[next++]!;
        if (predicate(line)) return line;
      }
      if (this.#exit !== null) throw this.#failure(`sluice ended (${describe(this.#exit)}) first`);
      return undefined;
    });
  }

  /** Sends a signal and does not wait. Nothing happens when the process has ended. */
  kill(signal: NodeJS.Signals): void {
    // A child handle signals no other process that has got the id of a reaped one.
    this.#child.kill(signal);
  }

  /** Sends a signal and waits as {@link waitForExit} does; a process that has ended already is left alone. */
  async stop(signal: NodeJS.Signals = 'SIGTERM', deadlineMs = DEADLINE_MS): Promise<Exit> {
    this.kill(signal);
    return this.waitForExit(deadlineMs);
  }

  /**
   * Waits until the process, and every child of it that shares its output, has ended and all has been read.
   *
   * @throws Error when the deadline passes first; the process is killed then
   */
  async waitForExit(deadlineMs = DEADLINE_MS): Promise<Exit> {
    try {
      return await this.#waitFor(deadlineMs, 'its end', () => this.#exit ?? undefined);
    } catch (error) {
      this.kill('SIGKILL');
      throw error;
    }
  }

  #readyLine(): LogLine {
    const line = this.logs.findLast((line) => line.msg === 'ready');
    if (line === undefined) throw this.#failure('sluice is not ready');
    return line;
  }

  #readLines(text: string): void {
    const lines = (this.#partialLine + text).split('\n');
    this.#partialLine = lines.pop() ?? '';
    for (const line of lines) {
      const parsed = parseLine(line);
      if (parsed === undefined) this.otherOutput.push(line);
      else this.logs.push(parsed);
    }
    this.#notify();
  }

  #notify(): void {
    for (const watcher of [...this.#watchers]) watcher();
  }

  /** Resolves with the first value that `look` returns; it is asked now and whenever something has happened. */
  #waitFor<T>(deadlineMs: number, what: string, look: () => T | undefined): Promise<T> {
    return new Promise((settle, fail) => {
      const end = (): void => {
        clearTimeout(timer);
        this.#watchers.delete(watcher);
      };
      const watcher = (): void => {
        try {
          const found = look();
          if (found === undefined) return;
          settle(found);
        } catch (error) {
          fail(error instanceof Error ? error : new Error(String(error)));
        }
        end();
      };
      const timer = setTimeout(() => {
        end();
        fail(this.#failure(`waited ${deadlineMs} ms in vain for ${what}`));
      }, deadlineMs);
      this.#watchers.add(watcher);
      watcher();
    });
  }

  #failure(message: string): Error {
    const state = this.#child.exitCode === null && this.#child.signalCode === null ? 'running' : 'ended';
    const log = this.logs.slice(-20).map((line) => JSON.stringify(line));
    const parts = [
      `${message} (process ${state})`,
      ...(this.#spawnError === null ? [] : [this.#spawnError.message]),
      `stderr: ${this.#stderr.trim() || 'empty'}`,
      ['last lines of stdout:', ...log, ...this.otherOutput.slice(-20)].join('\n  '),
    ];
    return new Error(parts.join('\n'));
  }
}

export type { SluiceProcess };

function parseLine(text: string): LogLine | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && 'msg' in value ? (value as LogLine) : undefined;
  } catch {
    return undefined;
  }
}

function describe({ code, signal }: Exit): string {
  return signal ?? `status ${code ?? 'unknown'}`;
}

/** Children and directories to kill and remove when this process ends. */
const alive = new Map<ChildProcess, string>();
let guarded = false;

/** Kills a child when this process ends. The child does not keep this process alive. */
function keep(child: ChildProcessByStdio<null, Readable, Readable>, directory: string): void {
  if (!guarded) {
    guarded = true;
    process.once('exit', killAll);
    // The test runner ends a file that takes too long by SIGTERM, which fires no 'exit'.
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, killAllAndDie);
  }
  alive.set(child, directory);
  child.unref();
  for (const pipe of [child.stdout, child.stderr]) if (pipe instanceof Socket) pipe.unref();
}

function release(child: ChildProcess, directory: string): void {
  alive.delete(child);
  rmSync(directory, { recursive: true, force: true });
}

function killAll(): void {
  for (const [child, directory] of alive) {
    child.kill('SIGKILL');
    release(child, directory);
  }
}

function killAllAndDie(signal: NodeJS.Signals): void {
  killAll();
  process.kill(process.pid, signal);
}
