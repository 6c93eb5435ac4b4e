/** How a client authenticated. `address` for a client that did not. */
type PrincipalKind = 'jwt' | 'basic' | 'forward' | 'cert' | 'address';

/** An identified client. */
export interface Principal {
  readonly kind: PrincipalKind;
  /** The name without the kind: a subject, a user, or an address. */
  readonly name: string;
  /** When the credential was issued, in milliseconds since 1970. Null if unknown. */
  readonly issuedAt: number | null;
  /** When the credential expires, in milliseconds since 1970. Infinity for never. */
  readonly expiresAt: number;
  /** The claims of a token. Null without one. */
  readonly claims: Readonly<Record<string, unknown>> | null;
}

/** Formats a principal with its kind: `jwt:alice`. */
export function labelOf({ kind, name }: Pick<Principal, 'kind' | 'name'>): string {
  return `${kind}:${name}`;
}
