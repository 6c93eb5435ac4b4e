import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { after, afterEach, before, describe, it } from 'node:test';
import * as tls from 'node:tls';
import type { Passthrough } from '../../../../src/transport/client-transport.ts';
import type { EntryFacts } from '../../../../src/transport/entry.ts';
import { UNRECOGNIZED_NAME } from '../../../../src/wire/tls/client-hello.ts';
import { CertificateAuthority } from '../../../support/certificates.ts';
import { Arrivals, eventually, within } from '../../../support/deadline.ts';
import { NODE } from '../../../support/tls/captured-hellos.ts';
import { certificateOf, freshRing, listenerTls } from '../../../support/tls/listener-tls.ts';
import { NetEntryRig } from './net-entry-rig.ts';

const LINE = 'PROXY TCP4 198.51.100.7 198.51.100.8 1000 443\r\n';
const authority = new CertificateAuthority();
const certificate = certificateOf(authority.issue('a', ['DNS:a.example']), 'a.example');

/** Takes what asks for the name of the captured hello. */
class Tunnels implements Passthrough {
  readonly taken = new Arrivals<{ socket: Socket; facts: EntryFacts }>('a tunnel');
  readonly asked: (string | null)[] = [];

  admit(): null {
    return null;
  }

  find(serverName: string | null) {
    this.asked.push(serverName);
    const take = (socket: object, facts: EntryFacts): void =>
      this.taken.push({ socket: socket as Socket, facts });
    return serverName === 'node.example.com' ? { take } : null;
  }
}

describe('clients on sockets of Node', () => {
  let rig: NetEntryRig;
  const clients: Socket[] = [];
  const withTls = () => rig.transport.createTls('web', listenerTls([certificate]), freshRing());
  before(async () => {
    rig = await NetEntryRig.listen();
  });
  afterEach(async () => {
    for (const client of clients) client.destroy();
    await rig.reset();
    rig.serve(null);
    rig.entry = { ...rig.entry, proxyProtocol: 'off' };
  });
  after(async () => {
    await rig.close();
    authority.remove();
  });

  /** A client, and all that it gets. */
  async function join(first: string | Buffer): Promise<{ client: Socket; received: () => string }> {
    const client = connect({ port: rig.port, host: '127.0.0.1', allowHalfOpen: true });
    clients.push(client);
    client.on('error', () => client.destroy());
    let text = '';
    client.on('data', (bytes: Buffer) => (text += bytes.toString('latin1')));
    await within('a connection', once(client, 'connect'));
    if (first.length > 0) client.write(first);
    return { client, received: () => text };
  }

  it('are served at once without entry stages', async () => {
    await join('');
    const { facts } = await rig.accepted.next();
    assert.deepEqual(facts, { address: '127.0.0.1', proxy: null, tls: null });
  });

  it('are closed without room, with or without entry stages', async () => {
    rig.isFull = true;
    const { client } = await join('');
    await within('the close', once(client, 'end'));
    client.destroy();
    rig.serve(withTls());
    await within('the close', once((await join('')).client, 'end'));
    await eventually(() => assert.equal(rig.closed.length, 2));
    assert.deepEqual([rig.arrived, rig.gone, rig.accepted.count, rig.rejections.count], [2, 0, 0, 0]);
  });

  it('are identified by their PROXY header, with and without TLS', async () => {
    rig.entry = { ...rig.entry, proxyProtocol: 'required' };
    await join(`${LINE}hello`);
    const { channel, facts, received } = await rig.accepted.next();
    assert.deepEqual([facts.address, facts.proxy?.source?.port, facts.tls], ['198.51.100.7', 1000, null]);
    channel.resume();
    await eventually(() => assert.equal(received(), 'hello'));
    assert.equal(channel.ends().source?.address, '127.0.0.1');
    rig.serve(withTls());
    const { client: carrier } = await join(LINE);
    carrier.removeAllListeners('data');
    const client = tls.connect({ socket: carrier, ca: authority.pem, servername: 'a.example' });
    client.write('secret');
    const secured = await rig.accepted.next();
    assert.equal(secured.facts.address, '198.51.100.7');
    assert.equal(secured.facts.tls?.serverName, 'a.example');
    secured.channel.resume();
    await eventually(() => assert.equal(secured.received(), 'secret'));
    assert.equal(secured.channel.ends().source?.port, carrier.localPort);
  });

  it('are tunnelled by server name with every byte, or served', async () => {
    const tunnels = new Tunnels();
    rig.serve(withTls(), tunnels);
    await join(NODE);
    const { socket, facts } = await tunnels.taken.next();
    assert.equal(facts.hello?.serverName, 'node.example.com');
    assert.equal(rig.tunnelled, 1);
    assert.deepEqual(socket.read(), NODE);
    socket.destroy();
    const client = tls.connect({
      port: rig.port,
      host: '127.0.0.1',
      ca: authority.pem,
      servername: 'a.example',
    });
    clients.push(client);
    await within('the handshake', once(client, 'secureConnect'));
    await rig.accepted.next();
    assert.deepEqual(tunnels.asked, ['node.example.com', 'a.example']);
    assert.deepEqual([rig.tunnelled, rig.gone, rig.rejections.count], [1, 0, 0]);
  });

  it('are served without TLS beside tunnels, or get an alert for an unknown name', async () => {
    const tunnels = new Tunnels();
    rig.serve(null, tunnels);
    await join('GET / HTTP/1.1\r\n');
    const { channel, received } = await rig.accepted.next();
    channel.resume();
    await eventually(() => assert.equal(received(), 'GET / HTTP/1.1\r\n'));
    const other = Buffer.from(NODE.toString('latin1').replace('node.example', 'NEDO.example'), 'latin1');
    const { client, received: answer } = await join(other);
    const { reason, serverName } = await rig.rejections.next();
    assert.deepEqual([reason, serverName], ['server_name', 'nedo.example.com']);
    await within('the end', once(client, 'end'));
    assert.equal(answer(), UNRECOGNIZED_NAME.toString('latin1'));
    assert.equal(rig.gone, 1);
  });

  it('are lost one by one if their owner throws', async () => {
    const fault = new Error('a fault');
    rig.entry = { ...rig.entry, proxyProtocol: 'required' };
    const accept = rig.clientAccepted.bind(rig);
    rig.clientAccepted = () => {
      throw fault;
    };
    const { client } = await join(LINE);
    await within('the close', once(client, 'end'));
    await eventually(() => assert.equal(rig.closed.length, 1));
    assert.deepEqual([rig.faults, rig.gone], [[fault], 0]);
    rig.clientAccepted = accept;
    rig.entry = { ...rig.entry, proxyProtocol: 'off' };
    rig.serve({ close: () => undefined });
    const { client: second } = await join(NODE);
    await within('the close', once(second, 'end'));
    assert.match(String(rig.faults[1]), /another transport/);
    assert.equal(rig.gone, 1);
  });

  it('are lost and counted once if the maker of their tunnel throws', async () => {
    const fault = new Error('a fault');
    const take = (): never => {
      throw fault;
    };
    rig.serve(null, { admit: () => null, find: () => ({ take }) });
    const { client } = await join(NODE);
    await within('the close', once(client, 'end'));
    assert.deepEqual([rig.faults, rig.tunnelled, rig.gone], [[fault], 1, 0]);
  });
});
