import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { RouteAccess } from '../../../../src/access/route-access.ts';
import { LiveSet } from '../../../../src/core/collections/live-set.ts';
import { TimerWheel } from '../../../../src/core/timing/timer-wheel.ts';
import { AccessGate } from '../../../../src/l7/dispatch/access-gate.ts';
import type { AccessGateTerms } from '../../../../src/l7/dispatch/access-terms.ts';
import type { PendingAccess } from '../../../../src/l7/dispatch/pending-access.ts';
import type { RoutedRequest } from '../../../../src/l7/dispatch/route-handler.ts';
import type { ClusterGate, Entrant } from '../../../../src/l7/websocket/handshakes/handshake-gate.ts';
import { journalOf, type JournalLine } from '../../../support/journals.ts';
import { FakeLimits, FakeMethod, WRONG, granted, principalOf } from '../../access/fakes.ts';
import { HANDSHAKE, countedAnswers, exchangeOf, routedOf, type FakeExchange } from './exchanges.ts';

const TIMEOUT_MS = 5000;

interface Setting {
  readonly methods?: readonly FakeMethod[];
  readonly limits?: FakeLimits | null;
  /** Where the gate puts handshakes; null for no gate. */
  readonly gated?: Entrant['place'] | null;
  readonly isPlain?: boolean;
}

/** One request at the gate of its route. */
class Stage {
  readonly served: RoutedRequest[] = [];
  readonly exchange: FakeExchange;
  readonly pending = new LiveSet<PendingAccess>();
  readonly requests = new LiveSet<PendingAccess>();
  readonly counted: readonly string[];
  readonly lines: JournalLine[] = [];
  readonly gateLog: string[] = [];
  entrant: Entrant | null = null;
  /** Called by the handler of the route. */
  onServed: (routed: RoutedRequest) => void = () => undefined;
  readonly #wheel = new TimerWheel(0);

  constructor({ methods = [], limits = null, gated = 'inside', isPlain = false }: Setting) {
    const { answers, counted } = countedAnswers(journalOf(this.lines));
    this.counted = counted;
    this.exchange = exchangeOf(isPlain ? {} : { headers: HANDSHAKE });
    const gate: ClusterGate = {
      enter: (entrant) => {
        this.entrant = entrant;
        if (gated !== null) entrant.place = gated;
        return gated !== 'outside';
      },
      leave: (entrant) => {
        entrant.place = 'outside';
        this.gateLog.push('left');
      },
      transfer: (from) => {
        from.place = 'outside';
        this.gateLog.push('passed');
      },
      countTimeout: () => this.gateLog.push('waited too long'),
    };
    const revocations = { isRevoked: () => false };
    const access = { addresses: null, origins: null, methods, limits, revocations, endOf: () => Infinity };
    const terms = {
      access: access as unknown as RouteAccess,
      route: 'all',
      answers,
      wheel: this.#wheel,
      timeoutMs: TIMEOUT_MS,
      principal: 'plain' as const,
      handshakes: gated === null ? null : gate,
      pending: gated === null ? null : (this.pending as unknown as AccessGateTerms['pending']),
      requests: this.requests as unknown as AccessGateTerms['requests'],
    };
    new AccessGate(terms, (routed) => {
      this.served.push(routed);
      if (routed.place !== null) gate.transfer(routed.place, { ...routed.place });
      this.onServed(routed);
    }).handle(routedOf(this.exchange));
  }

  advance(ms: number): void {
    this.#wheel.advance(this.#wheel.now + ms);
  }

  get answer(): readonly [status: number, body: string] {
    return [this.exchange.reply.status, this.exchange.reply.body.trim()];
  }
}

