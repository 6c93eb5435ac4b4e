/** The two sides that a transport can have in a test: without TLS, and with it. */
import { after } from 'node:test';
import type { ClientTransport } from '../../../src/transport/client-transport.ts';
import { CertificateAuthority } from '../../support/certificates.ts';
import { certificateOf, freshRing, listenerTls } from '../../support/tls/listener-tls.ts';
import type { Side } from './rig.ts';

const authority = new CertificateAuthority();
const settings = listenerTls([certificateOf(authority.issue('localhost', ['DNS:localhost']), 'localhost')]);
after(() => authority.remove());

export function plain(transport: ClientTransport): Side {
  return { transport, tls: null };
}

export function secure(transport: ClientTransport): Side {
  return { transport, tls: transport.createTls('listener', settings, freshRing()) };
}
