import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

const SCHEME = /^bearer +(\S+) *$/i;

/** The secret that a request must show as `Authorization: Bearer TOKEN` (RFC 6750 section 2.1). */
export class BearerToken {
  readonly #key = randomBytes(32);
  readonly #digest: Buffer;

  constructor(token: string) {
    this.#digest = this.#digestOf(token);
  }

  /** Whether the header shows it. The time that this takes tells nothing of the token, its length included. */
  admits(authorization: string | undefined): boolean {
    const shown = SCHEME.exec(authorization ?? '')?.[1];
    return shown !== undefined && timingSafeEqual(this.#digestOf(shown), this.#digest);
  }

  #digestOf(token: string): Buffer {
    return createHmac('sha256', this.#key).update(token).digest();
  }
}
