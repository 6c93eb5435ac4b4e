import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Admission } from '../../../../src/access/contract/admission.ts';
import type { RevocationList } from '../../../../src/access/contract/access-services.ts';
import type { Principal } from '../../../../src/access/contract/principal.ts';
import { TimerWheel } from '../../../../src/core/timing/timer-wheel.ts';
import type { SessionAnswer, SessionQuestion } from '../../../../src/protocol/access.ts';
import {
  SessionAnswers,
  type KnownSession,
  type SessionGroup,
} from '../../../../src/worker/access/session-answers.ts';

const NOW = Date.UTC(2030, 0, 1);
/** Until when the revocation of a token that never expires is known. */
const FOR_EVER = Date.parse('9999-12-31T23:59:59.999Z');
const RUN = 'b0';

/** A session that notes how it was closed, and how often its end was moved. */
class FakeSession implements KnownSession {
  readonly openedAt = NOW - 60_000;
  readonly extensions = '';
  readonly hasEnded = false;
  tap = null;
  readonly endpoint: KnownSession['endpoint'];
  readonly admission: Admission;
  readonly number: number;
  readonly closes: unknown[][] = [];
  rescheduled = 0;

  constructor(
    number: number,
    kind: Principal['kind'],
    name: string,
    others: Partial<Admission & Principal> = {},
    endpoint = '127.0.0.1:9000',
  ) {
    // The cluster has a name in place of the address.
    const server = { kind: 'tcp', host: 'app.internal', port: Number(endpoint.split(':')[1]) } as const;
    this.endpoint = { label: endpoint, server };
    const { expiresAt = Infinity, issuedAt = null, endsAt = expiresAt, address = '192.0.2.1' } = others;
    this.number = number;
    const principal = { kind, name, issuedAt, expiresAt, claims: null };
    this.admission = { address, principal, endsAt, meter: null, release: () => undefined };
  }

  close(code: number, reason: string): boolean {
    this.closes.push([code, reason]);
    return true;
  }

  reschedule(): void {
    this.rescheduled++;
  }
}

function answersOf(
  sessions: Readonly<Record<string, readonly FakeSession[]>>,
  isRevoked: RevocationList['isRevoked'] = () => true,
  handshakes: SessionGroup['handshakes'] = [],
): (question: SessionQuestion) => SessionAnswer {
  const groups = Object.entries(sessions).map(([cluster, members]): SessionGroup => {
    return { listener: 'web', route: 'all', cluster, sessions: members, tunnels: [], handshakes };
  });
  const answers = new SessionAnswers({
    run: RUN,
    wheel: new TimerWheel(0),
    revocations: { isRevoked },
    groups: () => groups,
    now: () => NOW,
  });
  return (question) => answers.answer(question);
}

function list(filter = {}, after: string | null = null, limit = 100): SessionQuestion {
  return { kind: 'list', filter, after, limit };
}

function idsOf({ rows }: SessionAnswer): string[] {
  return rows.map(({ id }) => id);
}

