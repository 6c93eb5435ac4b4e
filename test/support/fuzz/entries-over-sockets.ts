/** Mutated PROXY headers and ClientHellos against a running proxy. */
import assert from 'node:assert/strict';
import { connect as connectTls } from 'node:tls';
import fc from 'fast-check';
import { CertificateAuthority } from '../certificates.ts';
import { within } from '../deadline.ts';
import { residentBytes } from '../processes/process-facts.ts';
import { WebRig } from '../rigs/web-rig.ts';
import { RawConnection } from '../sockets/raw-connection.ts';
import { mutatedHellos } from './client-hellos.ts';
import { mutatedProxyHeaders } from './proxy-headers.ts';

const AT_ONCE = 40;
const HANDSHAKE_TIMEOUT_MS = 2000;
/** Longer than the deadline of the handshake. */
const END_MS = 30_000;
/** Max growth of a process after the first tenth was sent: garbage that V8 leaves to its next collection. */
const MAX_GROWTH_BYTES = 48 * 1024 ** 2;

const entries = fc
  .record({
    header: mutatedProxyHeaders,
    hello: mutatedHellos,
    parts: fc.constantFrom('header', 'hello', 'both'),
  })
  .map(({ header, hello, parts }) =>
    parts === 'both' ? Buffer.concat([header, hello]) : parts === 'header' ? header : hello,
  );

/** Sends bytes in two pieces, and FIN behind most of them. Waits for the end of the connection. */
async function enter(address: string, bytes: Buffer): Promise<void> {
  const client = await RawConnection.connect(address);
  // The place of the cut is as random as the bytes.
  const cut = (bytes.length * 7) % (bytes.length + 1);
  client.write(bytes.subarray(0, cut));
  await new Promise(setImmediate);
  client.write(bytes.subarray(cut));
  if (bytes.length % 8 !== 0) client.socket.end();
  await within(`the end after ${bytes.toString('hex')}`, client.closed, END_MS);
}

/** Does a handshake that is in order. Returns the status line of an answer. */
async function askByTls(address: string, ca: string): Promise<string> {
  const [host, port] = address.split(':');
  const client = connectTls({ host: host!, port: Number(port), servername: 'web.example', ca });
  client.end('GET /none HTTP/1.1\r\nHost: web.example\r\nConnection: close\r\n\r\n');
  let text = '';
  for await (const part of client) text += String(part);
  return text.split('\r\n', 1)[0]!;
}

/**
 * Sends mutated bytes to a listener with TLS that takes PROXY headers. Throws if a connection stays, or if the process grows,
 * fails, or does not serve others afterwards.
 */
export async function fuzzEntries(engine: string, connections: number, seed: number): Promise<void> {
  const authority = new CertificateAuthority();
  const certificates = [authority.issue('web.example', ['DNS:web.example'])];
  const rig = await WebRig.start({
    log: { access: false },
    listeners: {
      web: {
        engine,
        tls: { certificates, handshakeTimeout: `${HANDSHAKE_TIMEOUT_MS}ms` },
        trustedProxies: ['127.0.0.1/32'],
        proxyProtocol: 'optional',
        routes: [
          { match: { path: '/none' }, respond: { status: 204 } },
          { match: {}, cluster: 'app' },
        ],
      },
    },
    clusters: { app: { endpoints: ['127.0.0.1:9'] } },
  });
  const address = rig.address('web');
  const list = fc.sample(entries, { numRuns: connections, seed });
  const run = async (from: number, to: number): Promise<void> => {
    let next = list.length * from;
    const sender = async (): Promise<void> => {
      while (next < list.length * to) await enter(address, list[Math.floor(next++)]!);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, sender));
    await rig.settled();
  };
  try {
    await run(0, 0.1);
    const before = residentBytes(rig.sluice.pid);
    await run(0.1, 1);
    const grown = residentBytes(rig.sluice.pid) - before;
    assert.ok(grown < MAX_GROWTH_BYTES, `grown by ${Math.round(grown / 1024)} KiB`);
    const metrics = await rig.scrape();
    const rejected = (reason: string): number => metrics.sum('sluice_connections_rejected_total', { reason });
    for (const reason of [
      'proxy_malformed',
      'proxy_ended',
      'hello_malformed',
      'hello_ended',
      'tls_failed',
      'tls_ended',
    ])
      assert.ok(rejected(reason) > 0, reason);
    assert.ok(metrics.sum('sluice_connections_rejected_total') > connections / 2);
    assert.equal(await askByTls(address, authority.pem), 'HTTP/1.1 204 No Content');
  } finally {
    await rig.stop();
    authority.remove();
  }
}
