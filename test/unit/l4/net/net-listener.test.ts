import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, it } from 'node:test';
import { formatAddress } from '../../../../src/core/address.ts';
import { codeOf } from '../../../../src/core/errors.ts';
import { TimerWheel } from '../../../../src/core/timing/timer-wheel.ts';
import { NetListener } from '../../../../src/l4/net/net-listener.ts';
import type { TunnelOwner } from '../../../../src/l4/tunnel.ts';
import { TcpPeer } from '../../../support/sockets/tcp-peer.ts';
import { capture } from '../../primary/fixtures/config.ts';
import { freshAddress } from '../../sys/pairs.ts';

/** A listener that does not listen yet, and where clients would connect. */
async function make(
  host?: string,
): Promise<{ listener: NetListener; address: string; lines: readonly unknown[] }> {
  const { address } = await freshAddress('IPv4');
  assert.equal(address.kind, 'tcp');
  const { log, lines } = capture();
  const owner = {
    address: { ...address, ...(host !== undefined && { host }) },
    arrived: () => false,
    acceptFailed: () => log.error('accept failed'),
  } as unknown as TunnelOwner;
  return {
    listener: new NetListener(owner, new TimerWheel(0), () => undefined),
    address: formatAddress(address),
    lines,
  };
}

/** Whether nobody listens on an address. A listener here resets its connections. */
function isRefused(address: string): Promise<boolean> {
  return TcpPeer.connect(address).then(
    (peer) => {
      peer.destroy();
      return false;
    },
    (error: unknown) => codeOf(error) === 'ECONNREFUSED',
  );
}

describe('a listener of the net engine', () => {
  it('listens until it is stopped, and again', async () => {
    const { listener, address } = await make();
    assert.equal(listener.listens, false);
    for (let turn = 0; turn < 2; turn++) {
      await listener.listen();
      assert.equal(listener.listens, true);
      assert.equal(await isRefused(address), false);
      listener.stop();
      assert.equal(listener.listens, false);
      assert.equal(await isRefused(address), true);
    }
  });

  it('does not listen if it is stopped before Node starts to', async () => {
    const { listener, address } = await make();
    const listening = listener.listen();
    listener.stop();
    await listening;
    assert.equal(listener.listens, false);
    assert.equal(await isRefused(address), true);
  });

  it('does not count a failure to listen again as a failed accept', async () => {
    const { listener, address, lines } = await make();
    await listener.listen();
    listener.stop();
    const port = Number(address.split(':')[1]);
    const other = createServer();
    await once(other.listen(port, '127.0.0.1'), 'listening');
    await assert.rejects(listener.listen(), /EADDRINUSE/);
    assert.deepEqual(lines, []);
    other.close();
  });

  it('rejects if its address cannot be bound', async () => {
    // Reserved for documentation (RFC 5737), so it is no address of this machine.
    const { listener } = await make('192.0.2.1');
    await assert.rejects(listener.listen(), /EADDRNOTAVAIL/);
    assert.equal(listener.listens, false);
  });
});
