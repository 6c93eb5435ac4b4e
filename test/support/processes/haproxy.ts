/** HAProxy as a party that we did not write, where the machine has it. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../deadline.ts';
import { freePorts } from '../sockets/free-port.ts';

/** Returns the version, such as 2.6.12; null if HAProxy is not installed. */
export function haproxyVersion(): string | null {
  const { error, stdout } = spawnSync('haproxy', ['-v'], { encoding: 'utf8' });
  return error === undefined ? (/version (\d[\d.]*)/.exec(stdout)?.[1] ?? null) : null;
}

export class HAProxy {
  /** `host:port` */
  readonly address: string;
  readonly #end: () => Promise<void>;

  private constructor(address: string, end: () => Promise<void>) {
    this.address = address;
    this.#end = end;
  }

  /**
   * One process without a master, in HTTP mode by default.
   *
   * @param sections its frontends and backends, for the address that it is to listen on
   */
  static async start(sections: (listen: string) => string): Promise<HAProxy> {
    const [port] = await freePorts(1);
    const address = `127.0.0.1:${port!}`;
    const directory = mkdtempSync(join(tmpdir(), 'sluice-haproxy-'));
    const config = join(directory, 'haproxy.cfg');
    writeFileSync(
      config,
      `global
  maxconn 1000
defaults
  mode http
  timeout client 60s
  timeout connect 10s
  timeout server 60s
${sections(address)}
`,
    );
    const child = spawn('haproxy', ['-db', '-f', config], { stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
    const over = new Promise<void>((settle) => child.once('close', settle)).then(() => {
      rmSync(directory, { recursive: true, force: true });
    });
    const isOver = (): boolean => child.exitCode !== null || child.signalCode !== null;
    const kill = (): void => void child.kill('SIGKILL');
    process.once('exit', kill);
    await eventually(() => (isOver() ? undefined : reachable(port!)));
    if (isOver()) throw new Error(`HAProxy does not start: ${said}`);
    return new HAProxy(address, async () => {
      kill();
      process.off('exit', kill);
      await over;
    });
  }

  stop(): Promise<void> {
    return this.#end();
  }
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
