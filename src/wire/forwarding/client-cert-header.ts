import type { ClientCertificate } from '../tls/client-certificate.ts';

/** Header that carries the client's certificate to endpoints. Copies sent by clients are dropped. */
export const CLIENT_CERT_HEADER = 'x-forwarded-client-cert';

/** Characters that Envoy's format requires in quotes. Names contain neither quotes nor backslashes. */
const SEPARATOR = /[,;=]/;

/**
 * Formats X-Forwarded-Client-Cert as Envoy does, such as
 * `By=spiffe://a/edge;Hash=0a1b…;Subject="CN=alice,O=example";URI=spiffe://a/alice;DNS=alice.example`. `URI`
 * and `DNS` repeat for each name. RFC 2253 escapes in the subject are also valid in Envoy's quotes.
 *
 * @param by a URI from sluice's own certificate; null to leave it out
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
