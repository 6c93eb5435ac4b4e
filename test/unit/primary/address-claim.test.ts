import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, ListenOptions, Server } from 'node:net';
import { describe, it } from 'node:test';
import type { Listener } from '../../../src/config/types.ts';
import type { TcpAddress } from '../../../src/core/address.ts';
import { StartError } from '../../../src/core/errors.ts';
import { claimAddresses } from '../../../src/primary/address-claim.ts';
import { l4Listener } from './fixtures/config.ts';

function at(host: string, port: number, name = 'tcp'): Listener {
  return { ...l4Listener, name, address: { kind: 'tcp', host, port } };
}

async function listen(options: ListenOptions): Promise<{ server: Server; port: number }> {
  const server = createServer();
  server.listen(options);
  await once(server, 'listening');
  return { server, port: (server.address() as AddressInfo).port };
}

async function refusal(listener: Listener): Promise<string> {
  try {
    const claim = await claimAddresses([listener]);
    await claim.release();
  } catch (error) {
    assert.ok(error instanceof StartError);
    assert.doesNotMatch(error.message, /\n/);
    return error.message;
  }
  return assert.fail('was claimed');
}

describe('claiming the addresses of listeners', () => {
  it('puts concrete addresses in the place of names and port 0, a port of its own for each', async () => {
    const { listeners, release } = await claimAddresses([at('127.0.0.1', 0, 'a'), at('localhost', 0, 'b')]);
    await release();
    const [a, b] = listeners.map(({ address }): TcpAddress => address);
    assert.equal(a?.host, '127.0.0.1');
    assert.match(b?.host ?? '', /^(127\.0\.0\.1|::1)$/);
    assert.ok(a.port > 0 && b !== undefined && b.port > 0 && a.port !== b.port);
    assert.deepEqual(
      listeners.map(({ name }) => name),
      ['a', 'b'],
    );
  });

  it('lets go of them, even while clients connect', async () => {
    const { listeners, release } = await claimAddresses([at('127.0.0.1', 0)]);
    const { port } = listeners[0]!.address;
    const client = connect(port, '127.0.0.1');
    client.on('error', () => undefined);
    const closed = once(client, 'close');
    await once(client, 'connect');
    await release();
    await closed;
    const { server } = await listen({ host: '127.0.0.1', port });
    server.close();
  });

  it('refuses one that another has, even one that is shared by SO_REUSEPORT', async () => {
    for (const reusePort of [false, true]) {
      const { server, port } = await listen({ host: '127.0.0.1', port: 0, reusePort });
      assert.equal(
        await refusal(at('127.0.0.1', port, 'web')),
        `listener "web" cannot listen on 127.0.0.1:${port}: the address is in use; stop the process that has ` +
          'it, or choose another address',
      );
      server.close();
    }
  });

  it('lets go of all where one is refused', async () => {
    const { server, port } = await listen({ host: '127.0.0.1', port: 0 });
    const probe = await listen({ host: '127.0.0.1', port: 0 });
    await new Promise((resolve) => probe.server.close(resolve));
    await assert.rejects(claimAddresses([at('127.0.0.1', probe.port), at('127.0.0.1', port)]), StartError);
    const again = await listen({ host: '127.0.0.1', port: probe.port });
    again.server.close();
    server.close();
  });

  it('refuses an address that two listeners want', async () => {
    const probe = await listen({ host: '127.0.0.1', port: 0 });
    await new Promise((resolve) => probe.server.close(resolve));
    const both = [at('127.0.0.1', probe.port, 'a'), at('127.0.0.1', probe.port, 'b')];
    await assert.rejects(claimAddresses(both), /^StartError: listener "b" cannot listen .* in use/);
  });

  it('names the remedy for an address of another machine and for a name that is none', async () => {
    assert.match(await refusal(at('192.0.2.1', 0)), /no network interface of this machine has that address/);
    assert.match(
      await refusal(at('no-such-host.invalid', 8080)),
      /on no-such-host\.invalid:8080: the host no-such-host\.invalid does not resolve/,
    );
  });

  it('takes every interface for no host at all', async () => {
    const { listeners, release } = await claimAddresses([at('::', 0)]);
    const { host, port } = listeners[0]!.address;
    assert.ok(host === '::' || host === '0.0.0.0');
    const client = connect(port, '127.0.0.1');
    client.on('error', () => undefined);
    await once(client, 'connect');
    client.destroy();
    await release();
  });
});
