/**
 * Thousands of clients with an even pace, and their endpoint, in one separate process: for measurements in
 * turns.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { PacedFigures, PacedQuestion } from '../../scale/fixtures/paced-echo.ts';
import { within } from '../deadline.ts';

const FILE = fileURLToPath(new URL('../../scale/fixtures/paced-echo.ts', import.meta.url));

export class PacedLoad {
  /** `host:port` of the endpoint. */
  readonly address: string;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.address = `127.0.0.1:${port}`;
  }

  static async start(): Promise<PacedLoad> {
    const child = fork(FILE, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    // However this process ends.
    process.once('exit', () => child.kill('SIGKILL'));
    return new PacedLoad(child, (await answerOf(child)) as number);
  }

  /** Opens sessions through a proxy. @param address `host:port` of the proxy */
  async open(address: string, sessions: number, compressed: boolean): Promise<void> {
    await this.#ask({ type: 'open', sessions, port: Number(address.split(':')[1]), compressed });
  }

  /** Sends messages for some time, over all sessions in turn. @param rate messages a second */
  async measure(ms: number, rate: number): Promise<PacedFigures> {
    return (await this.#ask({ type: 'measure', ms, rate })) as PacedFigures;
  }

  stop(): void {
    this.#child.kill('SIGKILL');
  }

  #ask(question: PacedQuestion): Promise<unknown> {
    const answer = answerOf(this.#child);
    this.#child.send(question);
    return answer;
  }
}

function answerOf(child: ChildProcess): Promise<unknown> {
  const answer = new Promise((settle, fail) => {
    const ended = (code: number | null): void => fail(new Error(`the load ended with ${code ?? 'a signal'}`));
    child.once('exit', ended);
    child.once('message', (message) => {
      child.off('exit', ended);
      settle(message);
    });
  });
  return within('the answer of the load', answer);
}
