/** A real Redis server, on a loopback port that stays the same over restarts. It keeps nothing on disk. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import type { IssuedCertificate } from '../certificates.ts';
import { eventually, within } from '../deadline.ts';
import { freePorts } from '../sockets/free-port.ts';

const PROGRAM = 'redis-server';

/** Returns why no Redis server can run here; null if one can. */
export function redisServerMissing(): string | null {
  const { error } = spawnSync(PROGRAM, ['--version']);
  return error === undefined ? null : `${PROGRAM} is not installed`;
}

export class RedisServer {
  readonly port: number;
  readonly #extra: readonly string[];
  readonly #scheme: 'redis' | 'rediss';
  #child: ChildProcess | null = null;

  private constructor(port: number, extra: readonly string[], scheme: 'redis' | 'rediss' = 'redis') {
    this.port = port;
    this.#extra = extra;
    this.#scheme = scheme;
  }

  /** @param extra arguments of the command line, such as `--requirepass` and a password */
  static async start(...extra: readonly string[]): Promise<RedisServer> {
    const [port = 0] = await freePorts(1);
    const server = new RedisServer(port, extra);
    await server.restart();
    return server;
  }

  /** Starts a server that speaks TLS only. @param caFile of the authority that has signed the certificate */
  static async startTls({ cert, key }: IssuedCertificate, caFile: string): Promise<RedisServer> {
    const [port = 0] = await freePorts(1);
    const files = ['--tls-cert-file', cert, '--tls-key-file', key, '--tls-ca-cert-file', caFile];
    const extra = ['--port', '0', '--tls-port', String(port), '--tls-auth-clients', 'no', ...files];
    const server = new RedisServer(port, extra, 'rediss');
    await server.restart();
    return server;
  }

  get url(): string {
    return `${this.#scheme}://127.0.0.1:${this.port}`;
  }

  /** Ends the server without a farewell. Its data are lost. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (child?.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await within('the end of Redis', gone);
  }

  /** Starts an empty server. */
  async restart(): Promise<void> {
    await this.kill();
    const child = spawn(
      PROGRAM,
      [
        ...['--port', String(this.port), '--bind', '127.0.0.1', '--dir', tmpdir()],
        ...['--save', '', '--appendonly', 'no', ...this.#extra],
      ],
      { stdio: 'ignore' },
    );
    this.#child = child;
    // However this process ends.
    const kill = (): boolean => child.kill('SIGKILL');
    process.once('exit', kill);
    child.once('close', () => process.off('exit', kill));
    await eventually(() => reachable(this.port));
  }

  /** Stops the process: connections stay open, and nothing answers. */
  pause(): void {
    this.#child?.kill('SIGSTOP');
  }

  resume(): void {
    this.#child?.kill('SIGCONT');
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
