/** `sluice tap` beside a running proxy, in a separate process. */
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { eventually, within } from '../deadline.ts';
import { PROGRAM } from '../processes/program.ts';
import type { SluiceProcess } from '../processes/sluice-process.ts';
import { workersHeard } from './tap-stream.ts';

export class TapCommand {
  /** The output so far. */
  stdout = '';
  stderr = '';
  readonly #child: ChildProcessByStdio<null, Readable, Readable>;
  readonly #exit: Promise<number | null>;

  private constructor(child: ChildProcessByStdio<null, Readable, Readable>) {
    this.#child = child;
    child.stdout.setEncoding('utf8').on('data', (text: string) => (this.stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
    this.#exit = new Promise((settle) => child.once('close', settle));
    // However this process ends.
    process.once('exit', () => child.kill('SIGKILL'));
  }

  /**
   * Begins a tap, and waits until the proxy has logged that it runs and its workers know it.
   *
   * @param args behind `tap -c FILE`, such as `--payload`
   */
  static async start(sluice: SluiceProcess, ...args: readonly string[]): Promise<TapCommand> {
    const from = sluice.logs.length;
    // The kernel has chosen the port.
    const place = ['-c', sluice.configFile, '--set', `admin.address=${sluice.admin}`];
    const child = spawn(process.execPath, [PROGRAM, 'tap', ...place, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const tap = new TapCommand(child);
    const refused = tap.#exit.then((status) => {
      throw new Error(`sluice tap ended with ${status ?? 'a signal'}: ${tap.stderr}${tap.stdout}`);
    });
    await Promise.race([sluice.waitForLog(({ msg }) => msg === 'tap started', undefined, from), refused]);
    const { admin } = JSON.parse(readFileSync(sluice.configFile, 'utf8')) as { admin: { token: string } };
    await workersHeard(sluice.admin, admin.token);
    return tap;
  }

  /** Waits until it has written a text to stdout. */
  async shows(expected: RegExp): Promise<void> {
    await eventually(() => {
      if (!expected.test(this.stdout)) throw new Error(`${expected} is not in: ${this.stdout}${this.stderr}`);
    });
  }

  /** Ends it as Ctrl-C does. Returns its exit status; null for a signal. */
  async stop(signal: NodeJS.Signals = 'SIGINT'): Promise<number | null> {
    this.#child.kill(signal);
    return within('the end of sluice tap', this.#exit);
  }

  /** Waits until it ends of itself. */
  ended(): Promise<number | null> {
    return within('the end of sluice tap', this.#exit);
  }
}