describe('the gate of a route', () => {
  it('serves a request with its entry, and adds the principal to its access lines', () => {
    const stage = new Stage({ methods: [new FakeMethod(granted({ principal: principalOf('alice') }))] });
    assert.equal(stage.served.length, 1);
    assert.equal(stage.served[0]!.entry?.admission.principal.name, 'alice');
    assert.equal(stage.exchange.client.principal, 'jwt:alice');
    assert.equal(stage.exchange.admission, stage.served[0]!.entry.admission);
  });

  it('sends endpoints the head without the credential', () => {
    const head = { method: 'GET', path: '/', query: '', headers: [] };
    const stage = new Stage({ methods: [new FakeMethod(granted({ head }))] });
    assert.equal(stage.exchange.head, head);
  });

  it("refuses with the method's answer, and counts a handshake", () => {
    const stage = new Stage({ methods: [new FakeMethod(WRONG)] });
    assert.deepEqual(stage.answer, [401, 'wrong password']);
    assert.equal(stage.exchange.reply.header('WWW-Authenticate'), 'Basic realm="a"');
    assert.ok(stage.counted.includes('handshake access'));
    assert.ok(stage.counted.includes('access bad_password'));
    assert.equal(stage.served.length, 0);
  });

  it('refuses by a limit, and counts a plain request', () => {
    const stage = new Stage({ limits: new FakeLimits('address'), isPlain: true });
    assert.deepEqual(stage.answer, [429, 'too many handshakes']);
    assert.equal(stage.exchange.reply.header('Retry-After'), '1');
    assert.ok(stage.counted.includes('refused limit'));
  });

  it('treats a handshake as a plain request if the route has no WebSockets', () => {
    const method = new FakeMethod(granted());
    new Stage({ methods: [method], gated: null });
    assert.equal(method.asked[0]?.wantsUpgrade, false);
  });

  it('transfers the place of a handshake to its upgrade', () => {
    const stage = new Stage({ methods: [new FakeMethod(granted())] });
    assert.deepEqual(stage.gateLog, ['passed']);
  });

  it('releases its place if the handshake is refused', () => {
    const stage = new Stage({ methods: [new FakeMethod(WRONG)] });
    assert.deepEqual(stage.gateLog, ['left']);
  });

  it('takes no place if no credentials are checked', () => {
    const stage = new Stage({});
    assert.equal(stage.entrant, null);
    assert.equal(stage.served[0]!.place, null);
  });

  it('refuses a handshake without room at the gate, before any check', () => {
    const method = new FakeMethod(granted());
    const stage = new Stage({ methods: [method], gated: 'outside' });
    assert.equal(stage.answer[0], 503);
    assert.equal(method.asked.length, 0);
  });

  it('checks a handshake when the gate admits it', () => {
    const method = new FakeMethod(granted());
    const stage = new Stage({ methods: [method], gated: 'queued' });
    assert.equal(method.asked.length, 0);
    stage.entrant!.place = 'inside';
    stage.entrant!.admitted();
    assert.equal(stage.served.length, 1);
    assert.equal(stage.pending.size, 0);
  });

  it('refuses a handshake that waited too long at the gate', () => {
    const stage = new Stage({ methods: [new FakeMethod(granted())], gated: 'queued' });
    stage.advance(TIMEOUT_MS + 200);
    assert.equal(stage.answer[0], 503);
    assert.deepEqual(stage.gateLog, ['waited too long', 'left']);
  });

  it('serves a request after an asynchronous acceptance', () => {
    const method = new FakeMethod('later');
    const stage = new Stage({ methods: [method] });
    assert.equal(stage.served.length, 0);
    assert.equal(stage.exchange.awaitsUpgrade, true);
    assert.deepEqual([stage.pending.size, stage.requests.size], [1, 0]);
    // A revocation looks at the admissions of all handshakes.
    assert.deepEqual(
      [...stage.pending].map(({ admission }) => admission),
      [null],
    );
    method.decide(granted());
    assert.equal(stage.served.length, 1);
    assert.equal(stage.exchange.awaitsUpgrade, false);
    assert.equal(stage.pending.size, 0);
    assert.deepEqual(stage.gateLog, ['passed']);
  });

  it('refuses a request after an asynchronous refusal', () => {
    const method = new FakeMethod('later');
    const stage = new Stage({ methods: [method] });
    method.decide(WRONG);
    assert.deepEqual(stage.answer, [401, 'wrong password']);
    assert.deepEqual(stage.gateLog, ['left']);
  });

  it('answers 504 if the check takes too long', () => {
    const method = new FakeMethod('later');
    const limits = new FakeLimits();
    const stage = new Stage({ methods: [method], limits });
    stage.advance(TIMEOUT_MS + 200);
    assert.equal(stage.answer[0], 504);
    assert.equal(method.cancelled, 1);
    assert.equal(limits.held, 0);
    assert.deepEqual(stage.gateLog, ['left']);
  });

  it('cancels the check when its client disconnects', () => {
    const method = new FakeMethod('later');
    const limits = new FakeLimits();
    const stage = new Stage({ methods: [method], limits });
    stage.exchange.reply.abort();
    assert.equal(method.cancelled, 1);
    assert.equal(limits.held, 0);
    assert.equal(stage.pending.size, 0);
    assert.ok(stage.counted.includes('handshake client_gone'));
    assert.deepEqual(stage.gateLog, ['left']);
  });

  it('refuses pending checks when the worker drains', () => {
    const method = new FakeMethod('later');
    const stage = new Stage({ methods: [method] });
    for (const check of stage.pending) check.cancel();
    assert.deepEqual(stage.answer, [503, 'the proxy is draining']);
    assert.equal(method.cancelled, 1);
  });

  it('logs why a plain request was abandoned', () => {
    const stage = new Stage({ methods: [new FakeMethod('later')], isPlain: true });
    for (const check of stage.requests) check.cancel();
    const [line] = stage.lines;
    assert.deepEqual([line?.status, line?.reason, line?.detail], [503, 'draining', 'the proxy is draining']);
  });

  it('checks plain requests without a place at the gate', () => {
    const method = new FakeMethod('later');
    const stage = new Stage({ methods: [method], isPlain: true });
    assert.equal(stage.entrant, null);
    assert.equal(stage.exchange.awaitsUpgrade, false);
    // A drain refuses handshakes, and lets requests end.
    assert.deepEqual([stage.pending.size, stage.requests.size], [0, 1]);
    method.decide(granted());
    assert.equal(stage.served.length, 1);
    assert.equal(stage.requests.size, 0);
  });
});
