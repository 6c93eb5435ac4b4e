import type { JwtSettings } from '../../../config/types/access.ts';
import { toByteText } from '../../../core/byte-text.ts';
import { hasControlCharacter } from '../../../wire/http/field-value.ts';
import { trimOws } from '../../../wire/http/request-head.ts';
import type { Principal } from '../../contract/principal.ts';
import type { JsonObject } from './strict-json.ts';
import type { TokenProblem } from './token-problems.ts';

type ClaimSettings = Pick<JwtSettings, 'issuers' | 'audiences' | 'leewayMs' | 'requiredClaims' | 'forward'>;

/** Max length of a subject. OpenID Connect Core section 2 allows 255. */
const MAX_SUBJECT_CHARACTERS = 512;
/** Max length of a claim in a header. */
const MAX_HEADER_BYTES = 4096;
/** Max time value of a Date (ECMA-262). */
const MAX_DATE_MS = 8.64e15;

/** A route's requirements for the claims of a token. */
export class TokenRules {
  readonly #settings: ClaimSettings;

  constructor(settings: ClaimSettings) {
    this.#settings = settings;
  }

  /** Checks all claims. Returns null if they are valid. @param now milliseconds since 1970 */
  problemOf(claims: JsonObject, now: number): TokenProblem | null {
    const { issuers, audiences, leewayMs, requiredClaims } = this.#settings;
    const { iss, aud, sub } = claims;
    if (millisecondsOf(claims.exp, Infinity) <= now - leewayMs) return 'expired';
    if (millisecondsOf(claims.nbf, 0) > now + leewayMs) return 'early';
    if (millisecondsOf(claims.iat, 0) > now + leewayMs) return 'early';
    if (issuers.length > 0 && !(typeof iss === 'string' && issuers.includes(iss))) return 'issuer';
    if (audiences.length > 0 && !isFor(aud, audiences)) return 'audience';
    if (!isSubject(sub)) return 'subject';
    for (const [name, accepted] of requiredClaims) {
      if (!hasOneOf(name, claims[name], accepted)) return 'required';
    }
    return null;
  }

  /**
   * Returns the claims for endpoints as headers: name, value, name, value ... Returns `forward` if one cannot
   * be a header.
   */
  forwardedOf(claims: JsonObject): readonly string[] | 'forward' {
    const { forward } = this.#settings;
    if (forward.size === 0) return NONE;
    const headers: string[] = [];
    for (const [header, claim] of forward) {
      const text = headerTextOf(claims[claim]);
      if (text === null) return 'forward';
      if (text !== '') headers.push(header, text);
    }
    return headers;
  }
}

const NONE: readonly string[] = [];

/** Returns the principal of a token. @param claims must have passed {@link TokenRules.problemOf} */
export function principalOf(claims: JsonObject): Principal {
  const { sub, iat, exp } = claims;
  const expiresAt = millisecondsOf(exp, Infinity);
  return {
    kind: 'jwt',
    name: sub as string,
    issuedAt: iat === undefined ? null : millisecondsOf(iat, 0),
    // A later time cannot be formatted as a date.
    expiresAt: expiresAt > MAX_DATE_MS ? Infinity : expiresAt,
    claims,
  };
}

function millisecondsOf(date: unknown, missing: number): number {
  return typeof date === 'number' ? date * 1000 : missing;
}

function isFor(audience: unknown, accepted: readonly string[]): boolean {
  if (typeof audience === 'string') return accepted.includes(audience);
  return Array.isArray(audience) && audience.some((member) => accepted.includes(member as string));
}

/** Whether a claim is a valid subject: the principal's name, which people read on terminals. */
function isSubject(sub: unknown): boolean {
  return (
    typeof sub === 'string' && sub !== '' && sub.length <= MAX_SUBJECT_CHARACTERS && !hasControlCharacter(sub)
  );
}

function hasOneOf(name: string, claim: unknown, accepted: readonly string[]): boolean {
  // OAuth scopes are one string separated by spaces (RFC 8693 section 4.2).
  const value = name === 'scope' && typeof claim === 'string' ? claim.split(' ') : claim;
  if (!Array.isArray(value)) return accepts(value, accepted);
  return value.some((member) => accepts(member, accepted));
}

function accepts(value: unknown, accepted: readonly string[]): boolean {
  const text = textOf(value);
  return text !== null && accepted.includes(text);
}

function textOf(value: unknown): string | null {
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : null;
}

/** Encodes a claim as a byte text. Empty if there is nothing to forward, null if it cannot be a header. */
function headerTextOf(claim: unknown): string | null {
  const texts = Array.isArray(claim) ? claim.map(textOf) : [textOf(claim)];
  // An object, or an array that contains one.
  if (texts.includes(null)) return '';
  // An endpoint would trim the spaces and take the user " admin" for "admin".
  if (texts.some((text) => trimOws(text!) !== text)) return null;
  // An endpoint would read a member with a comma as two.
  if (Array.isArray(claim) && texts.some((text) => text!.includes(','))) return null;
  const text = texts.join(',');
  if (hasControlCharacter(text) || !text.isWellFormed()) return null;
  const bytes = toByteText(text);
  return bytes.length > MAX_HEADER_BYTES ? null : bytes;
}
