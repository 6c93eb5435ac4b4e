import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, ListenOptions } from 'node:net';
import { describe, it } from 'node:test';
import { NodeReservation } from '../../../../src/sys/node/node-reservation.ts';

function at(host: string, port: number): ConstructorParameters<typeof NodeReservation>[0] {
  return { kind: 'tcp', host, port };
}

async function whileListening(options: ListenOptions, check: (port: number) => void): Promise<void> {
  const server = createServer().listen(options);
  await once(server, 'listening');
  try {
    check((server.address() as AddressInfo).port);
  } finally {
    server.close();
  }
}

describe('a reservation without system calls', () => {
  it('has a port, and clients of it are refused', async () => {
    const reservation = new NodeReservation(at('127.0.0.1', 0));
    assert.ok(reservation.port > 0);
    const [error] = (await once(connect(reservation.port, '127.0.0.1'), 'error')) as [NodeJS.ErrnoException];
    assert.equal(error.code, 'ECONNREFUSED');
    reservation.close();
    reservation.close();
    await whileListening({ host: '127.0.0.1', port: reservation.port }, () => undefined);
  });

  it('ends when the workers start to listen', async () => {
    const reservation = new NodeReservation(at('127.0.0.1', 0));
    reservation.share();
    await whileListening({ host: '127.0.0.1', port: reservation.port, reusePort: true }, () => undefined);
  });

  it('is refused if another socket listens, shared or not, or the machine does not have the address', async () => {
    for (const reusePort of [false, true]) {
      for (const [theirs, ours] of [
        ['127.0.0.1', '127.0.0.1'],
        ['127.0.0.1', '0.0.0.0'],
        ['::', '127.0.0.1'],
        ['127.0.0.1', '::'],
      ] as const) {
        await whileListening({ host: theirs, port: 0, reusePort }, (port) => {
          assert.throws(
            () => new NodeReservation(at(ours, port)),
            { code: 'EADDRINUSE' },
            `${theirs} ${ours}`,
          );
        });
      }
    }
    assert.throws(() => new NodeReservation(at('192.0.2.1', 0)), { code: 'EADDRNOTAVAIL' });
  });
});
