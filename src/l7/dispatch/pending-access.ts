import type { AccessCheck, AccessCheckOwner, AccessRefusal } from '../../access/access-check.ts';
import { Timed } from '../../core/timing/timer-wheel.ts';
import { networkOf } from '../../wire/ip-address.ts';
import type { Entrant } from '../websocket/handshakes/handshake-gate.ts';
import type { AccessGateTerms, CheckedRequests } from './access-terms.ts';
import type { RoutedRequest } from './route-handler.ts';

/**
 * An asynchronous check of one request's credentials. A handshake holds a place at its gate during the check,
 * and passes the place on to its upgrade.
 */
export class PendingAccess extends Timed implements Entrant, AccessCheckOwner {
  liveIndex = -1;
  /** Null: nobody is admitted yet. At its end, the check itself asks whether its principal is revoked. */
  readonly admission = null;
  place: Entrant['place'] = 'outside';
  readonly #check: AccessCheck;
  readonly #routed: RoutedRequest;
  readonly #terms: AccessGateTerms;
  readonly #gate: CheckedRequests;
  /** Deadline of the check, by the wheel's clock. */
  readonly #deadline: number;
  #isOver = false;

  constructor(check: AccessCheck, routed: RoutedRequest, terms: AccessGateTerms, gate: CheckedRequests) {
    super();
    this.#check = check;
    this.#routed = routed;
    this.#terms = terms;
    this.#gate = gate;
    this.#deadline = terms.wheel.now + terms.timeoutMs;
  }

  /** Starts the check. The client may be answered before this returns. */
  start(): void {
    const { handshakes } = this.#terms;
    if (handshakes === null || !this.#routed.wantsUpgrade) {
      this.#prove();
    } else if (!handshakes.enter(this)) {
      this.#check.cancel();
      this.#refuseHandshake(503, 'too many handshakes are waiting', 'overload');
    } else if (this.place === 'queued') {
      this.#wait();
    } else {
      this.#prove();
    }
  }

  get source(): string {
    return networkOf(this.#routed.exchange.client.address);
  }

  admitted(): void {
    this.#prove();
    this.#touch();
  }

  displaced(): void {
    this.#check.cancel();
    this.#end();
    this.#refuseHandshake(503, 'too many handshakes from this address are waiting', 'overload');
    this.#touch();
  }

  credentialsAccepted(): void {
    this.#end();
    this.#enter();
    this.#touch();
  }

  refused(refusal: AccessRefusal): void {
    this.#end();
    this.#gate.refuse(this.#routed, refusal);
    this.#leave();
    this.#touch();
  }

  /** Cancels the check because the worker is draining. */
  cancel(): void {
    this.#giveUp(503, 'the proxy is draining', 'draining');
  }

  override expire(): void {
    if (this.place === 'queued') {
      this.#terms.handshakes?.countTimeout();
      this.#giveUp(503, 'the handshake waited too long in the queue', 'overload');
    } else {
      this.#giveUp(504, 'the credentials could not be checked in time', 'timeout');
    }
  }

  #prove(): void {
    const result = this.#check.checkCredentials(this);
    if (result === 'pending') {
      this.#wait();
      return;
    }
    this.#end();
    if (result === null) this.#enter();
    else this.#gate.refuse(this.#routed, result);
    this.#leave();
  }

  #enter(): void {
    this.#gate.enter(this.#routed, this.#check, this.place === 'inside' ? this : null);
    // Does nothing if the upgrade has taken the place over.
    this.#leave();
  }

  /** Waits for the gate or the check, until the deadline passes or the client disconnects. */
  #wait(): void {
    if (this.#isOver) return;
    const { wheel, pending, requests } = this.#terms;
    const { exchange, wantsUpgrade } = this.#routed;
    if (wantsUpgrade && pending !== null) pending.add(this);
    else requests.add(this);
    exchange.awaitsUpgrade = wantsUpgrade;
    wheel.arm(this, this.#deadline - wheel.now);
    exchange.reply.onAborted(() => this.#clientGone());
  }

  #clientGone(): void {
    if (this.#isOver) return;
    this.#check.cancel();
    this.#end();
    this.#terms.answers.clientGone(this.#routed.exchange, this.#routed.wantsUpgrade);
    this.#leave();
  }

  #giveUp(status: 503 | 504, detail: string, failure: 'draining' | 'overload' | 'timeout'): void {
    if (this.#isOver) return;
    this.#check.cancel();
    this.#end();
    this.#refuseHandshake(status, detail, failure);
    this.#leave();
    this.#touch();
  }

  #refuseHandshake(status: 503 | 504, detail: string, failure: 'draining' | 'overload' | 'timeout'): void {
    const { answers } = this.#terms;
    const { exchange, wantsUpgrade } = this.#routed;
    if (wantsUpgrade) answers.refuseHandshake(exchange, status, detail, failure);
    else answers.refuse(exchange, status, detail, null, failure);
  }

  #end(): void {
    this.#isOver = true;
    const { wheel, pending, requests } = this.#terms;
    wheel.disarm(this);
    pending?.delete(this);
    requests.delete(this);
    this.#routed.exchange.awaitsUpgrade = false;
  }

  #leave(): void {
    if (this.place !== 'outside') this.#terms.handshakes?.leave(this);
  }

  #touch(): void {
    this.#routed.exchange.engine.clientsTouched();
  }
}
