/** A certificate by which a client has proven who it is. It has been verified. */
export interface ClientCertificate {
  /** The subject as RFC 2253 writes it: `CN=alice,O=example`. */
  readonly subject: string;
  /** SHA-256 of the certificate in DER, in lower-case hex. */
  readonly fingerprint: string;
  /** The subject alternative names: DNS names, URIs, email addresses and IP addresses. */
  readonly names: readonly string[];
  /** The certificate, and no chain, in PEM. */
  readonly pem: string;
}
