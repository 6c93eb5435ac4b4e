import type { TemplatedApp } from 'uWebSockets.js';
import { isUnchanged } from '../../../config/schema/certificate.ts';
import type { Certificate } from '../../../config/types/listener.ts';

/** Max spellings of server names that clients can add to an App: each keeps a TLS context of tens of kilobytes. */
const MAX_SPELLINGS = 16;

/**
 * Finds certificates for server names that are not in lower case, which RFC 6066 section 3 takes for the same name.
 * uWS (20.0.8 of uws-pack) compares bytes, so that such clients got the first certificate.
 *
 * uWS asks while the handshake waits, and then looks again. It keeps what is added for ever. So the spelling in
 * capitals is added for each name of the configuration, at its first use, and of other spellings the first
 * {@link MAX_SPELLINGS} for each App.
 */
export function matchServerNamesInCapitals(
  app: TemplatedApp,
  certificates: readonly Certificate[],
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
    // uWS closes the connection if it cannot read the files. A certificate that is being renewed waits for its reload.
    if (!isUnchanged(certificate)) return;
    if (!isCapital) spellings++;
    add(serverName, certificate);
  });
}

/** Returns the name to add, in the client's spelling; null if it is unknown, or in lower case already. */
function knownName(
  asked: string,
  byName: ReadonlyMap<string, Certificate>,
): { serverName: string; certificate: Certificate } | null {
  // Other characters stand in no name, though some have a lower case in ASCII (U+212A is a sign for kelvin, a K).
  if (!/^[\x21-\x7e]+$/.test(asked)) return null;
  // A wildcard stands for one label.
  const dot = asked.indexOf('.');
  for (const serverName of dot < 0 ? [asked] : [asked, `*${asked.slice(dot)}`]) {
    // RFC 6066 section 3 sends names without the dot of the root, but some clients leave it.
    const lower = serverName.toLowerCase().replace(/\.$/, '');
    const certificate = byName.get(lower);
    // uWS has found a name that is known in this spelling.
    if (certificate !== undefined && lower !== serverName) return { serverName, certificate };
  }
  return null;
}
