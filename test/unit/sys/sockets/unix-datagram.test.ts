import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { sendUnixDatagram } from '../../../../src/sys/sockets/unix-datagram.ts';
import { NotifyReceiver, hasPython } from '../../../support/processes/notify-receiver.ts';

const skip = hasPython ? false : 'python3 receives the datagrams, and is not installed';

describe('a datagram to a UNIX socket', { timeout: 300_000 }, () => {
  let directory = '';
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'sluice-datagram-'));
  });
  after(() => rmSync(directory, { recursive: true }));

  for (const [kind, pathOf] of [
    ['in the file system', () => join(directory, 'notify')],
    ['in the abstract namespace', () => `@sluice-test-${process.pid}`],
  ] as const) {
    it(`${kind} arrives whole, every time`, { skip }, async () => {
      const path = pathOf();
      const receiver = await NotifyReceiver.listen(path);
      try {
        for (const text of ['READY=1', 'RELOADING=1\nMONOTONIC_USEC=123', 'x'.repeat(4000)]) {
          sendUnixDatagram(path, Buffer.from(text));
          assert.equal((await receiver.datagrams.next()).join('\n'), text);
        }
      } finally {
        receiver.stop();
      }
    });
  }

  it('fails with the name of the error if nobody listens, and refuses a wrong path', () => {
    assert.throws(() => sendUnixDatagram(join(directory, 'nobody'), Buffer.from('x')), {
      name: 'SystemCallError',
      code: 'ENOENT',
    });
    assert.throws(() => sendUnixDatagram('@sluice-nobody', Buffer.from('x')), { code: 'ECONNREFUSED' });
    assert.throws(() => sendUnixDatagram('', Buffer.from('x')), RangeError);
    assert.throws(() => sendUnixDatagram('@', Buffer.from('x')), RangeError);
    assert.throws(() => sendUnixDatagram(`/${'x'.repeat(200)}`, Buffer.from('x')), RangeError);
    assert.throws(() => sendUnixDatagram('/run/x', new Uint8Array(0)), RangeError);
  });
});