describe('the list of a worker', () => {
  it('shows each session with all fields', () => {
    const expiring = new FakeSession(7, 'jwt', 'alice', { endsAt: NOW + 1000 });
    assert.deepEqual(answersOf({ app: [expiring] })(list()), {
      count: 1,
      rows: [
        {
          id: 'b0-7',
          principal: 'jwt:alice',
          client: '192.0.2.1',
          listener: 'web',
          cluster: 'app',
          endpoint: '127.0.0.1:9000',
          openedAt: '2029-12-31T23:59:00.000Z',
          endsAt: '2030-01-01T00:00:01.000Z',
        },
      ],
      at: null,
    });
  });

  it('shows no end for a session without one', () => {
    const [row] = answersOf({ app: [new FakeSession(1, 'basic', 'bob')] })(list()).rows;
    assert.equal(row?.endsAt, null);
  });

  it('orders sessions by number across clusters', () => {
    const sessions = [9, 100, 8].map((number) => new FakeSession(number, 'jwt', 'alice'));
    const answer = answersOf({ app: sessions, api: [new FakeSession(10, 'jwt', 'alice')] })(list());
    assert.deepEqual(idsOf(answer), ['b0-8', 'b0-9', 'b0-10', 'b0-100']);
  });

  it('continues after an id, and counts all sessions', () => {
    const sessions = [5, 1, 4, 2, 3].map((number) => new FakeSession(number, 'jwt', 'alice'));
    const ask = answersOf({ app: sessions });
    const first = ask(list({}, null, 2));
    assert.deepEqual([idsOf(first), first.count], [['b0-1', 'b0-2'], 5]);
    const second = ask(list({}, 'b0-2', 2));
    assert.deepEqual([idsOf(second), second.count], [['b0-3', 'b0-4'], 5]);
    assert.deepEqual(idsOf(ask(list({}, 'b0-5', 2))), []);
  });

  it('is whole after an id of an earlier run, and empty after one of a later run', () => {
    const ask = answersOf({ app: [new FakeSession(1, 'jwt', 'alice')] });
    assert.deepEqual(idsOf(ask(list({}, 'a9-500'))), ['b0-1']);
    const behind = ask(list({}, 'c0-0'));
    assert.deepEqual([idsOf(behind), behind.count], [[], 1]);
  });

  for (const [name, filter, ids] of [
    ['a principal', { principal: 'jwt:alice' }, ['b0-1', 'b0-4']],
    ['a bare name, which stands for every kind', { principal: 'alice' }, ['b0-1', 'b0-2', 'b0-4']],
    ['a kind without a name', { principal: 'jwt' }, []],
    ['an address', { client: '192.0.2.9' }, ['b0-3']],
    ['a cluster', { cluster: 'api' }, ['b0-4']],
    ['a listener', { listener: 'web' }, ['b0-1', 'b0-2', 'b0-3', 'b0-4']],
    ['a listener that has none', { listener: 'we' }, []],
    ['an endpoint of any cluster', { endpoint: '127.0.0.1:9001' }, ['b0-2', 'b0-4']],
    ['an endpoint of a cluster', { endpoint: '127.0.0.1:9001', cluster: 'api' }, ['b0-4']],
    ['the name of an endpoint', { endpoint: 'app.internal:9001' }, ['b0-2', 'b0-4']],
    ['the name of an endpoint without its port', { endpoint: 'app.internal' }, []],
    ['the beginning of an endpoint', { endpoint: '127.0.0.1' }, []],
    ['a cluster and a principal', { cluster: 'app', principal: 'jwt:alice' }, ['b0-1']],
  ] as const) {
    it(`can be limited to ${name}`, () => {
      const ask = answersOf({
        app: [
          new FakeSession(1, 'jwt', 'alice'),
          new FakeSession(2, 'basic', 'alice', {}, '127.0.0.1:9001'),
          new FakeSession(3, 'basic', 'malice', { address: '192.0.2.9' }),
        ],
        api: [new FakeSession(4, 'jwt', 'alice', {}, '127.0.0.1:9001')],
      });
      const answer = ask(list(filter));
      assert.deepEqual([idsOf(answer), answer.count], [ids, ids.length]);
    });
  }
});

describe('a close by an operator', () => {
  it('closes only the session of an id, with code and reason', () => {
    const [one, other] = [new FakeSession(1, 'jwt', 'alice'), new FakeSession(11, 'jwt', 'alice')];
    const answer = answersOf({ app: [one, other] })({ kind: 'close', id: 'b0-1', code: 4000, reason: 'bye' });
    assert.deepEqual([answer.count, one.closes, other.closes], [1, [[4000, 'bye']], []]);
  });

  for (const id of ['b0-2', 'b1-1', 'b0-01', 'b0-', '1', '']) {
    it(`finds no session ${JSON.stringify(id)} if only b0-1 exists`, () => {
      const one = new FakeSession(1, 'jwt', 'alice');
      const answer = answersOf({ app: [one] })({ kind: 'close', id, code: 1008, reason: '' });
      assert.deepEqual([answer.count, one.closes], [0, []]);
    });
  }

  it('closes all sessions of a principal', () => {
    const sessions = ['alice', 'bob', 'alice'].map((name, index) => new FakeSession(index, 'jwt', name));
    const question = {
      kind: 'close_all',
      filter: { principal: 'jwt:alice' },
      code: 1008,
      reason: 'x',
    } as const;
    assert.equal(answersOf({ app: sessions })(question).count, 2);
    assert.deepEqual(
      sessions.map(({ closes }) => closes.length),
      [1, 0, 1],
    );
  });
});

