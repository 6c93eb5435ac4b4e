/** An admin server on a separate port, and its clients. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import type { DescriptorPlan } from '../../../../src/core/descriptor-limit.ts';
import { AdminServer } from '../../../../src/primary/admin/admin-server.ts';
import { AdminStats } from '../../../../src/primary/admin/admin-stats.ts';
import type { AdminView } from '../../../../src/primary/admin/admin-view.ts';
import type { PageText } from '../../../../src/primary/admin/pages/page-body.ts';
import { eventually, within } from '../../../support/deadline.ts';
import { capture, type LogLine } from '../fixtures/config.ts';

const local = { kind: 'tcp', host: '127.0.0.1', port: 0 } as const;
/** Long enough that nothing is cut which a test does not mean. */
const PATIENT = { headMs: 60_000, requestMs: 60_000, answerMs: 60_000, keepAliveMs: 60_000, checkMs: 20 };
export const MAX_PER_ADDRESS = 32;

/** A page of one piece in plain text. */
export function textPage(text: string, type = 'text/plain'): PageText {
  return { type, pieces: [text] };
}

/** A view of a process that is well, with a status of one key. */
export const VIEW: AdminView = {
  metrics: () => Promise.resolve(textPage('a 1\n')),
  notReady: () => null,
  notLive: () => null,
  status: () => ({ type: 'application/json', pieces: ['{"version":"1.2.3"}\n'] }),
  *live() {
    yield;
    return '{"version":"1.2.3"}';
  },
  commands: [],
  token: null,
  hosts: [],
};

export class AdminRig {
  readonly stats = new AdminStats();
  readonly lines: readonly LogLine[];
  readonly #server: AdminServer;
  readonly #sockets: Socket[] = [];
  #port = 0;

  constructor(
    changes: Partial<AdminView>,
    timings: Partial<typeof PATIENT>,
    descriptorPlan: DescriptorPlan | null,
  ) {
    const { log, lines } = capture();
    this.lines = lines;
    this.#server = new AdminServer({ ...VIEW, ...changes }, this.stats, log, {
      timings: { ...PATIENT, ...timings },
      descriptorPlan,
    });
  }

  async listen(): Promise<void> {
    this.#port = (await this.#server.listen(local)).port;
  }

  get address(): string {
    return `127.0.0.1:${this.#port}`;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await this.#server.close();
  }

  /** Connects from an address of the loopback network; the server has accepted when it returns. */
  async dial(localAddress = '127.0.0.1'): Promise<Client> {
    const before = this.stats.connections;
    const socket = connect({ host: '127.0.0.1', port: this.#port, localAddress });
    this.#sockets.push(socket);
    const client = new Client(socket);
    await within('the connection', once(socket, 'connect'));
    // A full server has as many connections afterwards as before.
    if (before < MAX_PER_ADDRESS) await eventually(() => assert.ok(this.stats.connections > before));
    return client;
  }

  dialMany(count: number, localAddress?: string): Promise<Client[]> {
    return Promise.all(
      Array.from({ length: count }, async () => {
        const socket = connect({ host: '127.0.0.1', port: this.#port, localAddress });
        this.#sockets.push(socket);
        const client = new Client(socket);
        await within('the connection', once(socket, 'connect'));
        return client;
      }),
    );
  }

  /** Sends a request on a new connection. Returns status and body. */
  ask(path: string, localAddress = '127.0.0.1', headers = {}): Promise<readonly [number, string]> {
    const options = { host: '127.0.0.1', port: this.#port, path, agent: false, localAddress, headers };
    const answer = new Promise<readonly [number, string]>((settle, fail) => {
      const asking = request(options, (response) => {
        let body = '';
        response.setEncoding('latin1').on('data', (text: string) => (body += text));
        response.once('end', () => settle([response.statusCode ?? 0, body]));
        response.once('error', fail);
      });
      asking.once('error', fail);
      asking.end();
    });
    return within(`the answer of ${path}`, answer);
  }

  count(metric: string, reason: string): number {
    const family = this.stats.families.find(({ metric: { name } }) => name === metric);
    return [...family!.read()].find(({ labels }) => labels.reason === reason)!.value;
  }

  refused(reason: string): number {
    return this.count('sluice_admin_requests_refused_total', reason);
  }

  closed(reason: string): number {
    return this.count('sluice_admin_connections_closed_total', reason);
  }
}

export class Client {
  readonly socket: Socket;
  received = '';
  isClosed = false;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('error', () => undefined);
    socket.setEncoding('latin1').on('data', (text: string) => (this.received += text));
    socket.once('close', () => (this.isClosed = true));
  }

  async closes(): Promise<string> {
    await eventually(() => assert.ok(this.isClosed, 'it is still open'));
    return this.received;
  }
}

export async function withRig(
  changes: Partial<AdminView>,
  timings: Partial<typeof PATIENT>,
  use: (rig: AdminRig) => Promise<void>,
  descriptorPlan: DescriptorPlan | null = null,
): Promise<void> {
  const rig = new AdminRig(changes, timings, descriptorPlan);
  await rig.listen();
  try {
    await use(rig);
  } finally {
    await rig.close();
  }
}

/** Metrics that are rendered when the test says so. */
export function heldMetrics(): {
  view: Pick<AdminView, 'metrics'>;
  release: () => void;
  renderings: () => number;
} {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  let renderings = 0;
  const metrics = async (): Promise<PageText> => {
    renderings++;
    await promise;
    return textPage('held 1\n');
  };
  return { view: { metrics }, release: () => resolve(undefined), renderings: () => renderings };
}

export const LIVEZ = 'GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n';
export const METRICS = 'GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n';
