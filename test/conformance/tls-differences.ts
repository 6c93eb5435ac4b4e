/** The differences between the engines of layer 7 with TLS to clients. See `engine-differences.ts`. */
import type { DifferenceGroup } from './difference.ts';

export const TLS_DIFFERENCES: DifferenceGroup = {
  title: 'TLS',
  rows: [
    {
      what: '`tls.minVersion: 1.3`, `groups`, `alpn`, `handshakeTimeout`, `tickets`, `clientCertificates.crl`',
      own: 'yes',
      uws: 'refused by `check`',
      why: 'uWebSockets.js has no such settings',
      held: 'test/unit/config/schema/listener/tls/tls.test.ts',
    },
    {
      what: '`tls.ciphers`',
      own: "TLS 1.2 and 1.3; the server's order counts",
      uws: "TLS 1.2, with BoringSSL's ciphers; the client's order counts",
      why: 'uWebSockets.js uses BoringSSL',
      held: 'test/integration/tls/uws-tls.test.ts, test/unit/config/schema/listener/tls/ciphers.test.ts',
    },
    {
      what: 'certificates with RSA and ECDSA keys for one name',
      own: 'each client gets the first one it can verify',
      uws: 'the first; `check` warns',
      why: 'uWebSockets.js has one certificate for each name',
      held: 'test/integration/tls/uws-tls.test.ts, test/unit/transport/certificate-choice.test.ts',
    },
    {
      what: 'session tickets',
      own:
        'keys shared by all workers, through reloads and takeovers; `net` decrypts with the current key only, and ' +
        'derives its own keys from a `keyFile`',
      uws: 'keys of each worker',
      why: 'BoringSSL does not share its keys; Node accepts one key of 48 bytes',
      held: 'test/integration/tls',
    },
    {
      what: 'failed TLS handshakes',
      own: 'counted by reason in `sluice_connections_rejected_total`, with a debug line',
      uws: 'count as `ended` in `sluice_connections_unused_total`',
      why: 'uWebSockets.js does not report them',
      held: 'test/integration/tls/failures.test.ts',
    },
    {
      what: 'a required client certificate is missing',
      own: 'an alert in the handshake',
      uws: '403 to its first request, then closed',
      why: 'uWebSockets.js can ask for a certificate, but not require one',
      held: 'test/integration/routing/client-certificates.test.ts',
    },
    {
      what: 'an untrusted client certificate',
      own: '`raw`: an alert in the handshake; `net`: closed after the handshake',
      uws: 'an alert in the handshake',
      why: 'Node completes the handshake, then reports the fault of the certificate',
      held: 'test/integration/routing/client-certificates.test.ts',
    },
    {
      what: 'a new certificate',
      own: 'new connections get it; the listener and its sockets stay',
      uws: 'a new listener replaces the old one',
      why: 'an App of uWebSockets.js cannot change its certificates',
      held: 'test/integration/reload/tls-certificates.test.ts',
    },
  ],
};
