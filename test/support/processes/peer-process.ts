/** Servers that we did not write, as processes of a test. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../deadline.ts';
import { freePorts } from '../sockets/free-port.ts';

interface Launched {
  readonly address: string;
  readonly pid: number;
  readonly stop: () => Promise<void>;
}

export class PeerProcess {
  /** `host:port` */
  readonly address: string;
  readonly pid: number;
  readonly #stop: () => Promise<void>;

  constructor({ address, pid, stop }: Launched) {
    this.address = address;
    this.pid = pid;
    this.#stop = stop;
  }

  stop(): Promise<void> {
    return this.#stop();
  }
}

/**
 * Starts a program that listens on a free port, and waits until it accepts.
 *
 * @param configure writes what it needs into an empty directory, which is removed when it ends. Returns its arguments
 * @throws Error with what it has printed, if it ends at once
 */
export async function launch(
  program: string,
  configure: (directory: string, address: string) => readonly string[],
): Promise<Launched> {
  const [port] = await freePorts(1);
  const address = `127.0.0.1:${port!}`;
  const directory = mkdtempSync(join(tmpdir(), `sluice-${program}-`));
  const child = spawn(program, configure(directory, address), { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  const over = new Promise<void>((settle) => child.once('close', settle)).then(() => {
    rmSync(directory, { recursive: true, force: true });
  });
  const isOver = (): boolean => child.exitCode !== null || child.signalCode !== null;
  const kill = (): void => void child.kill('SIGKILL');
  process.once('exit', kill);
  await eventually(() => (isOver() ? undefined : reachable(port!)));
  if (isOver()) throw new Error(`${program} does not start: ${said}`);
  const stop = async (): Promise<void> => {
    kill();
    process.off('exit', kill);
    await over;
  };
  return { address, pid: child.pid!, stop };
}

function reachable(port: number): Promise<void> {
  return new Promise((settle, fail) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      settle();
    });
    socket.once('error', fail);
  });
}
