import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, describe, it } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { EAGAIN } from '../../../../src/sys/errno.ts';
import { PinnedBuffer } from '../../../../src/sys/memory/pinned-buffer.ts';
import { opensslProblem } from '../../../../src/sys/openssl.ts';
import { clearErrors } from '../../../../src/sys/tls/errors.ts';
import type { TlsStream } from '../../../../src/sys/tls/tls-stream.ts';
import { CertificateAuthority } from '../../../support/certificates.ts';
import { within } from '../../../support/deadline.ts';
import { TlsRig, assertNoError, ready, settingsOf, textsOf } from './rig.ts';

/** Max bytes of a record's payload. */
const RECORD_BYTES = 16 * 1024;

describe('a TLS stream whose client reads nothing', { skip: opensslProblem() ?? false }, () => {
  const root = new CertificateAuthority();
  const ca = root.pem;
  const settings = settingsOf([textsOf(root.issue('a.example', ['DNS:a.example']))]);
  after(() => root.remove());

  /** Writes a buffer again and again until a write is blocked. Returns the bytes that have been taken. */
  function fill(stream: TlsStream, buffer: PinnedBuffer): Buffer {
    clearErrors();
    const taken: Buffer[] = [];
    for (;;) {
      const count = stream.write(buffer, 0, buffer.bytes.length);
      if (count < 0) {
        assert.equal(count, -EAGAIN);
        assertNoError();
        return Buffer.concat(taken);
      }
      taken.push(buffer.bytes.subarray(0, count));
    }
  }

  /** Lets a paused client read until it has this many bytes, and returns them. */
  async function drain(client: TLSSocket, length: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    const all = new Promise((settle) => {
      client.on('data', (part: Buffer) => {
        parts.push(part);
        if (parts.reduce((sum, one) => sum + one.length, 0) >= length) settle(undefined);
      });
    });
    client.resume();
    await within('the bytes', all);
    return Buffer.concat(parts);
  }

  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    const versions = { minVersion: version, maxVersion: version };

    it(`repeats a blocked write from another address and with more bytes (${version})`, async () => {
      await TlsRig.with(settings, async (rig) => {
        const { client, stream } = await rig.connected({ ca, ...versions });
        client.pause();
        const buffer = new PinnedBuffer(RECORD_BYTES + 7);
        buffer.bytes.fill('abcdefghijk');
        const taken = fill(stream, buffer);
        assert.equal(stream.wantsWrite, true);
        assert.equal(stream.wantsRead, false);
        const elsewhere = new PinnedBuffer(2 * RECORD_BYTES);
        elsewhere.bytes.fill('abcdefghijk', 1);
        const received = drain(client, taken.length + RECORD_BYTES);
        const count = await ready(() => stream.write(elsewhere, 1, elsewhere.bytes.length));
        assert.ok(count >= RECORD_BYTES);
        const sent = Buffer.concat([taken, elsewhere.bytes.subarray(1, 1 + count)]);
        assert.ok((await received).equals(sent.subarray(0, (await received).length)));
      });
    });

    it(`repeats a large blocked write with one record of it (${version})`, async () => {
      await TlsRig.with(settings, async (rig) => {
        const { client, stream } = await rig.connected({ ca, ...versions });
        client.pause();
        const buffer = new PinnedBuffer(5 * RECORD_BYTES);
        buffer.bytes.fill('abcdefghijk');
        const taken = fill(stream, buffer);
        const received = drain(client, taken.length + RECORD_BYTES);
        assert.equal(await ready(() => stream.write(buffer, 0, RECORD_BYTES)), RECORD_BYTES);
        assert.deepEqual(await received, Buffer.concat([taken, buffer.bytes.subarray(0, RECORD_BYTES)]));
      });
    });

    it(`refuses to repeat less than was blocked, and continues (${version})`, async () => {
      await TlsRig.with(settings, async (rig) => {
        const { client, stream } = await rig.connected({ ca, ...versions });
        client.pause();
        const buffer = new PinnedBuffer(RECORD_BYTES);
        const taken = fill(stream, buffer);
        assert.throws(() => stream.write(buffer, 0, RECORD_BYTES - 1), RangeError);
        assert.equal(stream.sendCloseNotify(), -EAGAIN);
        assert.equal(stream.wantsWrite, true);
        const end = once(client, 'end');
        const received = drain(client, taken.length + RECORD_BYTES);
        assert.equal(await ready(() => stream.write(buffer, 0, RECORD_BYTES)), RECORD_BYTES);
        assert.equal(await ready(() => stream.sendCloseNotify()), 0);
        await within('the end', end);
        assert.equal((await received).length, taken.length + RECORD_BYTES);
      });
    });

    it(`reads while a write is blocked (${version})`, async () => {
      await TlsRig.with(settings, async (rig) => {
        const { client, stream } = await rig.connected({ ca, ...versions });
        client.pause();
        const buffer = new PinnedBuffer(RECORD_BYTES);
        fill(stream, buffer);
        client.write('hello');
        assert.equal(await rig.read(stream), 'hello');
      });
    });
  }
});
