import type { ClientCertificate } from '../tls/client-certificate.ts';

/** The header that tells endpoints the client's certificate. Clients' own headers of this name are dropped. */
export const CLIENT_CERT_HEADER = 'x-forwarded-client-cert';

/** Characters that Envoy's format wants in quotes. Quotes and backslashes do not occur in names. */
const SEPARATOR = /[,;=]/;

/**
 * Writes the value of X-Forwarded-Client-Cert in Envoy's format, such as
 * `By=spiffe://a/edge;Hash=0a1b…;Subject="CN=alice,O=example";URI=spiffe://a/alice;DNS=alice.example`. Of `URI` and
 * `DNS` there is one for each name. The escapes of RFC 2253 in the subject are those of Envoy's quotes, too.
 *
 * @param by a URI in the proxy's own certificate; null to leave it out
 */
export function clientCertValue(certificate: ClientCertificate, by: string | null): string {
  const { fingerprint, subject, names } = certificate;
  let value = by === null ? '' : `By=${quoted(by)};`;
  value += `Hash=${fingerprint};Subject="${subject}"`;
  for (const name of names) if (name.kind === 'uri') value += `;URI=${quoted(name.value)}`;
  for (const name of names) if (name.kind === 'dns') value += `;DNS=${name.value}`;
  return value;
}

function quoted(uri: string): string {
  return SEPARATOR.test(uri) ? `"${uri}"` : uri;
}
