import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { createServer, type Server } from 'node:tls';
import type { ConnectionOwner } from '../../../../../bench/driver/dialling/connection.ts';
import { NetDialler } from '../../../../../bench/driver/dialling/net-dialler.ts';
import { CertificateAuthority } from '../../../../support/certificates.ts';
import { within } from '../../../../support/deadline.ts';

/** Reports whether a TLS session was resumed, at the first byte after the server's tickets. */
class Owner implements ConnectionOwner {
  readonly first = Promise.withResolvers<boolean>();
  readonly gone = Promise.withResolvers<undefined>();
  #isResumed = false;

  connected(): void {
    // TLS follows.
  }
  secured(isResumed: boolean): void {
    this.#isResumed = isResumed;
  }
  received(): void {
    this.first.resolve(this.#isResumed);
  }
  drained(): void {
    // Nothing is sent.
  }
  closed(error: Error | null): void {
    this.first.reject(error ?? new Error('closed'));
    this.gone.resolve(undefined);
  }
}

describe('connections over TLS', () => {
  const authority = new CertificateAuthority();
  let server: Server;
  before(async () => {
    const { cert, key } = authority.issue('localhost', ['DNS:localhost']);
    server = createServer({ cert: readFileSync(cert), key: readFileSync(key) }, (socket) => {
      socket.on('error', () => undefined);
      socket.write('x');
    });
    await new Promise<void>((settle) => server.listen(0, '127.0.0.1', settle));
  });
  after(() => {
    server.close();
    authority.remove();
  });

  for (const resume of [true, false]) {
    it(`${resume ? 'resume' : 'do not resume'} the session of the previous connection if resumption is ${resume ? 'on' : 'off'}`, async () => {
      const { port } = server.address() as AddressInfo;
      const target = { protocol: 'tls', host: 'localhost', port, path: '/' } as const;
      const dialler = new NetDialler('127.0.0.1', { target, insecure: true, resume });
      const resumed: boolean[] = [];
      for (let count = 0; count < 3; count++) {
        const owner = new Owner();
        const connection = dialler.open(owner);
        resumed.push(await within('the first byte', owner.first.promise));
        connection.destroy();
        await within('the end', owner.gone.promise);
      }
      assert.deepEqual(resumed, [false, resume, resume]);
      dialler.close();
    });
  }
});
