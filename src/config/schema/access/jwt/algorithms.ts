/** The key `algorithms` of JWT: what tokens may be signed by. */
import type { Format } from '../../../syntax/formats.ts';
import { FormatError, describe, oneOf } from '../../../syntax/formats.ts';
import type { Section } from '../../../syntax/section.ts';
import { readValue } from '../../../syntax/section.ts';

/** Signatures by a secret that the issuer and the verifier share (RFC 7518 section 3.2). */
const SECRET_ALGORITHMS = ['HS256', 'HS384', 'HS512'] as const;
/** Signatures that public keys verify (RFC 7518 section 3.1, RFC 8037, RFC 9864). */
export const PUBLIC_ALGORITHMS = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
] as const;

/** Whether an algorithm needs a shared secret. */
export function isSecretAlgorithm(name: string): boolean {
  return name.startsWith('HS');
}

const known = oneOf(...SECRET_ALGORITHMS, ...PUBLIC_ALGORITHMS);

const algorithm: Format<string> = (value) => {
  if (typeof value === 'string' && value.toLowerCase() === 'none') {
    throw new FormatError(`${describe(value)} would let everybody write tokens: leave it out`);
  }
  return known(value);
};

/**
 * Reads the key, or chooses what the keys can verify: public keys only, or shared secrets only. A mix would
 * let whoever knows a public key sign with it as a secret, if anything mistook one for the other.
 *
 * @param verifiable what the keys can verify; null if they come from a URL or cannot be read
 */
export function readAlgorithms(jwt: Section, verifiable: ReadonlySet<string> | null): readonly string[] {
  if (jwt.has('algorithms')) return readGiven(jwt, verifiable);
  const names = verifiable === null ? [...PUBLIC_ALGORITHMS] : [...verifiable];
  const bySecret = names.filter(isSecretAlgorithm);
  if (bySecret.length > 0 && bySecret.length < names.length) {
    jwt.problemAt(
      'keys',
      'the file has both shared secrets (oct) and public keys: name the algorithms of one kind in algorithms',
    );
  }
  return names;
}

function readGiven(jwt: Section, verifiable: ReadonlySet<string> | null): readonly string[] {
  const names = new Set<string>();
  for (const { value, path } of jwt.oneOrMore('algorithms', 'algorithms such as RS256')) {
    const name = readValue(value, path, jwt.problems, algorithm, null);
    if (name === null) continue;
    names.add(name);
    if (verifiable !== null && !verifiable.has(name)) {
      const can = verifiable.size === 0 ? '' : `: they can do ${[...verifiable].join(', ')}`;
      jwt.problems.valueError(path, `no key of the file can verify ${name}${can}`);
    }
  }
  const bySecret = [...names].filter(isSecretAlgorithm);
  if (bySecret.length > 0 && bySecret.length < names.size) {
    jwt.problemAt(
      'algorithms',
      `${bySecret[0]} takes a shared secret, and the others public keys: keep one kind, so that no key is taken for the other`,
    );
  }
  return [...names];
}
