/** A layer 4 worker that is spoken to all the time, as a suite for every engine. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { MessageChannel, Worker } from 'node:worker_threads';
import type { Config } from '../../../src/config/types/config.ts';
import type { L4Engine, L4Listener } from '../../../src/config/types/listener.ts';
import { formatAddress, parseTcpAddress } from '../../../src/core/address.ts';
import type { FromWorker } from '../../../src/protocol/from-worker.ts';
import type { ToWorker, WorkerStart } from '../../../src/protocol/to-worker.ts';
import { pageMetrics } from '../../../src/telemetry/metrics/page-metrics.ts';
import { findSlot } from '../../../src/telemetry/page-layout.ts';
import { SharedSlots } from '../../../src/telemetry/slots/shared-slots.ts';
import { within } from '../../support/deadline.ts';
import { TcpEndpoint, TcpPeer } from '../../support/sockets/tcp-peer.ts';
import { config } from '../../unit/primary/fixtures/config.ts';
import { freshAddress } from '../../unit/sys/pairs.ts';
import { workerStart } from '../../unit/worker/fixtures/worker-start.ts';

const CONNECTIONS = 400;
/** 200 a second. */
const BETWEEN_CONNECTIONS_MS = 5;
const BETWEEN_MESSAGES_MS = 10;
const DRAIN_MS = 10_000;

/** As much as a configuration of many routes and clusters; a worker that is older than a message passes it over. */
const MESSAGE = {
  type: 'unknown to this worker',
  clusters: Array.from({ length: 100 }, (_, index) => ({
    name: `cluster-${index}`,
    endpoints: Array.from({ length: 4 }, (_, port) => ({
      address: `10.0.0.${index % 256}:${port}`,
      weight: 1,
    })),
  })),
} as unknown as ToWorker;

export function describeControlledTunnels(engine: L4Engine): void {
  describe(`a worker with the ${engine} engine`, { timeout: 300_000 }, () => {
    it('serves 200 connections a second while messages storm in, and then drains', async () => {
      const endpoint = await TcpEndpoint.listen(undefined, (peer) => {
        peer.read();
        peer.socket.on('data', (bytes: Buffer) => peer.send(bytes));
        peer.socket.once('end', () => peer.end());
      });
      const { start, say, listening, lines } = await prepare(engine, endpoint);
      const thread = new Worker(new URL('./fixtures/l4-thread.ts', import.meta.url), {
        workerData: { start },
        transferList: [start.port],
      });
      const ended = once(thread, 'exit');
      let storm: NodeJS.Timeout | undefined;
      try {
        await within('the worker to listen', listening);
        const [listener] = start.config.listeners;
        const address = formatAddress(listener!.address);
        let messages = 0;
        storm = setInterval(() => {
          say(MESSAGE);
          messages++;
        }, BETWEEN_MESSAGES_MS);
        const served: Promise<void>[] = [];
        for (let count = 0; count < CONNECTIONS; count++) {
          served.push(echo(address, `connection ${count}`));
          await setTimeout(BETWEEN_CONNECTIONS_MS);
        }
        await Promise.all(served);
        clearInterval(storm);
        assert.ok(messages > CONNECTIONS / 20, `${messages} messages`);
        say({ type: 'end', graceMs: DRAIN_MS, pace: null, successors: null });
        const [status] = (await within('the end of the worker', ended)) as [number];
        assert.equal(status, 0);
        const values = new Float64Array(start.pages[0]!);
        const labels = { listener: 'tcp', cluster: 'app' };
        const tunnels = findSlot(new SharedSlots(start.series), pageMetrics.tunnels, labels);
        assert.equal(values[tunnels], CONNECTIONS);
        assert.deepEqual(
          lines.filter((line) => /"level":"(?:warn|error)"/.test(line)),
          [],
        );
      } finally {
        clearInterval(storm);
        endpoint.close();
        await thread.terminate();
      }
    });
  });
}

/** Opens one connection, echoes on it and closes it cleanly. */
async function echo(address: string, text: string): Promise<void> {
  const client = await TcpPeer.connect(address);
  client.read().send(text);
  await client.receivesText(text);
  client.end();
  assert.equal(await client.closed(), '');
}

async function prepare(
  engine: L4Engine,
  endpoint: TcpEndpoint,
): Promise<{
  start: WorkerStart;
  say: (message: ToWorker) => void;
  listening: Promise<void>;
  lines: string[];
}> {
  const { address } = await freshAddress('IPv4');
  if (address.kind !== 'tcp') throw new Error('no port');
  const listener: L4Listener = {
    name: 'tcp',
    mode: 'l4',
    address,
    maxConnections: 0,
    trustedProxies: [],
    proxyProtocol: 'off',
    passthrough: [],
    access: null,
    limits: [],
    cluster: 'app',
    engine,
    idleTimeoutMs: 0,
    halfCloseTimeoutMs: 0,
  };
  const cluster = {
    ...config.clusters[0]!,
    connectTimeoutMs: 20_000,
    endpoints: [{ address: parseTcpAddress(endpoint.address)!, weight: 1, maxConnections: 0 }],
  };
  const whole: Config = { ...config, listeners: [listener], clusters: [cluster] };
  const { port1, port2 } = new MessageChannel();
  const lines: string[] = [];
  const listening = new Promise<void>((resolve) => {
    port1.on('message', (message: FromWorker) => {
      if (message.type === 'listening') resolve();
      else if (message.type === 'log') lines.push(...message.lines.trim().split('\n'));
    });
  });
  const start = workerStart('l4', whole, { port: port2 });
  return { start, say: (message) => port1.postMessage(message), listening, lines };
}
