import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { EAGAIN } from '../../../../src/sys/errno.ts';
import { PinnedBuffer } from '../../../../src/sys/memory/pinned-buffer.ts';
import { opensslProblem } from '../../../../src/sys/openssl.ts';
import { SocketAddress } from '../../../../src/sys/sockets/socket-address.ts';
import { ClientContext, ClientStream } from '../../../../src/sys/tls/client-stream.ts';
import { TlsStream } from '../../../../src/sys/tls/tls-stream.ts';
import { CertificateAuthority } from '../../../support/certificates.ts';
import { freshRing } from '../../../support/tls/listener-tls.ts';
import { TlsRig, assertNoError, handshake, ready, settingsOf, textsOf } from './rig.ts';

const WAITS = -EAGAIN;
const DONE = 1;
const FAILED = 0;

describe('the client end of TLS', { skip: opensslProblem() ?? false }, () => {
  const root = new CertificateAuthority();
  const certificate = textsOf(root.issue('a.example', ['DNS:a.example']));
  const buffer = new PinnedBuffer(1024);
  after(() => root.remove());

  function shake(client: ClientStream): Promise<number> {
    const results = { done: DONE, read: WAITS, failed: FAILED } as const;
    return ready(() => results[client.handshake()]);
  }

  async function read(client: ClientStream): Promise<string | number> {
    const count = await ready(() => client.read(buffer, 0, buffer.bytes.length) || WAITS);
    return count > 0 ? buffer.bytes.toString('latin1', 0, count) : count;
  }

  /** Lets a client do a handshake with an untrusted server, send a text, read the answer, and end. */
  async function visit(rig: TlsRig, context: ClientContext): Promise<void> {
    const address = new SocketAddress({ kind: 'tcp', host: '127.0.0.1', port: rig.port });
    const fd = rig.sockets.open(address);
    rig.sockets.connect(fd, address);
    const stream = await rig.accept();
    const client = new ClientStream(context, fd);
    try {
      assert.deepEqual(await Promise.all([shake(client), handshake(stream)]), [DONE, 'done']);
      assert.ok(client.write(buffer, 0, buffer.bytes.write('question')));
      assert.equal(await rig.read(stream), 'question');
      await rig.write(stream, 'answer');
      assert.equal(await read(client), 'answer');
      client.end();
      client.end();
      assertNoError();
      assert.equal(await rig.read(stream), 0, 'it says that nothing follows');
    } finally {
      client.end();
      rig.sockets.close(fd);
      rig.drop(stream);
    }
  }

  it("resumes the previous connection's session every second time", async () => {
    const ring = freshRing();
    const { keys } = ring;
    let looks = 0;
    Object.defineProperty(ring, 'keys', { get: () => (looks++, keys) });
    const context = new ClientContext('a.example');
    await TlsRig.with(settingsOf([certificate], { ticketKeys: ring }), async (rig) => {
      const perVisit: number[] = [];
      for (let count = 0; count < 4; count++) {
        looks = 0;
        await visit(rig, context);
        perVisit.push(looks);
      }
      // A session that is resumed is read first, and gets a new ticket, too.
      assert.deepEqual(perVisit, [1, 2, 1, 2]);
    });
    context.close();
    context.close();
    assert.equal(TlsStream.live, 0);
  });

  it('fails if the peer does not speak TLS, and refuses calls after its end', async () => {
    const context = new ClientContext('a.example');
    await TlsRig.with(settingsOf([certificate]), async (rig) => {
      const address = new SocketAddress({ kind: 'tcp', host: '127.0.0.1', port: rig.port });
      const fd = rig.sockets.open(address);
      rig.sockets.connect(fd, address);
      const stream = await rig.accept();
      const client = new ClientStream(context, fd);
      const far = rig.descriptorOf(stream);
      buffer.send(far, 0, buffer.bytes.write('HTTP/1.1 400 Bad Request\r\n\r\n'));
      assert.equal(await shake(client), FAILED);
      assertNoError();
      client.end();
      assert.throws(() => client.handshake(), /has ended/);
      assert.throws(() => client.write(buffer, 0, 1), /has ended/);
      rig.sockets.close(fd);
    });
    context.close();
    assert.throws(() => new ClientStream(context, 0), /TLS/);
  });
});
