/** An endpoint and a load driver, each in a separate process. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { CertificateAuthority } from '../certificates.ts';
import { within } from '../deadline.ts';
import { freePorts } from '../sockets/free-port.ts';
import { PROGRAM, ROOT } from './program.ts';

/** The figures of the load generator that tests read. */
export interface Load {
  readonly messages: number;
  readonly errors: { readonly total: number };
  /** In milliseconds. */
  readonly latency: Readonly<Record<'p50' | 'p99' | 'max', number>>;
}

/** An endpoint in a separate process that echoes every message. */
export class EchoProcess {
  /** `host:port` */
  readonly address: string;
  readonly #end: () => void;

  private constructor(address: string, end: () => void) {
    this.address = address;
    this.#end = end;
  }

  static async start(): Promise<EchoProcess> {
    const authority = new CertificateAuthority();
    const { cert, key } = authority.issue('echo', ['DNS:localhost']);
    const [plain = 0, tls = 0] = await freePorts(2);
    const child = spawn(
      process.execPath,
      [`${ROOT}/bench/endpoint/server.ts`, String(plain), String(tls), cert, key],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    // However this process ends.
    process.once('exit', () => child.kill('SIGKILL'));
    await within('the endpoint to listen', once(child.stdout, 'data'));
    return new EchoProcess(`127.0.0.1:${plain}`, () => {
      child.kill('SIGKILL');
      authority.remove();
    });
  }

  stop(): void {
    this.#end();
  }
}

/** Puts a WebSocket server under load with the project's own generator, for as long as the arguments say. */
export async function drive(url: string, args: readonly string[], deadlineMs: number): Promise<Load> {
  const child = spawn(process.execPath, [PROGRAM, 'bench', url, ...args, '--json'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    return JSON.parse(await within('the load', text(child.stdout), deadlineMs)) as Load;
  } finally {
    child.kill('SIGKILL');
  }
}
