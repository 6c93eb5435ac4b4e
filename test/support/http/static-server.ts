/** Static files behind a bare server of uWebSockets.js, in a folder with everything that may be asked for. */
import assert from 'node:assert/strict';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { Agent, request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, us_listen_socket_close, us_socket_local_port, type us_listen_socket } from 'uWebSockets.js';
import { StaticFiles } from '../../../src/l7/static/static-files.ts';
import { UwsReply } from '../../../src/l7/uws/reply/uws-reply.ts';
import { normalizePath } from '../../../src/routing/request-path.ts';
import { eventually } from '../deadline.ts';

/** When every file was last modified. */
export const MODIFIED = new Date('2024-05-06T07:08:09Z');
/** Content of `/big.bin`. */
export const BIG = Buffer.from(Uint8Array.from({ length: 700_000 }, (_, i) => i % 251));

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** Whether the whole announced body arrived. */
  readonly complete: boolean;
}

/** The server's report of an answer. */
interface Report {
  readonly path: string;
  readonly status: number;
}

export class StaticServer {
  /** The folder whose files are served. */
  readonly root: string;
  /** Reports of all answers, in order. */
  readonly reports: Report[] = [];
  readonly #directory: string;
  readonly #app = App();
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  #listening: us_listen_socket | null = null;

  private constructor(directory: string) {
    this.#directory = directory;
    this.root = join(directory, 'public');
    fill(this.root);
    this.#serve();
  }

  static async start(): Promise<StaticServer> {
    const server = new StaticServer(realpathSync(mkdtempSync(join(tmpdir(), 'sluice-static-'))));
    await server.#listen();
    return server;
  }

  get port(): number {
    assert.ok(this.#listening !== null);
    return us_socket_local_port(this.#listening);
  }

  close(): void {
    this.#agent.destroy();
    if (this.#listening !== null) us_listen_socket_close(this.#listening);
    this.#app.close();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  /** Sends a request on a connection that is kept, and reads the answer. */
  ask(path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const request = httpRequest(
        { host: '127.0.0.1', port: this.port, path, headers, method, agent: this.#agent },
        (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('error', () => undefined);
          response.on('close', () => {
            const { statusCode = 0, complete } = response;
            resolve({ status: statusCode, headers: response.headers, body: Buffer.concat(chunks), complete });
          });
        },
      );
      request.on('error', reject);
      request.end();
    });
  }

  /** Sends requests as they are, each after the head of the last answer, and returns all that comes. */
  raw(...requests: string[]): Promise<string> {
    return new Promise((resolve, reject) => {
      const socket = connect(this.port, '127.0.0.1', () => socket.write(requests.shift() ?? ''));
      const chunks: Buffer[] = [];
      socket.on('data', (chunk) => {
        chunks.push(chunk);
        const next = requests.shift();
        if (next !== undefined) socket.write(next);
      });
      socket.on('error', reject);
      socket.on('close', () => resolve(Buffer.concat(chunks).toString('latin1')));
    });
  }

  /** Lists the files of the folder that this process has open. */
  openFiles(): string[] {
    const links = readdirSync('/proc/self/fd').map((fd) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`);
      } catch {
        return '';
      }
    });
    return links.filter((link) => link.startsWith(this.root));
  }

  /** A client that asks and reads nothing. */
  async stalledClient(path: string): Promise<Socket> {
    const socket = connect(this.port, '127.0.0.1', () =>
      socket.write(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`),
    );
    socket.on('error', () => undefined);
    await new Promise<void>((resolve) => socket.once('readable', resolve));
    return socket;
  }

  /** Waits until no file is open and the server has said all this of the answers to `paths`. */
  reported(...answers: readonly Report[]): Promise<void> {
    const paths = answers.map(({ path }) => path);
    return eventually(() => {
      assert.deepEqual(
        this.reports.filter(({ path }) => paths.includes(path)),
        answers,
      );
      assert.deepEqual(this.openFiles(), []);
    });
  }

  #serve(): void {
    const files = new StaticFiles({
      kind: 'static',
      root: this.root,
      index: 'index.html',
      fallback: null,
      precompressed: false,
      cacheControl: null,
    });
    this.#app.any('/*', (response, request) => {
      const method = request.getMethod().toUpperCase();
      const headers = new Map<string, string>();
      request.forEach((name, value) => headers.set(name, value));
      const reply = new UwsReply(response, 'r', method === 'HEAD', setImmediate, () => undefined);
      const path = normalizePath(request.getUrl());
      if (path === null) reply.send(400, [], 'Bad Request\n');
      else {
        files.serve({ method, path, header: (name) => headers.get(name) }, reply, (status) => {
          this.reports.push({ path, status });
        });
      }
    });
  }

  #listen(): Promise<void> {
    return new Promise((resolve) => {
      this.#app.listen('127.0.0.1', 0, (socket) => {
        assert.ok(socket);
        this.#listening = socket;
        resolve();
      });
    });
  }
}

function fill(root: string): void {
  for (const path of ['docs', 'empty', '.git', '.well-known', '../private'])
    mkdirSync(join(root, path), { recursive: true });
  for (const [path, content] of [
    ['index.html', '<p>home'],
    ['docs/index.html', '<p>docs'],
    ['app.js', 'export {}'],
    ['data', 'raw'],
    ['zero.txt', ''],
    ['big.bin', BIG],
    ['a b%é.txt', 'odd name'],
    ['.env', 'SECRET=1'],
    ['.git/config', 'secret'],
    ['.well-known/security.txt', 'Contact:'],
    ['../private/key', 'secret'],
  ] as const) {
    writeFileSync(join(root, path), content);
    utimesSync(join(root, path), MODIFIED, MODIFIED);
  }
  writeFileSync(join(root, 'huge.bin'), '');
  truncateSync(join(root, 'huge.bin'), 2 ** 30);
  symlinkSync('../private/key', join(root, 'leak'));
}
