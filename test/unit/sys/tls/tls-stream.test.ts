import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, it } from 'node:test';
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { opensslProblem } from '../../../../src/sys/openssl.ts';
import { ServerContext } from '../../../../src/sys/tls/server-context.ts';
import { TlsStream } from '../../../../src/sys/tls/tls-stream.ts';
import { CertificateAuthority } from '../../../support/certificates.ts';
import { within } from '../../../support/deadline.ts';
import { TlsRig, settingsOf, textsOf } from './rig.ts';

describe('a TLS stream', { skip: opensslProblem() ?? false }, () => {
  let authority: CertificateAuthority;

  before(() => {
    authority = new CertificateAuthority();
  });
  after(() => authority.remove());

  function clientOf(rig: TlsRig, options: ConnectionOptions = {}): TLSSocket {
    const socket = connect({
      host: '127.0.0.1',
      port: rig.port,
      servername: 'a.example',
      ca: authority.pem,
      ...options,
    });
    socket.on('error', () => undefined);
    return socket;
  }

  function settings(): ReturnType<typeof settingsOf> {
    return settingsOf([textsOf(authority.issue('a.example', ['DNS:a.example']))]);
  }

  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    it(`exchanges bytes with a client by ${version}, and ends both directions`, async () => {
      await TlsRig.with(settings(), async (rig) => {
        const client = clientOf(rig, { minVersion: version, maxVersion: version });
        const secure = once(client, 'secureConnect');
        const stream = await rig.established();
        await within('the client', secure);
        assert.equal(client.authorized, true);
        assert.equal(stream.facts().version, version);
        client.write('ping');
        assert.equal(await rig.read(stream), 'ping');
        const data = once(client, 'data');
        assert.equal(await rig.write(stream, 'pong'), 4);
        assert.equal(String((await within('an answer', data))[0]), 'pong');
        const end = once(client, 'end');
        assert.equal(stream.sendCloseNotify(), 0);
        await within('the end', end);
        assert.equal(await rig.read(stream), 0);
        assert.equal(stream.failure, '');
      });
      assert.equal(TlsStream.live, 0);
      assert.equal(ServerContext.live, 0);
    });
  }
});
