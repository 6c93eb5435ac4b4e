/** Reads the key `algorithms` of JWT: the accepted signature algorithms. */
import type { Format } from '../../../syntax/formats.ts';
import { FormatError, describe, oneOf } from '../../../syntax/formats.ts';
import type { Section } from '../../../syntax/section.ts';
import { readValue } from '../../../syntax/section.ts';

/** Signatures by a secret shared between issuer and verifier (RFC 7518 section 3.2). */
const SECRET_ALGORITHMS = ['HS256', 'HS384', 'HS512'] as const;
/** Signatures verified by public keys (RFC 7518 section 3.1, RFC 8037, RFC 9864). */
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
    throw new FormatError(`${describe(value)} would let anyone forge tokens: leave it out`);
  }
  return known(value);
};

/**
 * Reads the key, or derives the algorithms from the keys: public keys only, or shared secrets only. With a
 * mix, a component might mistake a public key for a secret. Anyone who knows the public key could then sign
 * with it.
 *
 * @param verifiable algorithms that the keys support; null if the keys come from a URL or are invalid
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
      `${bySecret[0]} uses a shared secret, and the others use public keys: keep one kind, so that no key is mistaken for the other`,
    );
  }
  return [...names];
}
