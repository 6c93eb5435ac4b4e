/** Somebody who takes what processes send to NOTIFY_SOCKET: a program of Python's, because Node has no such sockets. */
import { spawn, spawnSync, type ChildProcessByStdio } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { Arrivals, within } from '../deadline.ts';

/** Says that it listens, and then each datagram as a line of JSON. */
const PROGRAM = `
import json, socket, sys
path = sys.argv[1]
receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
receiver.bind('\\0' + path[1:] if path.startswith('@') else path)
print(json.dumps('listening'), flush=True)
while True:
    print(json.dumps(receiver.recv(65536).decode()), flush=True)
`;

/** Whether this machine has it. */
export const hasPython = spawnSync('python3', ['--version']).status === 0;

export class NotifyReceiver {
  /** The lines of each datagram. */
  readonly datagrams = new Arrivals<readonly string[]>('a datagram');
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;

  private constructor(path: string) {
    this.#child = spawn('python3', ['-c', PROGRAM, path], { stdio: ['pipe', 'pipe', 'inherit'] });
    process.once('exit', () => this.stop());
    createInterface({ input: this.#child.stdout }).on('line', (line) => {
      this.datagrams.push((JSON.parse(line) as string).split('\n'));
    });
  }

  /** @param path as NOTIFY_SOCKET has it: of a file, or `@name` */
  static async listen(path: string): Promise<NotifyReceiver> {
    const receiver = new NotifyReceiver(path);
    await within('the receiver to listen', receiver.datagrams.next());
    return receiver;
  }

  /** The next datagram that is not of the watchdog. */
  async next(): Promise<readonly string[]> {
    for (;;) {
      const lines = await this.datagrams.next();
      if (!lines.includes('WATCHDOG=1')) return lines;
    }
  }

  stop(): void {
    this.#child.kill('SIGKILL');
  }
}
