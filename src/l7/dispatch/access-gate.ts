import type { AccessRefusal } from '../../access/access-check.ts';
import { AccessCheck, isEntry } from '../../access/access-check.ts';
import type { RouteAccess } from '../../access/route-access.ts';
import type { LogSettings } from '../../config/types/config.ts';
import type { LiveMember, LiveSet } from '../../core/collections/live-set.ts';
import type { TimerWheel } from '../../core/timing/timer-wheel.ts';
import { principalField } from '../access-log/principal-field.ts';
import type { Entrant } from '../websocket/handshakes/handshake-gate.ts';
import type { ClusterGate } from '../websocket/handshakes/handshake-gate.ts';
import type { Answers } from './answers.ts';
import { PendingAccess } from './pending-access.ts';
import type { Routed, RouteHandler } from './route-handler.ts';

/** What the checks of one route share. */
export interface AccessGateTerms {
  readonly access: RouteAccess;
  /** The name of the route. */
  readonly route: string;
  readonly answers: Answers;
  readonly wheel: TimerWheel;
  /** Max time of a check, in milliseconds. */
  readonly timeoutMs: number;
  readonly principal: LogSettings['principal'];
  /** Bounds the handshakes that are checked; null for a route that makes no WebSockets. */
  readonly handshakes: ClusterGate | null;
  /** The checks of handshakes that are under way, for draining. */
  readonly pending: LiveSet<LiveMember & { cancel(): void }>;
}

/** Lets the requests of one route in, or refuses them, before their handler serves them. */
export class AccessGate {
  readonly #terms: AccessGateTerms;
  readonly #handle: RouteHandler;

  constructor(terms: AccessGateTerms, handle: RouteHandler) {
    this.#terms = terms;
    this.#handle = handle;
  }

  readonly handle: RouteHandler = (routed) => {
    const { access, route } = this.#terms;
    const { exchange, request, wantsUpgrade } = routed;
    const { head, client } = exchange;
    const check = new AccessCheck(access, { head, client, route, host: request.host, wantsUpgrade });
    const refusal = check.begin();
    if (refusal !== null) this.refuse(routed, refusal);
    else if (check.needsProof) new PendingAccess(check, routed, this.#terms, this).start();
    else this.enter(routed, check, null);
  };

  /**
   * Serves a request whose credentials are good, unless a limit is reached.
   *
   * @param place what holds the handshake's place at the gate; null for nothing
   */
  enter(routed: Routed, check: AccessCheck, place: Entrant | null): void {
    const entry = check.finish();
    if (!isEntry(entry)) {
      this.refuse(routed, entry);
      return;
    }
    const { exchange } = routed;
    exchange.head = entry.head;
    exchange.admission = entry.admission;
    const principal = principalField(entry.admission.principal, this.#terms.principal);
    if (principal !== undefined) exchange.client = { ...exchange.client, principal };
    this.#handle({ ...routed, entry, place });
  }

  refuse({ exchange, wantsUpgrade }: Routed, refusal: AccessRefusal): void {
    this.#terms.answers.refuseAccess(exchange, refusal, wantsUpgrade);
  }
}
