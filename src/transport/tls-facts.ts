import type { ClientCertificate } from '../wire/tls/client-certificate.ts';

/** What a client and the proxy have agreed on in a TLS handshake. */
export interface TlsFacts {
  readonly version: 'TLSv1.2' | 'TLSv1.3';
  /** OpenSSL's name of the cipher. */
  readonly cipher: string;
  /** As in `ClientHello`. */
  readonly serverName: string | null;
  /** The application protocol; null if none was chosen. */
  readonly protocol: string | null;
  readonly resumed: boolean;
  /** Null without one. */
  readonly certificate: ClientCertificate | null;
}
