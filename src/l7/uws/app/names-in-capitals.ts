import type { TemplatedApp } from 'uWebSockets.js';
import { hasText, isUnchanged } from '../../../config/schema/certificate.ts';
import type { Certificate, ClientCertificateSettings } from '../../../config/types/listener.ts';

/**
 * Max spellings of server names that clients can add to an App: each costs a TLS context of tens of
 * kilobytes.
 */
const MAX_SPELLINGS = 16;

/**
 * Finds certificates for server names with capitals. RFC 6066 section 3 compares names case-insensitively,
 * but uWS (20.66 to 20.68) compares bytes: such clients would get the first certificate. Bun's copy of the
 * code has the same fault (oven-sh/bun#37193). No issue of uWS is known. Needed until uWS ignores case.
 *
 * uWS asks for a missing name during the handshake, then looks again, and keeps the added name until the
 * thread ends. So the all-capitals spelling of each configured name is added at its first use. Only the first
 * {@link MAX_SPELLINGS} other spellings are added per App. uWS also prints each added name: see
 * `sys/descriptors/standard-output.ts`.
 */
export function matchServerNamesInCapitals(
  app: TemplatedApp,
  certificates: readonly Certificate[],
  clients: ClientCertificateSettings | null,
  add: (serverName: string, certificate: Certificate) => void,
): void {
  const byName = new Map<string, Certificate>();
  for (const certificate of certificates) {
    for (const serverName of certificate.serverNames) byName.set(serverName, certificate);
  }
  let spellings = 0;
  app.missingServerName((requestedName) => {
    const found = knownName(requestedName, byName);
    if (found === null) return;
    const { serverName, certificate } = found;
    const isCapital = serverName === serverName.toUpperCase();
    if (!isCapital && spellings >= MAX_SPELLINGS) return;
    // uWS closes the connection if it cannot read the files. A renewed certificate waits for the reload.
    if (!isUnchanged(certificate) || (clients !== null && !hasText(clients.ca, clients.caPem))) return;
    if (!isCapital) spellings++;
    add(serverName, certificate);
  });
}

/** Returns the name to add, in the client's spelling. Null if it is unknown or already in lower case. */
function knownName(
  requestedName: string,
  byName: ReadonlyMap<string, Certificate>,
): { serverName: string; certificate: Certificate } | null {
  // Server names have only these characters. Some others become ASCII in lower case, such as U+212A, the
  // Kelvin sign.
  if (!/^[\x21-\x7e]+$/.test(requestedName)) return null;
  // A wildcard matches one label.
  const dot = requestedName.indexOf('.');
  for (const serverName of dot < 0 ? [requestedName] : [requestedName, `*${requestedName.slice(dot)}`]) {
    // RFC 6066 section 3 forbids a trailing dot, but some clients send it.
    const lower = serverName.toLowerCase().replace(/\.$/, '');
    const certificate = byName.get(lower);
    // uWS would have found a name in lower case.
    if (certificate !== undefined && lower !== serverName) return { serverName, certificate };
  }
  return null;
}
