import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { after, describe, it } from 'node:test';
import { connect, type SecureVersion, type TLSSocket } from 'node:tls';
import { TicketKeyRing } from '../../../../src/core/ticket-key-ring.ts';
import { opensslProblem } from '../../../../src/sys/openssl.ts';
import type { ServerContextSettings } from '../../../../src/sys/tls/server-context.ts';
import { CertificateAuthority } from '../../../support/certificates.ts';
import { within } from '../../../support/deadline.ts';
import { TlsRig, settingsOf, textsOf } from './rig.ts';

/** The result of one connection. */
interface Visit {
  readonly isResumed: boolean;
  /** With the last ticket, as Node serialises it; null for none. */
  readonly session: Buffer | null;
  /** Number of tickets that Node reported. */
  readonly tickets: number;
}

describe('sessions of a TLS context', { skip: opensslProblem() ?? false }, () => {
  const root = new CertificateAuthority();
  const certificate = textsOf(root.issue('a.example', ['DNS:a.example']));
  const keys = Array.from({ length: 3 }, () => randomBytes(80));
  after(() => root.remove());

  function ringOf(...used: readonly Buffer[]): TicketKeyRing {
    const ring = new TicketKeyRing();
    ring.replace(used);
    return ring;
  }

  function withRing(ticketKeys: TicketKeyRing, sessionIdContext = 'same'): ServerContextSettings {
    return settingsOf([certificate], {
      ticketKeys,
      sessionIdContext: Buffer.from(sessionIdContext),
    });
  }

  async function visit(rig: TlsRig, version: SecureVersion, session: Buffer | null): Promise<Visit> {
    const client: TLSSocket = connect({
      ...{ host: '127.0.0.1', port: rig.port, servername: 'a.example', ca: root.pem },
      ...{ minVersion: version, maxVersion: version },
      ...(session === null ? {} : { session }),
    });
    let latest: Buffer | null = null;
    let tickets = 0;
    client.on('session', (ticket: Buffer) => {
      latest = ticket;
      tickets++;
    });
    client.on('error', () => undefined);
    const data = once(client, 'data');
    // The handshake says why it has failed.
    data.catch(() => undefined);
    const stream = await rig.established();
    // Tickets come before the first bytes.
    await rig.write(stream, 'hello');
    await within('the first bytes', data);
    const isResumed = client.isSessionReused();
    // Node has no event for the second ticket of a session of TLS 1.2.
    const last = version === 'TLSv1.3' ? latest : (client.getSession() ?? null);
    client.destroy();
    rig.drop(stream);
    return { isResumed, session: last, tickets };
  }

  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    describe(version, () => {
      it('resumes in another context with the same keys', async () => {
        await TlsRig.with(withRing(ringOf(keys[0]!)), async (rig) => {
          const first = await visit(rig, version, null);
          assert.equal(first.isResumed, false);
          rig.use(withRing(ringOf(keys[0]!)));
          const second = await visit(rig, version, first.session);
          assert.equal(second.isResumed, true);
        });
      });

      it('accepts the ticket of an older key, and issues one of the newest', async () => {
        const ring = ringOf(keys[0]!);
        await TlsRig.with(withRing(ring), async (rig) => {
          const first = await visit(rig, version, null);
          ring.replace([keys[1]!, keys[0]!]);
          const second = await visit(rig, version, first.session);
          assert.equal(second.isResumed, true);
          ring.replace([keys[1]!]);
          const third = await visit(rig, version, second.session);
          assert.equal(third.isResumed, true);
        });
      });

      it('does a full handshake if the key is gone', async () => {
        const ring = ringOf(keys[0]!);
        await TlsRig.with(withRing(ring), async (rig) => {
          const first = await visit(rig, version, null);
          ring.replace([keys[2]!]);
          const second = await visit(rig, version, first.session);
          assert.equal(second.isResumed, false);
        });
      });

      it('does a full handshake if the key of that name has other secrets', async () => {
        const ring = ringOf(keys[0]!);
        await TlsRig.with(withRing(ring), async (rig) => {
          const first = await visit(rig, version, null);
          ring.replace([Buffer.concat([keys[0]!.subarray(0, 16), randomBytes(64)])]);
          const second = await visit(rig, version, first.session);
          assert.equal(second.isResumed, false);
        });
      });

      it('does not resume with another session ID context', async () => {
        await TlsRig.with(withRing(ringOf(keys[0]!), 'one'), async (rig) => {
          const first = await visit(rig, version, null);
          rig.use(withRing(ringOf(keys[0]!), 'two'));
          const second = await visit(rig, version, first.session);
          assert.equal(second.isResumed, false);
        });
      });

      it('issues no ticket without a key', async () => {
        await TlsRig.with(withRing(new TicketKeyRing()), async (rig) => {
          const first = await visit(rig, version, null);
          const second = await visit(rig, version, first.session);
          assert.equal(second.isResumed, false);
        });
      });

      it('does full handshakes with damaged tickets', async () => {
        await TlsRig.with(withRing(ringOf(keys[0]!)), async (rig) => {
          const { session } = await visit(rig, version, null);
          assert.ok(session !== null);
          // The ticket follows the key's name. Node's form of a session contains that name once.
          const place = session.indexOf(keys[0]!.subarray(0, 16));
          assert.ok(place > 0);
          for (const offset of [0, 16, 40, 60]) {
            const damaged: Buffer = Buffer.from(session);
            damaged[place + offset]! ^= 1;
            assert.equal((await visit(rig, version, damaged)).isResumed, false);
          }
          assert.equal((await visit(rig, version, session)).isResumed, true);
        });
      });
    });
  }

  it('have one ticket with TLS 1.3, and a new one at each resumption', async () => {
    await TlsRig.with(withRing(ringOf(keys[0]!)), async (rig) => {
      let { session, tickets } = await visit(rig, 'TLSv1.3', null);
      assert.equal(tickets, 1);
      for (let resumption = 0; resumption < 3; resumption++) {
        const next = await visit(rig, 'TLSv1.3', session);
        assert.deepEqual([next.isResumed, next.tickets], [true, 1]);
        assert.notDeepEqual(next.session, session);
        ({ session, tickets } = next);
      }
    });
  });

  it('may be resumed for two hours, and for five minutes with certificates', async () => {
    const clientCertificates = { caPem: root.pem, crlPem: null, isRequired: false };
    for (const [settings, seconds] of [
      [settingsOf([certificate]), 7200],
      [settingsOf([certificate], { clientCertificates }), 300],
    ] as const) {
      await TlsRig.with(settings, async (rig) => {
        const target = `127.0.0.1:${rig.port}`;
        const client = spawn('openssl', ['s_client', '-connect', target, '-tls1_2'], { stdio: 'pipe' });
        let output = '';
        client.stdout.on('data', (data: Buffer) => (output += data.toString('latin1')));
        const closed = once(client, 'close');
        client.stdin.end();
        rig.drop(await rig.established());
        await within('the client', closed);
        assert.match(output, new RegExp(`ticket lifetime hint: ${seconds} `));
      });
    }
  });

  it('keep the certificate of the client', async () => {
    const { certPem: cert, keyPem: key } = textsOf(root.issue('alice', ['email:alice@a.example']));
    const clientCertificates = { caPem: root.pem, crlPem: null, isRequired: true };
    const settings = settingsOf([certificate], { clientCertificates });
    await TlsRig.with(settings, async (rig) => {
      let session: Buffer | undefined;
      const seen: (Buffer | null)[] = [];
      for (const isResumed of [false, true]) {
        const client = connect({
          ...{ host: '127.0.0.1', port: rig.port, servername: 'a.example', ca: root.pem },
          ...{ cert, key, session },
        });
        client.on('session', (ticket: Buffer) => (session = ticket));
        client.on('error', () => undefined);
        const data = once(client, 'data');
        const stream = await rig.established();
        await rig.write(stream, 'hello');
        await within('the first bytes', data);
        assert.equal(client.isSessionReused(), isResumed);
        seen.push(stream.clientCertificate());
        client.destroy();
        rig.drop(stream);
      }
      assert.ok(seen[0] !== null);
      assert.deepEqual(seen[1], seen[0]);
    });
  });
});
