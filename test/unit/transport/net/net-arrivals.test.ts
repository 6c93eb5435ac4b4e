import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { after, afterEach, before, describe, it } from 'node:test';
import { TimerWheel } from '../../../../src/core/timing/timer-wheel.ts';
import type {
  ArrivalOwner,
  EntryFacts,
  EntryRejection,
  EntryTerms,
} from '../../../../src/transport/entry.ts';
import { NetArrivals } from '../../../../src/transport/net/net-arrivals.ts';
import { Arrivals, within } from '../../../support/deadline.ts';
import { NODE } from '../../../support/tls/captured-hellos.ts';

const LINE = 'PROXY TCP4 198.51.100.7 198.51.100.8 1000 443\r\n';
const REQUIRED: EntryTerms = {
  proxyProtocol: 'required',
  trusts: () => true,
  admit: null,
  readsHello: false,
  admitsPostgres: false,
  timeoutMs: 1000,
};
const HELLO: EntryTerms = { ...REQUIRED, proxyProtocol: 'off', readsHello: true };

/** Keeps what it is told. */
class Witness implements ArrivalOwner<Socket> {
  readonly entries = new Arrivals<{ socket: Socket; facts: EntryFacts; since: number }>('an entry');
  readonly rejections = new Arrivals<EntryRejection>('a rejection');
  readonly losses: unknown[] = [];
  fault: Error | null = null;

  entered(socket: Socket, facts: EntryFacts, since: number): void {
    if (this.fault !== null) throw this.fault;
    this.entries.push({ socket, facts, since });
  }

  rejected(rejection: EntryRejection): void {
    this.rejections.push(rejection);
  }

  lost(fault: unknown): void {
    this.losses.push(fault);
  }
}

describe('arrivals on sockets of Node', () => {
  let server: Server;
  let port = 0;
  let wheel = new TimerWheel(0);
  let witness = new Witness();
  let arrivals = new NetArrivals(wheel, witness, null);
  let terms = REQUIRED;
  const accepted = new Arrivals<Socket>('a connection');
  const clients: Socket[] = [];

  before(async () => {
    server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) => {
      accepted.push(socket);
      arrivals.take(socket, terms);
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    ({ port } = server.address() as AddressInfo);
  });
  afterEach(() => {
    arrivals.closeAll();
    for (const client of clients) client.destroy();
    wheel = new TimerWheel(0);
    witness = new Witness();
    arrivals = new NetArrivals(wheel, witness, null);
  });
  after(() => server.close());

  /** A client, and its accepted socket. */
  async function join(by: EntryTerms): Promise<{ client: Socket; socket: Socket }> {
    terms = by;
    const client = connect({ port, host: '127.0.0.1', noDelay: true });
    clients.push(client);
    client.on('error', () => client.destroy());
    return { client, socket: await accepted.next() };
  }

  /** Reads until some bytes arrive. */
  async function read(socket: Socket, length: number): Promise<string> {
    let text = '';
    socket.on('data', (bytes: Buffer) => (text += bytes.toString('latin1')));
    socket.resume();
    while (text.length < length) await within('bytes', once(socket, 'data'));
    return text;
  }

  it('enter with only the bytes after a PROXY header', async () => {
    const { client, socket } = await join(REQUIRED);
    client.write(`${LINE}hello`);
    const { socket: entered, facts } = await witness.entries.next();
    assert.equal(entered, socket);
    assert.deepEqual([facts.peer, facts.address, facts.hello], ['127.0.0.1', '198.51.100.7', null]);
    assert.equal(socket.readableFlowing, false);
    client.write(', world');
    assert.equal(await read(socket, 12), 'hello, world');
    assert.equal(socket.listenerCount('close') + socket.listenerCount('error'), 0);
  });

  it('enter even if their first bytes arrive one by one', async () => {
    const { client, socket } = await join(REQUIRED);
    for (const byte of LINE) {
      client.write(byte);
      await new Promise((settle) => setTimeout(settle, 1));
    }
    const { facts } = await witness.entries.next();
    assert.equal(facts.proxy?.source?.port, 1000);
    client.write('more');
    assert.equal(await read(socket, 4), 'more');
  });

  it('enter with the whole ClientHello', async () => {
    const { client, socket } = await join(HELLO);
    client.write(NODE.subarray(0, 500));
    client.write(NODE.subarray(500));
    const { facts } = await witness.entries.next();
    assert.deepEqual(facts.hello, { serverName: 'node.example.com', protocols: ['http/1.1'] });
    assert.equal(await read(socket, NODE.length), NODE.toString('latin1'));
  });

  it('enter at once without required bytes', async () => {
    const { socket } = await join({ ...REQUIRED, proxyProtocol: 'optional', trusts: () => false });
    assert.equal((await witness.entries.next()).socket, socket);
  });

  it('are closed if they are refused', async () => {
    const { client, socket } = await join(REQUIRED);
    client.write('GET / HTTP/1.1\r\n');
    const { seconds, ...rejection } = await witness.rejections.next();
    assert.deepEqual(rejection, { reason: 'proxy_malformed', detail: 'no PROXY header', peer: '127.0.0.1' });
    assert.equal(seconds, 0);
    assert.ok(socket.destroyed);
    await within('the close', once(client, 'close'));
  });

  it('are closed at their deadline, and the rejection names their stage', async () => {
    const { client, socket } = await join({ ...REQUIRED, readsHello: true });
    wheel.advance(500);
    client.write(LINE);
    await within('the header', once(socket, 'data'));
    wheel.advance(1200);
    const { reason, seconds } = await witness.rejections.next();
    assert.deepEqual([reason, seconds], ['hello_timeout', 1.2]);
    assert.ok(socket.destroyed);
  });

  it('are rejected once at FIN or a reset', async () => {
    const ended = await join(REQUIRED);
    ended.client.end('PROXY');
    assert.equal((await witness.rejections.next()).reason, 'proxy_ended');
    const reset = await join(HELLO);
    reset.client.write(NODE.subarray(0, 100));
    await within('the bytes', once(reset.socket, 'data'));
    reset.client.resetAndDestroy();
    assert.equal((await witness.rejections.next()).reason, 'hello_ended');
    await within('the close', once(reset.socket, 'close'));
    wheel.advance(5000);
    assert.deepEqual([witness.rejections.count, witness.losses, witness.entries.count], [2, [], 0]);
  });

  it('are lost if their listener closes, or their owner throws', async () => {
    const { socket } = await join(REQUIRED);
    arrivals.closeAll();
    assert.ok(socket.destroyed);
    assert.deepEqual(witness.losses, [null]);
    const { client, socket: other } = await join(REQUIRED);
    witness.fault = new Error('a fault');
    client.write(LINE);
    await within('the close', once(other, 'close'));
    assert.deepEqual(witness.losses, [null, witness.fault]);
    wheel.advance(5000);
    assert.equal(witness.rejections.count, 0);
  });
});
