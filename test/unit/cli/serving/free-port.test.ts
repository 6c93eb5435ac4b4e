import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import { nextFree } from '../../../../src/cli/serving/free-port.ts';
import type { TcpAddress } from '../../../../src/core/address.ts';

function local(port: number): TcpAddress {
  return { kind: 'tcp', host: '127.0.0.1', port };
}

describe('the next free port', () => {
  it('is after ports in use and reserved ones', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    try {
      const { port } = server.address() as AddressInfo;
      const reserved: TcpAddress = { kind: 'tcp', host: '::', port: port + 1 };
      const free = await nextFree(local(port), [reserved]);
      assert.ok(free !== null && free.port >= port + 2, JSON.stringify(free));
      assert.equal(free.host, '127.0.0.1');
    } finally {
      server.close();
    }
  });

  it('is null if every port is reserved', async () => {
    assert.equal(await nextFree(local(65_535), [local(65_535)]), null);
  });
});
