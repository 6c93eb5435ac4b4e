import type { Admission } from '../contract/admission.ts';
import type { LimitHolds } from '../contract/limit-guard.ts';
import type { Principal } from '../contract/principal.ts';
import type { TrafficMeter } from '../contract/traffic-meter.ts';

/** Admission of a client that passed all checks. */
export class CheckedAdmission implements Admission {
  readonly address: string;
  readonly principal: Principal;
  endsAt: number;
  readonly #holds: LimitHolds | null;

  /** @param holds null without limits */
  constructor(address: string, principal: Principal, endsAt: number, holds: LimitHolds | null) {
    this.address = address;
    this.principal = principal;
    this.endsAt = endsAt;
    this.#holds = holds;
  }

  get meter(): TrafficMeter | null {
    return this.#holds === null ? null : this.#holds.meter;
  }

  release(): void {
    this.#holds?.release();
  }
}
