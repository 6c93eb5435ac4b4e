import { spawn, type ChildProcess } from 'node:child_process';
import { StartError } from '../../src/core/errors.ts';
import { serves } from './serves.ts';

const START_MS = 15_000;
const STOP_MS = 5000;
const RETRY_MS = 50;
const OUTPUT_KEPT = 4000;

/** A program that runs in the foreground. */
export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  /** Added to the environment of this process. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Ports of 127.0.0.1 on which a process serves WebSockets. */
interface Ports {
  readonly plain: readonly number[];
  readonly encrypted?: readonly number[];
}

/** The process of a peer or of the endpoint. */
export class Supervised {
  readonly name: string;
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  #output = '';
  #running = true;

  constructor(name: string, { program, args, env = {} }: Command) {
    this.name = name;
    this.#child = spawn(program, args, {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const keep = (text: Buffer): void => {
      this.#output = (this.#output + text.toString()).slice(-OUTPUT_KEPT);
    };
    this.#child.stdout?.on('data', keep);
    this.#child.stderr?.on('data', keep);
    this.#ended = new Promise((settle) => {
      this.#child.once('error', (error) => keep(Buffer.from(error.message)));
      this.#child.once('close', () => {
        this.#running = false;
        settle();
      });
    });
  }

  get pid(): number {
    return this.#child.pid ?? -1;
  }

  /**
   * Resolves when all ports accept WebSockets.
   *
   * @throws StartError with the output of the process
   */
  async serving({ plain, encrypted = [] }: Ports): Promise<void> {
    const end = performance.now() + START_MS;
    const all = [
      ...plain.map((port) => [port, false] as const),
      ...encrypted.map((port) => [port, true] as const),
    ];
    for (const [port, isEncrypted] of all) {
      while (!(await serves(port, isEncrypted))) {
        if (!this.#running || performance.now() > end) {
          throw new StartError(`${this.name} does not serve port ${port}:\n${this.#output.trim()}`);
        }
        await new Promise((settle) => setTimeout(settle, RETRY_MS));
      }
    }
  }

  /** The last part of the output on stdout and stderr. */
  get output(): string {
    return this.#output;
  }

  /** Whether the process still runs. */
  get running(): boolean {
    return this.#running;
  }

  /** Sends a signal, unless the process has ended. */
  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGTERM');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), STOP_MS);
    await this.#ended;
    clearTimeout(timer);
  }

  /** Kills the process. Used when this process ends and cannot wait. */
  kill(): void {
    this.#child.kill('SIGKILL');
  }
}
