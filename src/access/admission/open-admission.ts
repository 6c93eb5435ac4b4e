import type { Admission } from '../contract/admission.ts';
import type { Principal } from '../contract/principal.ts';
import { connectionPrincipal } from './connection-principal.ts';

/** The admission of a client whose route has no access settings and no limits. */
export class OpenAdmission implements Admission {
  readonly address: string;
  readonly meter = null;
  endsAt = Infinity;
  /** The subject of its certificate; empty without one. */
  readonly #subject: string;

  /**
   * @param address the client's IP address
   * @param subject a copy, as is the address: a part of a head would keep the whole head in memory
   */
  constructor(address: string, subject: string) {
    this.address = address;
    this.#subject = subject;
  }

  get principal(): Principal {
    return connectionPrincipal(this.address, this.#subject);
  }

  release(): void {
    // It holds nothing.
  }
}
