/**
 * A steady stream of clients to three endpoints. One endpoint is killed with SIGKILL: what do the clients
 * see?
 */
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { WebSocket } from 'ws';
import { eventually, within } from '../deadline.ts';
import { askAdmin } from '../http/admin-client.ts';
import { freePorts } from '../sockets/free-port.ts';
import type { WebRig } from './web-rig.ts';

const ECHO = `
const { WebSocketServer } = require('ws');
const port = Number(process.argv[1]);
const server = new WebSocketServer({ host: '127.0.0.1', port, perMessageDeflate: false }, () =>
  console.log('listening'));
server.on('connection', (socket) => socket.on('message', (data) => socket.send(data)));`;

/** An endpoint in a process that can be killed. */
export class MortalEndpoint {
  readonly address: string;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.address = `127.0.0.1:${port}`;
  }

  static async start(): Promise<MortalEndpoint> {
    const [port] = await freePorts(1);
    const child = spawn(process.execPath, ['-e', ECHO, String(port)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    // However this process ends.
    const kill = (): boolean => child.kill('SIGKILL');
    process.once('exit', kill);
    child.once('exit', () => process.off('exit', kill));
    await within('the endpoint to listen', once(child.stdout, 'data'));
    return new MortalEndpoint(child, port!);
  }

  /** Resolves when it is dead. */
  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exit = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await within('the death of the endpoint', exit);
  }

  /** Stops or continues the process. */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#child.kill(signal);
  }
}

interface Client {
  readonly began: number;
  readonly ended: Promise<void>;
  echoed: boolean;
  over: boolean;
}

/** The results of the clients. */
export interface Aftermath {
  readonly clients: number;
  readonly failedBefore: number;
  /** Clients in progress when the endpoint had died, and those of them that failed. */
  readonly inFlight: number;
  readonly failedInFlight: number;
  /** Failed clients that began after the endpoint had died: none should. */
  readonly failedLater: number;
  readonly retries: number;
  /** From the death to the ejection. */
  readonly ejectedAfterMs: number;
}

/**
 * Starts clients at a steady rate. Each sends a message, waits for its echo and closes. Kills the first
 * endpoint in between, and continues for a while after its ejection.
 *
 * @param ms duration of the load before the death, and after the ejection
 */
export async function killOne(
  rig: WebRig,
  endpoints: readonly MortalEndpoint[],
  rate: number,
  ms: number,
): Promise<Aftermath> {
  const url = `ws://${rig.address('web')}/`;
  const all: Client[] = [];
  let coming = true;
  const come = async (): Promise<void> => {
    for (let due = performance.now(); coming; due += 1000 / rate) {
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, due - performance.now())));
      all.push(open(url));
    }
  };
  const stream = come();
  await new Promise((resolve) => setTimeout(resolve, ms));
  // Clients are also connected to it while it dies.
  const before = all.filter(({ over }) => over);
  await endpoints[0]!.kill();
  const diedAt = performance.now();
  const inProgress = all.filter((client) => !before.includes(client));
  await eventually(async () => assert.equal(await stateOf(rig, endpoints[0]!.address), 'ejected'));
  const ejectedAfterMs = Math.round(performance.now() - diedAt);
  await new Promise((resolve) => setTimeout(resolve, ms));
  coming = false;
  await stream;
  await within('the clients', Promise.all(all.map(({ ended }) => ended)));
  const failed = (clients: Iterable<Client>): number => [...clients].filter(({ echoed }) => !echoed).length;
  return {
    clients: all.length,
    failedBefore: failed(before),
    inFlight: inProgress.length,
    failedInFlight: failed(inProgress),
    failedLater: failed(all.filter(({ began }) => began > diedAt)),
    retries: (await rig.scrape()).sum('sluice_cluster_retries_total'),
    ejectedAfterMs,
  };
}

function open(url: string): Client {
  const socket = new WebSocket(url, { perMessageDeflate: false });
  const client: { -readonly [key in keyof Client]: Client[key] } = {
    began: performance.now(),
    echoed: false,
    over: false,
    ended: new Promise((resolve) => {
      socket.on('close', () => {
        client.over = true;
        resolve();
      });
    }),
  };
  socket.on('open', () => socket.send('x'));
  socket.on('message', () => {
    client.echoed = true;
    socket.close();
  });
  socket.on('error', () => undefined);
  return client;
}

async function stateOf(rig: WebRig, endpoint: string): Promise<string | undefined> {
  const { body } = await askAdmin(rig.sluice.admin, '/status');
  const { clusters } = JSON.parse(body) as {
    clusters: { endpoints: { address: string; state: string }[] }[];
  };
  return clusters[0]?.endpoints.find(({ address }) => address === endpoint)?.state;
}
