import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { CertificateAuthority } from '../../support/certificates.ts';
import { eventually } from '../../support/deadline.ts';
import { ENGINES, isOwnEngine } from '../../support/engines.ts';
import { WebRig } from '../../support/rigs/web-rig.ts';
import { RawConnection } from '../../support/sockets/raw-connection.ts';
import { probeTls } from '../../support/sockets/tls-probe.ts';
import { NODE as HELLO } from '../../support/tls/captured-hellos.ts';

for (const engine of ENGINES.filter(isOwnEngine)) {
  describe(`a connection that fails before its TLS is set up, on ${engine}`, () => {
    const authority = new CertificateAuthority();
    let rig: WebRig;

    before(async () => {
      const certificates = [authority.issue('web', ['DNS:web.example'])];
      const listener = { engine, routes: [{ match: {}, cluster: 'app' }] };
      rig = await WebRig.start({
        workers: { l7: 1 },
        log: { level: 'debug' },
        listeners: {
          patient: { ...listener, tls: { certificates } },
          hasty: { ...listener, tls: { certificates, handshakeTimeout: '300ms' } },
        },
        clusters: { app: { endpoints: ['127.0.0.1:9'] } },
      });
    });
    after(async () => {
      authority.remove();
      await rig.stop();
    });

    /** Sends bytes, and perhaps FIN, and waits until the connection is gone. */
    async function send(listener: string, bytes: string | Buffer, ends: boolean): Promise<void> {
      const connection = await RawConnection.connect(rig.address(listener));
      connection.write(bytes);
      if (ends) connection.socket.end();
      await connection.closed;
      connection.destroy();
    }

    for (const [reason, listener, provoke] of [
      ['hello_malformed', 'patient', () => send('patient', 'GET / HTTP/1.1\r\n\r\n', false)],
      ['hello_ended', 'patient', () => send('patient', HELLO.subarray(0, 40), true)],
      ['hello_timeout', 'hasty', () => send('hasty', HELLO.subarray(0, 40), false)],
      ['tls_timeout', 'hasty', () => send('hasty', HELLO, false)],
      ['tls_ended', 'patient', () => send('patient', HELLO, true)],
      [
        'tls_failed',
        'patient',
        () =>
          probeTls(rig.address('patient'), {
            maxVersion: 'TLSv1.1',
            ciphers: 'ALL:@SECLEVEL=0',
            minVersion: 'TLSv1',
          }),
      ],
    ] as const) {
      it(`counts as ${reason} and has a debug line`, async () => {
        const from = rig.sluice.logs.length;
        await provoke();
        const line = await rig.sluice.waitForLog(({ msg }) => msg === 'connection rejected', undefined, from);
        assert.deepEqual([line.listener, line.reason, line.client], [listener, reason, '127.0.0.1']);
        assert.match(String(line.detail), /^[\w ().:,-]+$/);
        await eventually(async () => {
          const metrics = await rig.scrape();
          assert.equal(metrics.sum('sluice_connections_rejected_total', { listener, reason }), 1);
          assert.equal(metrics.sum('sluice_connections_active'), 0);
        });
      });
    }
  });
}
