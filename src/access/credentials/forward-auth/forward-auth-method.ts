import type { ForwardAuthSettings } from '../../../config/types/access.ts';
import { FairQueue } from '../../../core/collections/fair-queue.ts';
import { BurstLimit } from '../../../core/timing/burst-limit.ts';
import { networkOf } from '../../../wire/ip-address.ts';
import type { AccessRequest } from '../../contract/access-request.ts';
import type { AccessServices } from '../../contract/access-services.ts';
import type {
  CheckOwner,
  CredentialMethod,
  Decision,
  PendingCheck,
} from '../../contract/credential-method.ts';
import { refusedAsRevoked } from '../../contract/revoked.ts';
import { authRequestHeaders } from './auth-headers.ts';
import type { AuthAnswer, AuthCall, AuthCallOwner, AuthTransport } from './auth-transport.ts';
import { failure, grant, verdictOn } from './auth-verdict.ts';
import { NodeAuthTransport } from './node-auth-transport.ts';

/** Max checks that wait for one of `maxConcurrent` places. */
const MAX_WAITING = 1024;
/** Rate limit of log lines about server failures. */
const FAILURE_LINE_LIMIT = { burst: 3, everyMs: 10_000 };

type Services = Pick<AccessServices, 'log' | 'yieldToNode' | 'revocations'>;
type TransportMaker = (url: string, maxConnections: number, yieldToNode: () => void) => AuthTransport;

/** Asks a server about each request, like Traefik's ForwardAuth and nginx's auth_request. */
export class ForwardAuthMethod implements CredentialMethod {
  readonly #settings: ForwardAuthSettings;
  readonly #services: Services;
  readonly #transport: AuthTransport;
  readonly #listed: ReadonlySet<string>;
  readonly #line = new FairQueue<ForwardCheck>();
  readonly #lines = new BurstLimit(() => performance.now(), FAILURE_LINE_LIMIT);
  /** Number of responses so far. Growth shows that the server works. */
  answers = 0;
  #inFlight = 0;

  constructor(
    settings: ForwardAuthSettings,
    services: Services,
    makeTransport: TransportMaker = (...args) => new NodeAuthTransport(...args),
  ) {
    this.#settings = settings;
    this.#services = services;
    this.#listed = new Set(settings.headers);
    this.#transport = makeTransport(settings.url, settings.maxConcurrent, services.yieldToNode);
  }

  check(request: AccessRequest, owner: CheckOwner): Decision | PendingCheck {
    const { maxConcurrent, timeoutMs } = this.#settings;
    const check = new ForwardCheck(this, owner, request);
    if (this.#inFlight < maxConcurrent) {
      this.#ask(check);
    } else {
      // Clients take turns, so a client with a full share of the queue displaces only itself.
      if (this.#line.size >= MAX_WAITING) {
        const displaced = this.#line.evictFor(check.source);
        if (displaced === null) return failure('too many requests are waiting');
        displaced.decide(failure('too many requests are waiting'));
      }
      check.hasWaited = true;
      this.#line.push(check);
    }
    check.startTimer(timeoutMs);
    this.#services.yieldToNode();
    return check;
  }

  /** Decides on the server's response. */
  judge(answer: AuthAnswer): Decision {
    this.answers++;
    const decision = verdictOn(answer, this.#settings.headers);
    if (!decision.granted) {
      if (decision.reason === 'forward_auth_failed') this.#report(`status ${answer.status}`);
      return decision;
    }
    const { principal } = decision;
    if (principal === null || !this.#services.revocations.isRevoked(principal)) return decision;
    return refusedAsRevoked(principal);
  }

  /**
   * Decides without a response.
   *
   * @param isCrowdedOut whether other requests caused the failure, rather than the server
   */
  judgeFailure(problem: string, isCrowdedOut: boolean): Decision {
    this.#report(problem);
    if (isCrowdedOut) return failure('too many requests are waiting');
    return this.#settings.onFailure === 'admit' ? grant(null, []) : failure('no answer');
  }

  /** Cancels the call of an abandoned check. Its connection closes in a turn of Node. */
  abandon(call: AuthCall): void {
    call.cancel();
    this.#services.yieldToNode();
  }

  /** Removes an abandoned check from the queue. */
  forget(check: ForwardCheck): void {
    this.#line.delete(check);
  }

  /** Passes a check's place to the next one. */
  leave(): void {
    this.#inFlight--;
    const next = this.#line.shift();
    if (next !== null) this.#ask(next);
  }

  #ask(check: ForwardCheck): void {
    this.#inFlight++;
    check.call = this.#transport.ask(authRequestHeaders(check.request, this.#listed), check);
  }

  #report(problem: string): void {
    const failures = this.#lines.take();
    if (failures === 0) return;
    const { origin, pathname } = new URL(this.#settings.url);
    this.#services.log.warn(
      { url: `${origin}${pathname}`, problem, failures },
      'forward authentication failed',
    );
  }
}

/** Check of one request. It waits for its place, then for the response. */
class ForwardCheck implements PendingCheck, AuthCallOwner {
  readonly source: string;
  readonly request: AccessRequest;
  /** Null while the check waits for its place. */
  call: AuthCall | null = null;
  /** Whether the check had to wait for a place. */
  hasWaited = false;
  readonly #method: ForwardAuthMethod;
  readonly #owner: CheckOwner;
  readonly #answersBefore: number;
  #timer: NodeJS.Timeout | undefined;
  #isLate = false;
  #isOver = false;

  constructor(method: ForwardAuthMethod, owner: CheckOwner, request: AccessRequest) {
    this.#method = method;
    this.#answersBefore = method.answers;
    this.#owner = owner;
    this.request = request;
    this.source = networkOf(request.client.address);
  }

  /** Limits the total time of the check, including the wait for its place and the rest of the body. */
  startTimer(timeoutMs: number): void {
    this.#timer = setTimeout(() => this.#expire(), timeoutMs);
  }

  cancel(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#end();
  }

  /** Calls the owner, unless the check is already decided or cancelled. */
  decide(decision: Decision): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (this.call === null) this.#end();
    this.#owner.decided(decision);
  }

  answered(answer: AuthAnswer): void {
    if (!this.#isOver) this.decide(this.#method.judge(answer));
  }

  failed(problem: string): void {
    if (!this.#isOver) this.decide(this.#method.judgeFailure(problem, this.#isCrowdedOut));
  }

  /**
   * Whether the time ran out in the queue while the server answered others. `admit` is not meant for floods.
   */
  get #isCrowdedOut(): boolean {
    return this.#isLate && this.hasWaited && this.#method.answers > this.#answersBefore;
  }

  closed(): void {
    clearTimeout(this.#timer);
    this.#method.leave();
  }

  #expire(): void {
    this.#isLate = true;
    if (this.call !== null) {
      this.call.expire();
      return;
    }
    this.#end();
    this.failed('timeout');
  }

  #end(): void {
    clearTimeout(this.#timer);
    if (this.call === null) this.#method.forget(this);
    else this.#method.abandon(this.call);
  }
}
