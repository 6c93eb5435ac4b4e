import type { ClientCertificate } from '../wire/tls/client-certificate.ts';

/** What a TLS handshake tells of a client. */
export interface TlsFacts {
  /** As in `ClientHello`. */
  readonly serverName: string | null;
  /** Null without one. */
  readonly certificate: ClientCertificate | null;
}
