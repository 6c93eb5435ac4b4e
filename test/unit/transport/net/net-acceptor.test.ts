import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { describe, it } from 'node:test';
import { NetAcceptor } from '../../../../src/transport/net/net-acceptor.ts';
import { within } from '../../../support/deadline.ts';

describe('an acceptor on sockets of Node', () => {
  it('reports an error once after it has failed to listen and listened again', async () => {
    const other = createServer();
    await once(other.listen(0, '127.0.0.1'), 'listening');
    const { port } = other.address() as AddressInfo;
    const failures: unknown[] = [];
    const accepted = Promise.withResolvers<Socket>();
    const acceptor = new NetAcceptor(
      { kind: 'tcp', host: '127.0.0.1', port },
      {
        accepted: accepted.resolve,
        acceptFailed: (...failure) => failures.push(failure) < 0,
        acceptFault: accepted.reject,
      },
    );
    await assert.rejects(acceptor.listen(), /EADDRINUSE/);
    await once(other.close(), 'close');
    await acceptor.listen();
    const client = connect(port, '127.0.0.1');
    try {
      const socket = await within('a connection', accepted.promise);
      // Node keeps the server of an accepted socket there.
      const { server } = socket as Socket & { server: Server };
      server.emit('error', Object.assign(new Error('accept'), { code: 'EMFILE' }));
      assert.deepEqual(failures, [['EMFILE', true]]);
      socket.destroy();
    } finally {
      client.destroy();
      acceptor.stop();
    }
  });
});