describe('an extension', () => {
  it("postpones a session's current end", () => {
    const one = new FakeSession(1, 'jwt', 'alice', { endsAt: NOW + 1000 });
    const answer = answersOf({ app: [one] })({ kind: 'extend', id: 'b0-1', byMs: 500 });
    assert.deepEqual([answer.count, answer.at], [1, NOW + 1500]);
    assert.deepEqual([one.admission.endsAt, one.rescheduled], [NOW + 1500, 1]);
  });

  it('counts from now if the end has passed', () => {
    const one = new FakeSession(1, 'jwt', 'alice', { endsAt: NOW - 1000 });
    assert.equal(answersOf({ app: [one] })({ kind: 'extend', id: 'b0-1', byMs: 500 }).at, NOW + 500);
  });

  it('leaves a session without an end unchanged', () => {
    const one = new FakeSession(1, 'jwt', 'alice');
    const answer = answersOf({ app: [one] })({ kind: 'extend', id: 'b0-1', byMs: 500 });
    assert.deepEqual([answer.count, answer.at, one.rescheduled], [1, null, 0]);
  });
});

describe('a revocation', () => {
  it("closes the principal's sessions, and returns the latest expiry of a credential", () => {
    const sessions = [NOW + 1000, NOW + 9000, NOW + 5000].map(
      (expiresAt, index) => new FakeSession(index, 'jwt', 'alice', { expiresAt }),
    );
    const other = new FakeSession(9, 'jwt', 'bob', { expiresAt: NOW + 99_000 });
    const answer = answersOf({ app: [...sessions, other] })({ kind: 'revoke', principals: ['alice'] });
    assert.deepEqual([answer.count, answer.at, other.closes], [3, NOW + 9000, []]);
    for (const { closes } of sessions) assert.deepEqual(closes, [[1008, 'access revoked']]);
  });

  it('is needed forever for a token that never expires, and not for passwords', () => {
    for (const [kind, at] of [
      ['jwt', FOR_EVER],
      ['basic', null],
    ] as const) {
      const session = new FakeSession(1, kind, 'alice');
      assert.equal(answersOf({ app: [session] })({ kind: 'revoke', principals: ['alice'] }).at, at);
    }
  });

  it("ends the principal's admitted handshakes", () => {
    const cancelled: string[] = [];
    const handshakes = ['alice', 'bob'].map((name) => ({
      admission: new FakeSession(0, 'jwt', name).admission,
      cancel: (detail: string) => void cancelled.push(`${name}: ${detail}`),
    }));
    answersOf({ app: [] }, () => true, handshakes)({ kind: 'revoke', principals: ['alice'] });
    assert.deepEqual(cancelled, ['alice: access revoked']);
  });

  it('leaves handshakes whose credentials are still being checked', () => {
    const checked = { admission: null, cancel: () => assert.fail() };
    const session = new FakeSession(1, 'jwt', 'alice');
    const ask = answersOf({ app: [session] }, () => true, [checked]);
    assert.equal(ask({ kind: 'revoke', principals: ['alice'] }).count, 1);
    assert.deepEqual(session.closes, [[1008, 'access revoked']]);
  });

  it('leaves sessions whose credentials are younger', () => {
    const [old, young] = [1, 2].map((issuedAt) => new FakeSession(issuedAt, 'jwt', 'alice', { issuedAt }));
    const ask = answersOf({ app: [old!, young!] }, ({ issuedAt }) => issuedAt === 1);
    assert.equal(ask({ kind: 'revoke', principals: ['x', 'jwt:alice'] }).count, 1);
    assert.deepEqual([old?.closes.length, young?.closes.length], [1, 0]);
  });
});
