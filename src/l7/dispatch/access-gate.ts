import { AccessCheck, isEntry, type AccessRefusal } from '../../access/access-check.ts';
import { principalField } from '../access-log/principal-field.ts';
import type { Entrant } from '../websocket/handshakes/handshake-gate.ts';
import type { AccessGateTerms, CheckedRequests } from './access-terms.ts';
import { PendingAccess } from './pending-access.ts';
import type { RoutedRequest, RouteHandler } from './route-handler.ts';

/** Admits or refuses the requests of one route before their handler serves them. */
export class AccessGate implements CheckedRequests {
  readonly #terms: AccessGateTerms;
  readonly #handle: RouteHandler;

  constructor(terms: AccessGateTerms, handle: RouteHandler) {
    this.#terms = terms;
    this.#handle = handle;
  }

  readonly handle: RouteHandler = (routed) => {
    const { access, route, handshakes } = this.#terms;
    const { exchange, request } = routed;
    // An Upgrade header must not help a plain request around the request limits.
    const wantsUpgrade = routed.wantsUpgrade && handshakes !== null;
    const { head, client } = exchange;
    const { host, path } = request;
    const check = new AccessCheck(access, { head, client, route, host, path, wantsUpgrade });
    const refusal = check.begin();
    if (refusal !== null) this.refuse(routed, refusal);
    else if (check.needsCredentials) new PendingAccess(check, routed, this.#terms, this).start();
    else this.enter(routed, check, null);
  };

  enter(routed: RoutedRequest, check: AccessCheck, place: Entrant | null): void {
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

  refuse({ exchange, wantsUpgrade }: RoutedRequest, refusal: AccessRefusal): void {
    this.#terms.answers.refuseAccess(exchange, refusal, wantsUpgrade);
  }
}
