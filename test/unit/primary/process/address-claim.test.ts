import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, ListenOptions, Server } from 'node:net';
import { describe, it } from 'node:test';
import type { Listener } from '../../../../src/config/types/listener.ts';
import type { TcpAddress } from '../../../../src/core/address.ts';
import { StartError } from '../../../../src/core/errors.ts';
import { claimAddresses } from '../../../../src/primary/process/address-claim.ts';
import { freePorts } from '../../../support/sockets/free-port.ts';
import { l4Listener } from '../fixtures/config.ts';

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
    claim.free();
  } catch (error) {
    assert.ok(error instanceof StartError);
    assert.doesNotMatch(error.message, /\n/);
    return error.message;
  }
  return assert.fail('was claimed');
}

describe('claiming the addresses of listeners', () => {
  it('replaces names and port 0 by concrete addresses, with a different port for each', async () => {
    const { listeners, free } = await claimAddresses([at('127.0.0.1', 0, 'a'), at('localhost', 0, 'b')]);
    free();
    const [a, b] = listeners.map(({ address }): TcpAddress => address);
    assert.equal(a?.host, '127.0.0.1');
    assert.match(b?.host ?? '', /^(127\.0\.0\.1|::1)$/);
    assert.ok(a.port > 0 && b !== undefined && b.port > 0 && a.port !== b.port);
    assert.deepEqual(
      listeners.map(({ name }) => name),
      ['a', 'b'],
    );
  });

  it('refuses clients until it is released, instead of accepting and resetting them', async () => {
    const [port = 0] = await freePorts(1);
    const { release, free } = await claimAddresses([at('127.0.0.1', port)]);
    for (let count = 0; count < 20; count++) {
      const client = connect(port, '127.0.0.1');
      const [error] = (await once(client, 'error')) as [NodeJS.ErrnoException];
      assert.equal(error.code, 'ECONNREFUSED');
    }
    release();
    const { server } = await listen({ host: '127.0.0.1', port, reusePort: true });
    server.close();
    free();
    (await listen({ host: '127.0.0.1', port })).server.close();
  });

  it('never listens on an address, not even briefly', async () => {
    const listening: unknown[] = [];
    const onListen = (message: unknown): void => void listening.push(message);
    const ports = await freePorts(2);
    subscribe('tracing:net.server.listen:asyncStart', onListen);
    try {
      const claim = await claimAddresses([
        at('127.0.0.1', ports[0]!, 'a'),
        at('::', ports[1]!, 'b'),
        at('::1', 0, 'c'),
      ]);
      claim.release();
      claim.free();
    } finally {
      unsubscribe('tracing:net.server.listen:asyncStart', onListen);
    }
    assert.deepEqual(listening, []);
  });

  it('keeps other processes out until it is freed, and workers out until it is released', async () => {
    const [port] = await freePorts(1);
    const { release, free } = await claimAddresses([at('127.0.0.1', port!)]);
    const others: readonly ListenOptions[] = [
      { host: '127.0.0.1', port: port! },
      { host: '0.0.0.0', port: port! },
      { port: port! },
    ];
    for (const options of [...others, { ...others[0]!, reusePort: true }]) {
      await assert.rejects(listen(options), { code: 'EADDRINUSE' }, JSON.stringify(options));
    }
    release();
    for (const options of others) await assert.rejects(listen(options), { code: 'EADDRINUSE' });
    const { server } = await listen({ host: '127.0.0.1', port: port!, reusePort: true });
    server.close();
    free();
  });

  it("fails for an address that overlaps with another process's address", async () => {
    for (const [theirs, ours] of [
      ['127.0.0.1', '0.0.0.0'],
      ['0.0.0.0', '127.0.0.1'],
      ['::', '127.0.0.1'],
      ['127.0.0.1', '::'],
      ['::1', '::'],
    ] as const) {
      for (const reusePort of [false, true]) {
        const { server, port } = await listen({ host: theirs, port: 0, reusePort });
        assert.match(await refusal(at(ours, port)), /the address is in use/, `${theirs} and ${ours}`);
        server.close();
      }
    }
  });

  it('succeeds for an address whose last connections are in TIME_WAIT', async () => {
    const [port = 0] = await freePorts(1);
    const { server } = await listen({ host: '127.0.0.1', port });
    server.on('connection', (socket) => socket.end());
    const client = connect(port, '127.0.0.1');
    await once(client.resume(), 'close');
    await new Promise((resolve) => server.close(resolve));
    const { free } = await claimAddresses([at('127.0.0.1', port)]);
    free();
  });

  it('fails for two listeners with overlapping addresses', async () => {
    const [port] = await freePorts(1);
    for (const [a, b] of [
      ['127.0.0.1', '0.0.0.0'],
      ['0.0.0.0', '::'],
      ['::', '::1'],
    ] as const) {
      const both = [at(a, port!, 'a'), at(b, port!, 'b')];
      await assert.rejects(claimAddresses(both), /listener "b" cannot listen .* in use by listener "a"/);
    }
  });

  it('reserves a port chosen by the kernel for its workers until it is freed', async () => {
    const { listeners, release, free } = await claimAddresses([at('127.0.0.1', 0)]);
    const { port } = listeners[0]!.address;
    release();
    await assert.rejects(listen({ host: '127.0.0.1', port }), { code: 'EADDRINUSE' });
    const { server } = await listen({ host: '127.0.0.1', port, reusePort: true });
    for (let count = 0; count < 20; count++) {
      const client = connect(port, '127.0.0.1');
      await once(client, 'connect');
      client.destroy();
    }
    free();
    await new Promise((resolve) => server.close(resolve));
    (await listen({ host: '127.0.0.1', port })).server.close();
  });

  it('takes no connection away from another process that shares its address', async () => {
    const { server, port } = await listen({ host: '127.0.0.1', port: 0, reusePort: true });
    let accepted = 0;
    server.on('connection', (socket) => {
      accepted++;
      socket.destroy();
    });
    const { listeners, free } = await claimAddresses([at('127.0.0.1', port)], { shared: true });
    assert.equal(listeners[0]!.address.port, port);
    for (let count = 0; count < 40; count++) {
      const client = connect(port, '127.0.0.1');
      await once(client, 'close');
    }
    assert.equal(accepted, 40);
    free();
    server.close();
  });

  it('does not join an address that is not shared', async () => {
    const { server, port } = await listen({ host: '127.0.0.1', port: 0 });
    await assert.rejects(claimAddresses([at('127.0.0.1', port)], { shared: true }), /the address is in use/);
    server.close();
  });

  it("fails for another process's address, even one shared by SO_REUSEPORT", async () => {
    for (const reusePort of [false, true]) {
      const { server, port } = await listen({ host: '127.0.0.1', port: 0, reusePort });
      assert.equal(
        await refusal(at('127.0.0.1', port, 'web')),
        `listener "web" cannot listen on 127.0.0.1:${port}: the address is in use; stop the process that has ` +
          'it, or change listeners.0.address',
      );
      server.close();
    }
  });

  it('frees all addresses if one fails', async () => {
    const { server, port } = await listen({ host: '127.0.0.1', port: 0 });
    const [free] = await freePorts(1);
    await assert.rejects(claimAddresses([at('127.0.0.1', free!), at('127.0.0.1', port)]), StartError);
    const again = await listen({ host: '127.0.0.1', port: free! });
    again.server.close();
    server.close();
  });

  it('fails for an address that two listeners have', async () => {
    const [port] = await freePorts(1);
    const both = [at('127.0.0.1', port!, 'a'), at('127.0.0.1', port!, 'b')];
    await assert.rejects(claimAddresses(both), /^StartError: listener "b" cannot listen .* in use/);
  });

  it('names the remedy for an address of another machine and for an unresolvable name', async () => {
    assert.match(await refusal(at('192.0.2.1', 0)), /no network interface of this machine has that address/);
    assert.match(
      await refusal(at('no-such-host.invalid', 8080)),
      /on no-such-host\.invalid:8080: the host no-such-host\.invalid does not resolve/,
    );
  });

  it('claims all interfaces if the host is omitted', async () => {
    const { listeners, release, free } = await claimAddresses([at('::', 0)]);
    const { host, port } = listeners[0]!.address;
    assert.ok(host === '::' || host === '0.0.0.0');
    release();
    const { server } = await listen({ host, port, reusePort: true });
    const client = connect(port, '127.0.0.1');
    client.on('error', () => undefined);
    await once(client, 'connect');
    client.destroy();
    free();
    server.close();
  });
});
