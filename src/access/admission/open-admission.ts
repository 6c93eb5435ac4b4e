import type { Admission } from '../contract/admission.ts';
import type { Principal } from '../contract/principal.ts';
import { connectionPrincipal } from './connection-principal.ts';

/** Admission of a client whose route has no access settings and no limits. */
export class OpenAdmission implements Admission {
  readonly address: string;
  readonly meter = null;
  endsAt = Infinity;
  /** The subject of its certificate. Empty without one. */
  readonly #subject: string;

  /**
   * @param address the client's IP address, copied: a slice of a head would keep the whole head in memory
   * @param subject copied for the same reason
   */
  constructor(address: string, subject: string) {
    this.address = address;
    this.#subject = subject;
  }

  get principal(): Principal {
    return connectionPrincipal(this.address, this.#subject);
  }

  release(): void {
    // Holds nothing.
  }
}
