import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { constants } from 'node:os';
import { after, before, describe, it } from 'node:test';
import { codeOf } from '../../../../src/core/errors.ts';
import { atTrueEnd } from '../../../../src/sys/node/true-end.ts';
import { unsupportedReason } from '../../../../src/sys/support.ts';
import { asChannel } from '../../../../src/transport/net/net-channel.ts';
import { within } from '../../../support/deadline.ts';
import { SystemPeer } from '../../../support/sockets/system-peer.ts';

const { ECONNRESET, EPIPE } = constants.errno;

describe('the end of one of Node’s sockets', { skip: unsupportedReason() ?? false }, () => {
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true });
  before(() => once(server.listen(0, '127.0.0.1'), 'listening'));
  after(() => server.close());

  /** Connects, sends five bytes, and ends the connection before the server reads. Returns how it ends there. */
  async function endOf(
    kind: 'FIN' | 'reset',
    calls?: Parameters<typeof atTrueEnd>[2],
    prepare: (socket: Socket) => unknown = () => undefined,
  ): Promise<string> {
    const accepted = once(server, 'connection');
    const peer = await SystemPeer.connect(`127.0.0.1:${(server.address() as AddressInfo).port}`);
    const [socket] = (await within('the connection', accepted)) as [Socket];
    prepare(socket);
    let received = 0;
    socket.on('data', (bytes: Buffer) => (received += bytes.length));
    const end = new Promise<string>((settle) => {
      socket.once('error', (error) => settle(codeOf(error)));
      socket.once('end', () => atTrueEnd(socket, () => settle('FIN'), calls));
    });
    peer.send(5);
    if (kind === 'FIN') peer.end();
    else peer.reset();
    socket.resume();
    const found = await within('the end', end);
    assert.equal(received, 5);
    socket.destroy();
    peer.close();
    return found;
  }

  it('is distinguished from a reset right after data', async () => {
    assert.equal(await endOf('reset'), 'ECONNRESET');
    assert.equal(await endOf('FIN'), 'FIN');
  });

  it('is distinguished from a reset after our side has ended, too', async () => {
    assert.equal(await endOf('reset', undefined, (socket) => socket.end()), 'ECONNRESET');
    assert.equal(await endOf('FIN', undefined, (socket) => socket.end()), 'FIN');
  });

  it('is distinguished from a reset without system calls', async () => {
    assert.match(await endOf('reset', null), /^(?:ECONNRESET|EPIPE)$/);
    assert.equal(await endOf('FIN', null), 'FIN');
    assert.equal(await endOf('FIN', null, (socket) => socket.end()), 'FIN');
  });

  it('is found without system calls on a channel, which overrides `write`', async () => {
    const prepare = (socket: Socket): unknown => asChannel(socket, null, null);
    assert.equal(await endOf('FIN', null, prepare), 'FIN');
  });

  it('is regular if a reset follows FIN', async () => {
    assert.equal(await endOf('FIN', { takeError: () => EPIPE, isConnected: () => true }), 'FIN');
    assert.equal(await endOf('FIN', { takeError: () => ECONNRESET, isConnected: () => true }), 'ECONNRESET');
  });
});
