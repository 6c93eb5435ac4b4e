import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { L7Listener } from '../../../src/config/types/listener.ts';
import type { TappedEnd, TappedSession } from '../../../src/telemetry/tap/tap.ts';
import { CertificateAuthority } from '../../support/certificates.ts';
import { ENGINES, TLS_ENGINES, usesTls, withoutTls } from '../../support/engines.ts';
import { RawConnection, upgradeRequest } from '../../support/sockets/raw-connection.ts';
import { RawEndpoint } from '../../support/sockets/raw-endpoint.ts';
import { certificateOf } from '../../support/tls/listener-tls.ts';
import {
  BINARY,
  CLOSE,
  PING,
  PONG,
  TEXT,
  closeBody,
  encodeFrame,
} from '../../support/websocket/raw-frames.ts';
import { l7Listener, listenerTls } from '../../unit/primary/fixtures/config.ts';
import { freshAddress } from '../../unit/sys/pairs.ts';
import { TappedWorker } from './tapped-worker.ts';

const LISTENERS = [...ENGINES, ...TLS_ENGINES];
/** Large enough to be spliced without a tap. */
const LARGE = Buffer.alloc(300_000, 'large');

/** Frames of every kind, of a client if there is a mask. */
function framesOf(mask?: Buffer): Buffer {
  const frame = (opcode: number, payload: string | Buffer, fin = true): Buffer =>
    encodeFrame(opcode, payload, mask === undefined ? { fin } : { fin, mask });
  return Buffer.concat([
    frame(TEXT, 'hello'),
    frame(BINARY, 'fragments ', false),
    frame(PING, 'who'),
    frame(0, 'of one message'),
    frame(BINARY, LARGE),
    frame(PONG, 'me'),
    frame(TEXT, ''),
  ]);
}

async function listenerOf(
  name: (typeof LISTENERS)[number],
  authority: CertificateAuthority,
): Promise<L7Listener> {
  const { address } = await freshAddress('IPv4');
  const [route] = l7Listener.routes;
  const certificate = certificateOf(authority.issue('localhost', ['DNS:localhost']));
  return {
    ...l7Listener,
    name,
    address: address as L7Listener['address'],
    engine: withoutTls(name),
    tls: usesTls(name) ? listenerTls([certificate]) : null,
    websocket: {
      ...l7Listener.websocket,
      maxMessageSize: 2 ** 20,
      upstreamBuffer: 2 ** 20,
      downstreamBuffer: 2 ** 20,
    },
    routes: [{ ...route!, match: { ...route!.match, headers: new Map() } }],
  };
}

describe('the tap of a session', () => {
  let endpoint: RawEndpoint;
  let worker: TappedWorker;

  before(async () => {
    endpoint = await RawEndpoint.listen();
    const authority = new CertificateAuthority();
    const listeners = await Promise.all(LISTENERS.map((name) => listenerOf(name, authority)));
    worker = await TappedWorker.start('l7', listeners, endpoint.address);
  });
  after(async () => {
    await worker.stop();
    endpoint.close();
  });

  for (const listener of LISTENERS) {
    it(`receives exactly the bytes that cross, in their order: ${listener}`, async () => {
      const address = worker.address(listener);
      const client = await (usesTls(listener)
        ? RawConnection.connectTls(address)
        : RawConnection.connect(address));
      client.write(upgradeRequest(address, ['Sec-WebSocket-Protocol: chat', 'X-Own: 1'], '/a?b=c'));
      const first = encodeFrame(TEXT, 'behind the 101');
      const server = await endpoint.session(first);
      await client.head();
      assert.equal((await client.frame()).payload.toString(), 'behind the 101');

      const up = framesOf(Buffer.from([1, 2, 3, 4]));
      const down = framesOf();
      client.write(up);
      for (let at = 0; at < down.length; at += 100_001) server.write(down.subarray(at, at + 100_001));
      const isHidden = listener === 'uws';
      const [toServer, toClient] = [framesUntilEmpty(server), framesUntilEmpty(client)];
      const sentUp = await toServer;
      await toClient;
      const closeUp = encodeFrame(CLOSE, closeBody(4001, 'bye'), { mask: Buffer.alloc(4) });
      client.write(closeUp);
      while ((await server.frame()).opcode !== CLOSE);
      server.write(encodeFrame(CLOSE, closeBody(4001)));

      const { facts, calls, fromClient, fromEndpoint, end } = await worker.notes.next();
      const session = facts as TappedSession;
      assert.deepEqual(
        [session.listener, session.route, session.cluster, session.endpoint, session.client],
        [listener, 'all', 'app', endpoint.address, '127.0.0.1'],
      );
      const { target, headers } = session.handshake!;
      assert.equal(target, '/a?b=c');
      const own = [...headers].find(([name]) => name.toLowerCase() === 'x-own');
      assert.equal(own?.[1], '1');
      assert.deepEqual([calls[0], calls.at(-1)], ['opened', 'ended']);
      const ended = end as TappedEnd;
      assert.deepEqual([ended.side, ended.code], ['client', 4001]);
      assert.deepEqual([ended.messagesUpstream, ended.messagesDownstream], [4, 5]);
      const heard = Buffer.from(fromEndpoint);
      if (isHidden) {
        assert.deepEqual(heard, Buffer.concat([first, down]));
        const close = closeBody(4001, 'bye').toString('latin1');
        assert.deepEqual(
          calls.filter((call) => /^\d+ of client: /.test(call)),
          [
            `${TEXT} of client: hello`,
            `${PING} of client: who`,
            `${BINARY} of client: fragments of one message`,
            `${BINARY} of client: ${LARGE.toString('latin1')}`,
            `${PONG} of client: me`,
            `${TEXT} of client: `,
            `${CLOSE} of client: ${close}`,
          ],
        );
      } else {
        assert.deepEqual(heard, Buffer.concat([first, down, encodeFrame(CLOSE, closeBody(4001))]));
        assert.deepEqual(Buffer.from(fromClient), Buffer.concat([up, closeUp]));
        assert.ok(!calls.some((call) => call.startsWith('skipped')));
        assert.equal(sentUp, 7);
      }
      client.destroy();
      server.destroy();
    });
  }
});

/** Reads frames up to the last one of {@link framesOf}. Returns their number. */
async function framesUntilEmpty(connection: RawConnection): Promise<number> {
  for (let count = 1; ; count++) {
    const { opcode, payload } = await connection.frame();
    if (opcode === TEXT && payload.length === 0) return count;
  }
}
