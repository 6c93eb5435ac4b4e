/** How a client has proven who it is. `address` stands for a client that has proven nothing. */
type PrincipalKind = 'jwt' | 'basic' | 'forward' | 'cert' | 'address';

/** Who a client is proven to be. */
export interface Principal {
  readonly kind: PrincipalKind;
  /** The name without the kind: a subject, a user, an address. */
  readonly name: string;
  /** When the credential was issued, in milliseconds since 1970; null if it does not say. */
  readonly issuedAt: number | null;
  /** When the credential expires, in milliseconds since 1970; Infinity for never. */
  readonly expiresAt: number;
  /** The claims of a token; null without one. */
  readonly claims: Readonly<Record<string, unknown>> | null;
}

/** Writes a principal with its kind: `jwt:alice`. */
export function labelOf({ kind, name }: Pick<Principal, 'kind' | 'name'>): string {
  return `${kind}:${name}`;
}
