/** TLS handshakes that end at every stage, on system calls: the memory of the process stays as it is. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, describe, it } from 'node:test';
import { opensslProblem } from '../../src/sys/openssl.ts';
import { SocketAddress } from '../../src/sys/sockets/socket-address.ts';
import { ServerContext } from '../../src/sys/tls/server-context.ts';
import { TlsStream } from '../../src/sys/tls/tls-stream.ts';
import { CertificateAuthority } from '../support/certificates.ts';
import { fuzzTlsHellos } from '../support/fuzz/tls-hellos.ts';
import { NODE, OPENSSL_TLS_1_2 } from '../support/tls/captured-hellos.ts';
import { HandshakePlace } from '../support/tls/handshake-place.ts';
import { OpensslClients } from '../support/tls/openssl-client.ts';
import { freshAddress } from '../unit/sys/pairs.ts';
import { settingsOf, textsOf } from '../unit/sys/tls/rig.ts';

const MIB = 1024 * 1024;
const HANDSHAKES = 10_000;
const SEED = 8446;
const GARBAGE = randomBytes(2000);
/** Max growth of the process: 500 bytes per handshake. OpenSSL has 10 kB for each handshake in progress. */
const NOISE = 5 * MIB;

/** Bytes that a client sends before it ends the connection, as a share of its hello. */
const STAGES = { nothing: 0, 'half of a hello': 0.5, 'a hello': 1 } as const;
const ENDS = ['gives up in time', 'FIN', 'a reset', 'an alert', 'garbage'] as const;
type End = (typeof ENDS)[number];

describe('TLS handshakes that end', { skip: opensslProblem() ?? false, concurrency: false }, () => {
  const root = new CertificateAuthority();
  const settings = settingsOf([textsOf(root.issue('a.example', ['DNS:a.example']))]);
  after(() => root.remove());

  for (const [version, hello] of [
    ['TLS 1.2', OPENSSL_TLS_1_2],
    ['TLS 1.3', NODE],
  ] as const) {
    for (const [stage, share] of Object.entries(STAGES)) {
      for (const end of ENDS) {
        it(`leave nothing behind ${stage} and ${end} (${version})`, async () => {
          const bytes = hello.subarray(0, hello.length * share);
          await flat((place) => breakOff(place, bytes, end));
        });
      }
    }
  }

  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    it(`leave nothing when they have succeeded (${version})`, async () => {
      const clients = new OpensslClients(version);
      await flat((place) => serve(place, clients));
      clients.close();
    });
  }

  it('answer 20,000 mutated hellos, wherever they are cut', async () => {
    const { address } = await freshAddress('IPv4');
    const place = new HandshakePlace(new SocketAddress(address), settings);
    try {
      fuzzTlsHellos(place, 20_000, SEED);
    } finally {
      place.close();
    }
  });

  /** Visits a place again and again, and judges the memory. */
  async function flat(visit: (place: HandshakePlace) => void): Promise<void> {
    const { address } = await freshAddress('IPv4');
    const place = new HandshakePlace(new SocketAddress(address), settings);
    try {
      for (let count = 0; count < HANDSHAKES / 5; count++) visit(place);
      const before = process.memoryUsage.rss();
      for (let count = 0; count < HANDSHAKES; count++) visit(place);
      const grown = process.memoryUsage.rss() - before;
      assert.ok(grown < NOISE, `the process has grown by ${(grown / MIB).toFixed(1)} MiB`);
    } finally {
      place.close();
    }
    assert.deepEqual([TlsStream.live, ServerContext.live], [0, 0]);
  }
});

/** Lets a client in that ends its handshake. */
function breakOff(place: HandshakePlace, hello: Buffer, end: End): void {
  const { sockets } = place;
  const pair = place.connect();
  const { client, stream } = pair;
  place.send(client, hello);
  assert.equal(stream.handshake(), 'read');
  switch (end) {
    case 'gives up in time':
      break;
    case 'FIN':
      sockets.finish(client);
      assert.equal(stream.handshake(), 'failed');
      break;
    case 'a reset':
      sockets.resetOnClose(client);
      break;
    case 'an alert':
      place.send(client, Buffer.from('15030300020228', 'hex'));
      stream.handshake();
      break;
    case 'garbage':
      place.send(client, GARBAGE);
      stream.handshake();
  }
  sockets.close(client);
  if (end === 'a reset') assert.equal(stream.handshake(), 'failed');
  place.drop(pair);
}

/** Lets a client in that finishes its handshake. */
function serve(place: HandshakePlace, clients: OpensslClients): void {
  const pair = place.connect();
  const end = clients.on(pair.client);
  for (let isDone = false, isOpen = false; !isDone || !isOpen;) {
    isOpen ||= end.handshake();
    isDone ||= pair.stream.handshake() === 'done';
  }
  end.free();
  place.sockets.close(pair.client);
  place.drop(pair);
}
