import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

const SCHEME = /^bearer +(\S+) *$/i;

/** Checks the token of requests, sent as `Authorization: Bearer TOKEN` (RFC 6750 section 2.1). */
export class BearerToken {
  readonly #key = randomBytes(32);
  readonly #digest: Buffer;

  constructor(token: string) {
    this.#digest = this.#digestOf(token);
  }

  /** Whether the header has the token. The time does not depend on the token or its length. */
  admits(authorization: string | undefined): boolean {
    const shown = SCHEME.exec(authorization ?? '')?.[1];
    return shown !== undefined && timingSafeEqual(this.#digestOf(shown), this.#digest);
  }

  #digestOf(token: string): Buffer {
    return createHmac('sha256', this.#key).update(token).digest();
  }
}
