/** Mutated requests and frames of clients against a running proxy. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { WebSocketServer } from 'ws';
import { within } from '../deadline.ts';
import { ask } from '../http/http-endpoint.ts';
import { residentBytes } from '../processes/process-facts.ts';
import { WebRig } from '../rigs/web-rig.ts';
import { RawConnection, upgradeRequest } from '../sockets/raw-connection.ts';
import { mutatedFrames } from './frame-streams.ts';
import { mutatedRequests } from './request-heads.ts';

/** The bytes to send. */
interface Plan {
  /** Connections with mutated requests. */
  readonly requests: number;
  /** WebSockets with mutated frames. */
  readonly streams: number;
  readonly seed: number;
}

const AT_ONCE = 40;
/** Longer than any deadline that ends a connection of these. */
const END_MS = 30_000;
/** Max growth of a process after the first tenth was sent: garbage that V8 leaves to its next collection. */
const MAX_GROWTH_BYTES = 48 * 1024 ** 2;
const BLANK = /^(?:\r\n)*\r?$/;

/** An endpoint that answers requests after their body, and echoes messages. */
class Echo {
  readonly #server = createServer((request, response) => {
    request.on('end', () => response.end('ok')).resume();
  });
  readonly #sockets = new WebSocketServer({ server: this.#server });

  async listen(): Promise<string> {
    this.#sockets.on('connection', (socket) => {
      socket.on('error', () => undefined);
      socket.on('message', (data, isBinary) => socket.send(data as Buffer, { binary: isBinary }));
    });
    await new Promise<void>((settle) => this.#server.listen(0, '127.0.0.1', settle));
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): void {
    for (const socket of this.#sockets.clients) socket.terminate();
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

/** Sends bytes in one or two pieces, then FIN. Returns all that comes until the end. */
async function exchangeBytes(client: RawConnection, bytes: Buffer): Promise<Buffer> {
  // The place of the cut is as random as the bytes.
  const cut = bytes.length % 3 === 0 ? bytes.length : (bytes.length * 7) % (bytes.length + 1);
  client.write(bytes.subarray(0, cut));
  if (cut < bytes.length) {
    await new Promise(setImmediate);
    client.write(bytes.subarray(cut));
  }
  client.socket.end();
  await within(`the end after ${JSON.stringify(bytes.toString('latin1'))}`, client.closed, END_MS);
  return client.rest();
}

async function sendRequest(address: string, bytes: Buffer): Promise<void> {
  const answer = await exchangeBytes(await RawConnection.connect(address), bytes);
  const start = answer.toString('latin1', 0, 13);
  const sent = bytes.toString('latin1');
  if (BLANK.test(sent)) assert.equal(start, '');
  else
    assert.match(
      start,
      /^HTTP\/1\.1 \d{3} /,
      `${JSON.stringify(sent)} was answered ${JSON.stringify(start)}`,
    );
}

async function sendFrames(address: string, bytes: Buffer): Promise<void> {
  const client = await RawConnection.connect(address);
  client.write(upgradeRequest('app.example'));
  assert.match((await client.head()).startLine, /^HTTP\/1\.1 101 /);
  await exchangeBytes(client, bytes);
}

/** Sends all the bytes, some connections at once. */
async function sendAll(list: readonly Buffer[], send: (bytes: Buffer) => Promise<void>): Promise<void> {
  let next = 0;
  const sender = async (): Promise<void> => {
    while (next < list.length) await send(list[next++]!);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, sender));
}

/**
 * Sends mutated bytes to a listener of an engine. Throws if one is not answered, a connection stays, the process grows or fails,
 * or does not serve others afterwards.
 */
export async function fuzzOverSockets(engine: string, { requests, streams, seed }: Plan): Promise<void> {
  const echo = new Echo();
  const endpoint = await echo.listen();
  const rig = await WebRig.start({
    log: { access: false },
    listeners: { web: { engine } },
    clusters: { app: { endpoints: [endpoint] } },
  });
  const address = rig.address('web');
  const heads = fc.sample(mutatedRequests, { numRuns: requests, seed });
  const frames = fc.sample(mutatedFrames(true), { numRuns: streams, seed });
  const run = async (from: number, to: number): Promise<void> => {
    const part = <T>(list: readonly T[]): readonly T[] => list.slice(list.length * from, list.length * to);
    await sendAll(part(heads), (bytes) => sendRequest(address, bytes));
    await sendAll(part(frames), (bytes) => sendFrames(address, bytes));
    await rig.settled();
  };
  try {
    await run(0, 0.1);
    const before = residentBytes(rig.sluice.pid);
    await run(0.1, 1);
    const grown = residentBytes(rig.sluice.pid) - before;
    assert.ok(grown < MAX_GROWTH_BYTES, `grown by ${Math.round(grown / 1024)} KiB`);
    const metrics = await rig.scrape();
    // Some of the mutated requests are still handshakes.
    assert.ok(metrics.sum('sluice_ws_sessions_total') >= streams, 'sessions');
    assert.ok(metrics.sum('sluice_http_requests_refused_total') >= requests / 4, 'refusals');
    const { status, body } = await ask(`http://${address}/`);
    assert.deepEqual([status, body.toString()], [200, 'ok']);
  } finally {
    echo.close();
    await rig.stop();
  }
}
