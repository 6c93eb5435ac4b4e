/** Reads the keys `keys` and `algorithms` of JWT. */
import type { BaseDirectory } from '../../../syntax/files.ts';
import type { Format } from '../../../syntax/formats.ts';
import { FormatError, describe } from '../../../syntax/formats.ts';
import type { Section } from '../../../syntax/section.ts';
import { isUnencrypted, httpUrl } from '../../../syntax/url.ts';
import type { JwtKeys } from '../../../types/access.ts';
import { PUBLIC_ALGORITHMS, isSecretAlgorithm, readAlgorithms } from './algorithms.ts';
import type { KeyFile, VerifyingKey } from './key-file.ts';
import { keyFile } from './key-file.ts';

const PUBLIC: ReadonlySet<string> = new Set(PUBLIC_ALGORITHMS);

interface ReadKeys {
  /** Null if the keys are invalid. */
  readonly keys: JwtKeys | null;
  readonly algorithms: readonly string[];
}

/**
 * Reads both keys. Drops keys that no accepted algorithm uses, so that they cannot be mistaken for others.
 */
export function readKeys(jwt: Section, base: BaseDirectory): ReadKeys {
  const source = jwt.required<URL | KeyFile | null>('keys', keySource(base), null);
  if (source === null) return { keys: null, algorithms: readAlgorithms(jwt, null) };
  if (source instanceof URL) {
    refuseSecrets(jwt);
    return { keys: { kind: 'url', url: source.href }, algorithms: readAlgorithms(jwt, null) };
  }
  const algorithms = readAlgorithms(jwt, new Set(source.keys.flatMap((key) => key.algorithms)));
  warnOfKeys(jwt, source.keys);
  const used = source.keys.filter((key) => key.algorithms.some((each) => algorithms.includes(each)));
  const jwks = JSON.stringify({ keys: used.map(({ jwk }) => jwk) });
  return { keys: { kind: 'file', file: source.path, jwks }, algorithms };
}

/** Returns the format of a key source: the path of a file, or a URL. */
function keySource(base: BaseDirectory): Format<URL | KeyFile> {
  const readUrl = httpUrl('the URL of a key set');
  const readFile = keyFile(base);
  return (value) => {
    if (typeof value !== 'string' || !/^[a-z][a-z\d+.-]*:\/\//i.test(value)) return readFile(value);
    const url = readUrl(value);
    if (!isUnencrypted(url)) return url;
    throw new FormatError(
      `${describe(value)} would fetch keys unencrypted, and an attacker on the path could forge tokens: use https`,
    );
  };
}

/** Adds an error if an algorithm needs a shared secret, which a URL would reveal to everyone. */
function refuseSecrets(jwt: Section): void {
  const given = jwt.raw('algorithms');
  const names = Array.isArray(given) ? (given as readonly unknown[]) : [given];
  const bySecret = names.find(
    (name) => typeof name === 'string' && !PUBLIC.has(name) && isSecretAlgorithm(name),
  );
  if (bySecret === undefined) return;
  jwt.problemAt(
    'algorithms',
    `${describe(bySecret)} uses a shared secret, which must not come from a URL: write the secret into a file`,
  );
}

function warnOfKeys(jwt: Section, keys: readonly VerifyingKey[]): void {
  const path = [...jwt.path, 'keys'];
  const file = describe(jwt.raw('keys'));
  const [first, ...more] = keys.filter((key) => key.hadPrivateParts);
  if (first !== undefined) {
    const which = more.length === 0 ? `key ${first.number}` : `${more.length + 1} keys`;
    jwt.problems.warning(
      path,
      `${which} of ${file} can sign tokens, which sluice never does: keep private parts ("d") with the issuer`,
    );
  }
  const seen = new Map<string, number>();
  for (const { number, jwk } of keys) {
    if (typeof jwk.kid !== 'string') continue;
    const id = `${String(jwk.kty)} ${jwk.kid}`;
    const twin = seen.get(id);
    seen.set(id, number);
    if (twin === undefined) continue;
    jwt.problems.warning(
      path,
      `keys ${twin} and ${number} of ${file} have the same type and "kid", which identify the key of a token: give each its own`,
    );
  }
}
