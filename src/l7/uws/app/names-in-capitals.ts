import type { TemplatedApp } from 'uWebSockets.js';
import { hasText, isUnchanged } from '../../../config/schema/certificate.ts';
import type { Certificate, ClientCertificateSettings } from '../../../config/types/listener.ts';

/** Max spellings of server names that clients can add to an App: each keeps a TLS context of tens of kilobytes. */
const MAX_SPELLINGS = 16;

/**
 * Finds certificates for server names that are not in lower case, which RFC 6066 section 3 takes for the same name. uWS
 * (20.66 to 20.68) compares bytes, so such clients would get the first certificate; Bun's copy of its code has the same fault
 * (oven-sh/bun#37193), and no issue of uWS itself is known. This can go when uWS compares names without case.
 *
 * uWS asks for a missing name while the handshake waits, then looks again, and keeps the added name until the thread ends. So
 * the spelling in capitals is added for each name of the configuration at its first use. Of other spellings the first
 * {@link MAX_SPELLINGS} are added for each App. uWS also prints each added name: see `sys/descriptors/standard-output.ts`.
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
  app.missingServerName((asked) => {
    const found = knownName(asked, byName);
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

/** Returns the name to add, in the client's spelling; null if it is unknown, or in lower case already. */
function knownName(
  asked: string,
  byName: ReadonlyMap<string, Certificate>,
): { serverName: string; certificate: Certificate } | null {
  // Names have no other characters. Some of those have a lower case in ASCII, such as U+212A, the Kelvin sign.
  if (!/^[\x21-\x7e]+$/.test(asked)) return null;
  // A wildcard stands for one label.
  const dot = asked.indexOf('.');
  for (const serverName of dot < 0 ? [asked] : [asked, `*${asked.slice(dot)}`]) {
    // RFC 6066 section 3 wants no dot at the end, but some clients send it.
    const lower = serverName.toLowerCase().replace(/\.$/, '');
    const certificate = byName.get(lower);
    // In lower case uWS would have found the name.
    if (certificate !== undefined && lower !== serverName) return { serverName, certificate };
  }
  return null;
}
