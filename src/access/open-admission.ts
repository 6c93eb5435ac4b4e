import type { Admission } from './contract/admission.ts';
import type { Principal } from './contract/principal.ts';

/** The admission of a client of which nothing was asked. */
export class OpenAdmission implements Admission {
  readonly address: string;
  readonly meter = null;
  endsAt = Infinity;

  /** @param address the client's IP address. It must be no part of a head, which would be kept whole. */
  constructor(address: string) {
    this.address = address;
  }

  get principal(): Principal {
    return {
      kind: 'address',
      name: this.address,
      issuedAt: null,
      expiresAt: Infinity,
      claims: null,
    };
  }

  release(): void {
    // It holds nothing.
  }
}
