import { parseStrictObject, type JsonObject } from './strict-json.ts';
import type { TokenProblem } from './token-problems.ts';

/** A well-formed token in the compact form of RFC 7515. Not verified yet. */
export interface ParsedToken {
  readonly text: string;
  readonly algorithm: string;
  /** Its key's name. Null if it names none. */
  readonly keyName: string | null;
  readonly claims: JsonObject;
}

/** Max length of a token. */
export const MAX_TOKEN_BYTES = 8192;
/** Max length of a key name. */
const MAX_KEY_NAME_CHARACTERS = 256;
const BASE64URL = /^[A-Za-z0-9_-]+$/;

/** Parses a token strictly: other parsers of the same bytes must get the same header and claims. */
export function parseToken(text: string): ParsedToken | TokenProblem {
  if (text.length > MAX_TOKEN_BYTES) return 'long';
  const parts = text.split('.', 6);
  if (parts.length === 5) return 'encrypted';
  if (parts.length !== 3) return 'parts';
  const [headerBytes = null, claimBytes = null, signature = null] = parts.map(decode);
  // An unsigned token has an empty third part. If the rest is well formed, its algorithm identifies it.
  if (headerBytes === null || claimBytes === null || (signature === null && parts[2] !== '')) return 'parts';
  const header = parseStrictObject(headerBytes);
  if (header === 'malformed') return 'header';
  if (header === 'duplicated') return 'headerNames';
  const { alg, kid = null } = header;
  if (typeof alg !== 'string') return 'header';
  if (kid !== null && (typeof kid !== 'string' || kid.length > MAX_KEY_NAME_CHARACTERS)) return 'keyName';
  // `crit` lists extensions that the recipient must understand (RFC 7515 section 4.1.11), such as `b64` (RFC
  // 7797). None is supported.
  if (header.crit !== undefined || header.b64 !== undefined) return 'critical';
  if (header.enc !== undefined) return 'encrypted';
  if (typeof header.cty === 'string' && /^(?:application\/)?jwt$/i.test(header.cty)) return 'nested';
  const claims = parseStrictObject(claimBytes);
  if (claims === 'malformed') return 'claims';
  if (claims === 'duplicated') return 'claimNames';
  if (!hasDates(claims)) return 'dates';
  return { text, algorithm: alg, keyName: kid, claims };
}

/** Decodes a part. Null if it is empty or not canonical base64url. */
function decode(part: string): Buffer | null {
  if (!BASE64URL.test(part)) return null;
  const bytes = Buffer.from(part, 'base64url');
  return bytes.toString('base64url') === part ? bytes : null;
}

/** Whether all dates are valid NumericDate values (RFC 7519 section 2). */
function hasDates({ exp, nbf, iat }: JsonObject): boolean {
  return isDate(exp) && isDate(nbf) && isDate(iat);
}

function isDate(value: unknown): boolean {
  return value === undefined || (typeof value === 'number' && Number.isFinite(value) && value >= 0);
}
