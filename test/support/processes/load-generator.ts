/** The load generator in threads of the test's process, and WebSocket servers for it. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import { join, resolve } from 'node:path';
import type { Piscina } from 'piscina';
import { WebSocketServer, type ServerOptions, type WebSocket } from 'ws';
import { Crew } from '../../../bench/driver/crew/crew.ts';
import { parseArguments } from '../../../bench/options/arguments.ts';
import type { Plan } from '../../../bench/options/plan.ts';
import { prepareReplay } from '../../../bench/recorded/read-replay.ts';
import { mergeOutcomes, type Result } from '../../../bench/result/result.ts';
import type { TapRecord } from '../../../src/wire/recording/records.ts';
import { CertificateAuthority } from '../certificates.ts';
import { within } from '../deadline.ts';

const ROOT = resolve(import.meta.dirname, '../../..');
/** The file of the driver's threads. */
export const THREAD = join(ROOT, 'bench/scenarios/thread.ts');

/** Reads a command line that asks for a run. */
export function planOf(argv: readonly string[]): Plan {
  const invocation = parseArguments(argv);
  return invocation.plan;
}

/** Runs a plan in threads of this process, without a warm-up unless the arguments ask for one. */
export async function drive(url: string, argv: string): Promise<Result> {
  const plan = planOf([url, ...(argv.includes('--warmup') ? [] : ['--warmup', '0']), ...argv.split(' ')]);
  const crew = new Crew({ plan, address: '127.0.0.1', threadFile: THREAD });
  return mergeOutcomes(plan, await within('the run', crew.run()), false);
}

/** Plays a recording in the threads of a pool, which load their sources only once. */
export async function replay(
  url: string,
  records: readonly TapRecord[],
  argv: string,
  pool: Piscina,
): Promise<Result> {
  const options = argv === '' ? [] : argv.split(' ');
  const invocation = parseArguments([url, '--replay', 'recording.jsonl', ...options]);
  assert.ok(invocation.replay !== null);
  const { plan, recorded } = await prepareReplay(invocation.plan, invocation.replay, records);
  const crew = new Crew({ plan, address: '127.0.0.1', threadFile: THREAD, recorded, pool });
  return mergeOutcomes(plan, await within('the replay', crew.run()), false);
}

/** Asserts that a run had neither errors nor closed connections. */
export function assertClean(result: Result): void {
  assert.deepEqual([...result.errors], []);
  assert.deepEqual([...result.closes], []);
}

/** A WebSocket server that does one thing with every client. */
export class Scripted {
  readonly requests: IncomingMessage[] = [];
  readonly server: WebSocketServer;
  readonly #origin: string;
  readonly #port: () => number;

  constructor(
    server: WebSocketServer,
    script: (socket: WebSocket, request: IncomingMessage) => void,
    origin = 'ws://127.0.0.1',
  ) {
    this.server = server;
    this.#origin = origin;
    this.#port = () => (server.address() as AddressInfo).port;
    server.on('connection', (socket, request) => {
      this.requests.push(request);
      socket.on('error', () => undefined);
      script(socket, request);
    });
  }

  static async listen(
    script: (socket: WebSocket, request: IncomingMessage) => void,
    options: ServerOptions = {},
  ): Promise<Scripted> {
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false, ...options });
    await new Promise((settle) => server.once('listening', settle));
    return new Scripted(server, script);
  }

  /** Listens with a certificate for localhost, whose authority nobody trusts. */
  static async listenOverTls(
    script: (socket: WebSocket, request: IncomingMessage) => void,
  ): Promise<Scripted> {
    const authority = new CertificateAuthority();
    const { cert, key } = authority.issue('localhost', ['DNS:localhost']);
    const https = createServer({ cert: readFileSync(cert), key: readFileSync(key) });
    authority.remove();
    await listen(https);
    const server = new WebSocketServer({ server: https, perMessageDeflate: false });
    server.on('close', () => https.close());
    return new Scripted(server, script, 'wss://localhost');
  }

  get url(): string {
    return `${this.#origin}:${this.#port()}/`;
  }

  close(): void {
    for (const client of this.server.clients) client.terminate();
    this.server.close();
  }
}

/** Sends every message back. */
export function echoTo(socket: WebSocket): void {
  socket.on('message', (data, binary) => socket.send(data as Buffer, { binary }));
}

/** Returns a script that echoes every message but the nth of a client, counted from 1. */
export function but(
  n: number,
  otherwise: (socket: WebSocket, data: Buffer) => void,
): (socket: WebSocket) => void {
  return (socket) => {
    let count = 0;
    socket.on('message', (data, binary) => {
      if (++count === n) otherwise(socket, data as Buffer);
      else socket.send(data as Buffer, { binary });
    });
  };
}

/** Listens on a free port of 127.0.0.1. */
export async function listen(server: Server): Promise<number> {
  await new Promise<void>((settle) => server.listen(0, '127.0.0.1', settle));
  return (server.address() as AddressInfo).port;
}
