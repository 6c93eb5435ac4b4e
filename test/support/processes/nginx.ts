/** nginx as a party that we did not write, where the machine has it. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../deadline.ts';
import { freePorts } from '../sockets/free-port.ts';

/** Returns the version, such as 1.22.1; null if nginx is not installed. */
export function nginxVersion(): string | null {
  const { error, stderr } = spawnSync('nginx', ['-v'], { encoding: 'utf8' });
  return error === undefined ? (/nginx\/(\S+)/.exec(stderr)?.[1] ?? null) : null;
}

export class Nginx {
  /** `host:port` */
  readonly address: string;
  readonly pid: number;
  readonly #end: () => Promise<void>;

  private constructor(address: string, pid: number, end: () => Promise<void>) {
    this.address = address;
    this.pid = pid;
    this.#end = end;
  }

  /**
   * One process without a master.
   *
   * @param http the inside of its http block, for the address that it is to listen on
   */
  static async start(http: (listen: string) => string): Promise<Nginx> {
    const [port] = await freePorts(1);
    const address = `127.0.0.1:${port!}`;
    const directory = mkdtempSync(join(tmpdir(), 'sluice-nginx-'));
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
      .map((name) => `${name}_temp_path ${directory}/${name};`)
      .join('\n');
    const config = join(directory, 'nginx.conf');
    writeFileSync(
      config,
      `daemon off; master_process off; worker_processes 1;
pid ${directory}/pid;
events { worker_connections 1024; }
http {
access_log off;
${temporary}
${http(address)}
}
`,
    );
    const child = spawn('nginx', ['-e', `${directory}/errors`, '-c', config], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
    const over = new Promise<void>((settle) => child.once('close', settle)).then(() => {
      rmSync(directory, { recursive: true, force: true });
    });
    const isOver = (): boolean => child.exitCode !== null || child.signalCode !== null;
    const kill = (): void => void child.kill('SIGKILL');
    process.once('exit', kill);
    await eventually(() => (isOver() ? undefined : reachable(address)));
    if (isOver()) throw new Error(`nginx does not start: ${said}`);
    return new Nginx(address, child.pid!, async () => {
      kill();
      process.off('exit', kill);
      await over;
    });
  }

  stop(): Promise<void> {
    return this.#end();
  }
}

function reachable(address: string): Promise<void> {
  const { hostname, port } = new URL(`tcp://${address}`);
  return new Promise((settle, fail) => {
    const socket = connect(Number(port), hostname);
    socket.once('connect', () => {
      socket.destroy();
      settle();
    });
    socket.once('error', fail);
  });
}
