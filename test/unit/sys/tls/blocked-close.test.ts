import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { EAGAIN } from '../../../../src/sys/errno.ts';
import { PinnedBuffer, addressWithin } from '../../../../src/sys/memory/pinned-buffer.ts';
import { nativeFunction } from '../../../../src/sys/native-calls.ts';
import { Outcome, openssl, opensslProblem } from '../../../../src/sys/openssl.ts';
import { limitReceiveBuffers } from '../../../../src/sys/sockets/listening-sockets.ts';
import { SocketAddress } from '../../../../src/sys/sockets/socket-address.ts';
import { clearErrors } from '../../../../src/sys/tls/errors.ts';
import type { TlsStream } from '../../../../src/sys/tls/tls-stream.ts';
import { CertificateAuthority } from '../../../support/certificates.ts';
import { until } from '../pairs.ts';
import { TlsRig, handshake, ready, settingsOf, textsOf } from './rig.ts';

const OK = 1;
const FAILED = -1;
/** SSL_KEY_UPDATE_REQUESTED. */
const OF_BOTH_SIDES = 1;
const RECEIVE_BUFFER_BYTES = 64 * 1024;

/** A client that changes keys, and can pass over bytes that are no TLS. */
class Client {
  readonly #calls = openssl();
  readonly #context = this.#calls.newClientContext();
  readonly #stream = this.#calls.newStream(this.#context);
  readonly #buffer = new PinnedBuffer(64 * 1024);
  readonly #fd: number;

  constructor(fd: number) {
    this.#fd = fd;
    this.#calls.setDescriptor(this.#stream, fd);
  }

  shake(): Promise<number> {
    return ready(() => this.#resultOf(this.#calls.connect(this.#stream)));
  }

  /** Sends a text behind new keys, and asks for new keys of the other side. */
  sendBehindNewKeys(text: string): void {
    const update = nativeFunction('SSL_key_update', 'int', ['uintptr_t', 'int']);
    assert.equal(update(this.#stream, OF_BOTH_SIDES), OK);
    this.send(text);
  }

  send(text: string): void {
    const length = this.#buffer.bytes.write(text);
    assert.equal(this.#calls.write(this.#stream, addressWithin(this.#buffer, 0, length), length), length);
  }

  /** Returns the text that comes next; 0 for close_notify. */
  async read(): Promise<string | number> {
    const { length } = this.#buffer.bytes;
    const place = addressWithin(this.#buffer, 0, length);
    const count = await ready(() => this.#resultOf(this.#calls.read(this.#stream, place, length)));
    return count > 0 ? this.#buffer.bytes.toString('latin1', 0, count) : count;
  }

  /** Takes bytes from the socket that are no TLS. */
  async passOver(bytes: number): Promise<void> {
    for (let left = bytes; left > 0;) {
      const end = Math.min(left, this.#buffer.bytes.length);
      const count = await until(EAGAIN, () => this.#buffer.recv(this.#fd, 0, end));
      assert.ok(count > 0);
      left -= count;
    }
  }

  free(): void {
    this.#calls.freeStream(this.#stream);
    this.#calls.freeContext(this.#context);
  }

  #resultOf(result: number): number {
    if (result > 0) return result;
    const outcome = this.#calls.outcome(this.#stream, result);
    clearErrors();
    if (outcome === Outcome.WANTS_READ) return -EAGAIN;
    return outcome === Outcome.CLOSED ? 0 : FAILED;
  }
}

describe('a close_notify without room in the socket', { skip: opensslProblem() ?? false }, () => {
  const root = new CertificateAuthority();
  const settings = settingsOf([textsOf(root.issue('a.example', ['DNS:a.example']))]);
  after(() => root.remove());

  for (const [name, asks] of [
    ['a client that keeps sending', false],
    ['a client that also requests new keys', true],
  ] as const) {
    it(`reaches ${name}, whose bytes are read before and after`, async () => {
      await withFullSocket(async ({ rig, stream, client, filled }) => {
        assert.equal(stream.sendCloseNotify(), -EAGAIN);
        assert.ok(stream.wantsWrite);
        for (const text of ['first', 'second', 'third']) {
          if (asks) client.sendBehindNewKeys(text);
          else client.send(text);
          assert.equal(await rig.read(stream), text);
        }
        await client.passOver(filled);
        assert.equal(await ready(() => stream.sendCloseNotify()), 0);
        assert.equal(await client.read(), 0);
        client.send('last');
        assert.equal(await rig.read(stream), 'last');
      });
    });
  }

  interface Full {
    readonly rig: TlsRig;
    readonly stream: TlsStream;
    readonly client: Client;
    /** Bytes that are no TLS, between the last record and the close_notify. */
    readonly filled: number;
  }

  /** Sends bytes that are no TLS until the socket has taken none for 100 ms. Returns their number. */
  async function fill(rig: TlsRig, stream: TlsStream): Promise<number> {
    const { buffer } = rig;
    const fd = rig.descriptorOf(stream);
    let filled = 0;
    const takesMore = (): boolean => {
      const sent = buffer.send(fd, 0, buffer.bytes.length);
      filled += Math.max(sent, 0);
      return sent > 0;
    };
    for (let pauses = 0; pauses < 50;) {
      if (takesMore()) pauses = 0;
      else pauses += await setTimeout(2, 1);
    }
    // A busy machine may have made room during the last pause.
    while (takesMore());
    return filled;
  }

  /** Lets a client in, and fills the socket to it. No record is sent in part. */
  async function withFullSocket(test: (full: Full) => Promise<void>): Promise<void> {
    await TlsRig.with(settings, async (rig) => {
      const address = new SocketAddress({ kind: 'tcp', host: '127.0.0.1', port: rig.port });
      const fd = rig.sockets.open(address);
      // Otherwise the kernel enlarges the buffer of a full socket some time later.
      assert.ok(limitReceiveBuffers(fd, RECEIVE_BUFFER_BYTES));
      rig.sockets.connect(fd, address);
      const stream = await rig.accept();
      const client = new Client(fd);
      try {
        assert.deepEqual(await Promise.all([client.shake(), handshake(stream)]), [OK, 'done']);
        // The session tickets come before this.
        await rig.write(stream, 'welcome');
        assert.equal(await client.read(), 'welcome');
        const filled = await fill(rig, stream);
        clearErrors();
        await test({ rig, stream, client, filled });
      } finally {
        client.free();
        rig.sockets.close(fd);
      }
    });
  }
});
