/** What may differ between the engines of layer 7 with TLS towards clients. See `engine-differences.ts`. */
import type { DifferenceGroup } from './difference.ts';

export const TLS_DIFFERENCES: DifferenceGroup = {
  title: 'TLS',
  rows: [
    {
      what: '`tls.minVersion: 1.3`, `groups`, `alpn`, `handshakeTimeout`, `tickets`, `clientCertificates.crl`',
      own: 'yes',
      uws: 'errors of `check`',
      why: 'uWebSockets.js has no such settings',
      held: 'test/unit/config/schema/listener/tls/tls.test.ts',
    },
    {
      what: '`tls.ciphers`',
      own: 'of TLS 1.2 and 1.3; the order of the server counts',
      uws: 'of TLS 1.2, those of BoringSSL; the order of the client counts',
      why: 'uWebSockets.js has BoringSSL',
      held: 'test/integration/tls/uws-tls.test.ts, test/unit/config/schema/listener/tls/ciphers.test.ts',
    },
    {
      what: 'certificates with RSA and ECDSA keys for one name',
      own: 'each client gets the first that it can verify',
      uws: 'the first; `check` warns',
      why: 'uWebSockets.js has one certificate for a name',
      held: 'test/integration/tls/uws-tls.test.ts, test/unit/transport/certificate-choice.test.ts',
    },
    {
      what: 'session tickets',
      own:
        'keys that all workers share, through reloads and takeovers; `net` decrypts with the current key only, and of a ' +
        '`keyFile` makes keys that only `net` has',
      uws: 'keys of each worker',
      why: 'BoringSSL keeps its keys to itself; Node takes one key of 48 bytes',
      held: 'test/integration/tls',
    },
    {
      what: 'failed TLS handshakes',
      own: 'counted by reason in `sluice_connections_rejected_total`, with a debug line',
      uws: 'count as `ended` in `sluice_connections_unused_total`',
      why: 'uWebSockets.js does not tell of them',
      held: 'test/integration/tls/failures.test.ts',
    },
    {
      what: 'a client without a certificate that is required',
      own: 'an alert in the handshake',
      uws: '403 to its first request, then closed',
      why: 'uWebSockets.js asks for certificates and cannot require one',
      held: 'test/integration/routing/client-certificates.test.ts',
    },
    {
      what: 'a client certificate that is not trusted',
      own: '`raw`: an alert in the handshake; `net`: closed behind the handshake',
      uws: 'an alert in the handshake',
      why: 'Node lets such a handshake pass, and tells what is wrong with the certificate',
      held: 'test/integration/routing/client-certificates.test.ts',
    },
    {
      what: 'a new certificate',
      own: 'is in force for new connections; the listener and its sockets stay',
      uws: 'makes another listener, which takes the place of the old one',
      why: 'an App of uWebSockets.js keeps what it began with',
      held: 'test/integration/reload/tls-certificates.test.ts',
    },
  ],
};
