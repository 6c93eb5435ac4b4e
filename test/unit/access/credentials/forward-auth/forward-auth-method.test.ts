import assert from 'node:assert/strict';
import { describe, it, mock } from 'node:test';
import { isPending, type Decision } from '../../../../../src/access/contract/credential-method.ts';
import type {
  AuthAnswer,
  AuthCallOwner,
  AuthTransport,
} from '../../../../../src/access/credentials/forward-auth/auth-transport.ts';
import { ForwardAuthMethod } from '../../../../../src/access/credentials/forward-auth/forward-auth-method.ts';
import type { ForwardAuthSettings } from '../../../../../src/config/types/access.ts';
import { capture } from '../../../primary/fixtures/config.ts';
import { Decisions, FakeRevocations, requestWith } from '../requests.ts';

/** A question that the test answers. */
class FakeCall {
  readonly owner: AuthCallOwner;
  readonly headers: readonly string[];
  expired = 0;
  cancelled = 0;

  constructor(headers: readonly string[], owner: AuthCallOwner) {
    this.headers = headers;
    this.owner = owner;
  }

  expire(): void {
    this.expired++;
    this.owner.failed('timeout');
    this.owner.closed();
  }

  cancel(): void {
    this.cancelled++;
    this.owner.closed();
  }

  answer(status: number, ...headers: readonly string[]): void {
    const answer: AuthAnswer = { status, headers, body: Buffer.alloc(0) };
    this.owner.answered(answer);
    this.owner.closed();
  }
}

class FakeTransport implements AuthTransport {
  readonly calls: FakeCall[] = [];

  ask(headers: readonly string[], owner: AuthCallOwner): FakeCall {
    const call = new FakeCall(headers, owner);
    this.calls.push(call);
    return call;
  }
}

function stage(changes: Partial<ForwardAuthSettings> = {}) {
  const settings: ForwardAuthSettings = {
    url: 'http://user:secret@127.0.0.1:9000/check?key=secret',
    headers: ['x-user'],
    timeoutMs: 2000,
    maxConcurrent: 2,
    onFailure: 'refuse',
    ...changes,
  };
  const { log, lines } = capture();
  const [transport, revocations] = [new FakeTransport(), new FakeRevocations()];
  const turns = { count: 0 };
  const services = { log, revocations, yieldToNode: () => (turns.count += 1) };
  const method = new ForwardAuthMethod(settings, services, () => transport);
  const check = (address = '192.0.2.7') => {
    const owner = new Decisions();
    const request = requestWith(['host', 'chat.example.com', 'cookie', 'session=1']);
    const result = method.check({ ...request, client: { ...request.client, address } }, owner);
    return { owner, result, cancel: () => (isPending(result) ? result.cancel() : assert.fail()) };
  };
  return { method, transport, revocations, check, lines, turns };
}

function reasonOf(decision: Decision | undefined): string {
  if (decision === undefined) return 'undecided';
  return decision.granted
    ? `granted ${decision.principal?.name ?? 'nobody'}`
    : `${decision.status} ${decision.reason}`;
}

describe('forward authentication', () => {
  it("asks the server and admits the client with the response's headers", () => {
    const { transport, check, turns } = stage();
    const { owner, result } = check();
    assert.ok(isPending(result));
    assert.equal(turns.count, 1);
    assert.equal(transport.calls[0]!.headers.includes('session=1'), true);
    transport.calls[0]!.answer(204, 'X-User', 'alice');
    assert.equal(reasonOf(owner.only), 'granted alice');
    assert.deepEqual(owner.only?.granted && owner.only.forwarded, ['x-user', 'alice']);
  });

  it("sends the server's refusal to the client", () => {
    const { transport, check } = stage();
    const { owner } = check();
    transport.calls[0]!.answer(401, 'WWW-Authenticate', 'Bearer');
    assert.equal(reasonOf(owner.only), '401 forward_auth');
  });

  it('refuses a revoked principal', () => {
    const { transport, revocations, check } = stage();
    revocations.names.add('alice');
    const { owner } = check();
    transport.calls[0]!.answer(200, 'X-User', 'alice');
    assert.equal(reasonOf(owner.only), '401 revoked');
  });

  it('refuses clients while the server fails, and logs its address without secrets', () => {
    const { transport, check, lines } = stage();
    const { owner } = check();
    transport.calls[0]!.owner.failed('ECONNREFUSED');
    transport.calls[0]!.owner.closed();
    assert.equal(reasonOf(owner.only), '503 forward_auth_failed');
    assert.equal(lines.length, 1);
    assert.match(JSON.stringify(lines), /http:\/\/127\.0\.0\.1:9000\/check"/);
    assert.doesNotMatch(JSON.stringify(lines), /secret/);
  });

  it('admits clients while the server fails if configured, but never after a refusal', () => {
    const { transport, check } = stage({ onFailure: 'admit' });
    const [failed, refused] = [check(), check()];
    transport.calls[0]!.owner.failed('ECONNREFUSED');
    transport.calls[1]!.answer(503);
    assert.equal(reasonOf(failed.owner.only), 'granted nobody');
    assert.equal(reasonOf(refused.owner.only), '503 forward_auth');
  });

  it('respects maxConcurrent, and clients take turns', () => {
    const { transport, check } = stage({ maxConcurrent: 1 });
    check('192.0.2.1');
    const others = [check('192.0.2.1'), check('192.0.2.1'), check('192.0.2.2')];
    for (let index = 0; index < 3; index++) transport.calls[index]!.answer(200, 'x-user', String(index));
    assert.deepEqual(
      others.map(({ owner }) => reasonOf(owner.only)),
      ['granted 1', 'undecided', 'granted 2'],
    );
    assert.equal(transport.calls.length, 4);
  });

  it('frees the place with the connection, not with the response', () => {
    const { transport, check } = stage({ maxConcurrent: 1 });
    check();
    check();
    transport.calls[0]!.owner.answered({ status: 200, headers: [], body: Buffer.alloc(0) });
    assert.equal(transport.calls.length, 1);
    transport.calls[0]!.owner.closed();
    assert.equal(transport.calls.length, 2);
  });

  it("refuses more than 1,024 waiting requests, the greediest client's first", () => {
    const { check } = stage({ maxConcurrent: 1, onFailure: 'admit' });
    check('192.0.2.1');
    const flood = Array.from({ length: 1025 }, () => check('192.0.2.1'));
    const last = flood.at(-1)!.result;
    assert.equal(reasonOf(isPending(last) ? undefined : last), '503 forward_auth_failed');
    const other = check('192.0.2.2');
    assert.ok(isPending(other.result));
    assert.equal(reasonOf(flood[0]!.owner.only), '503 forward_auth_failed');
  });

  it('cancels the request of a client that has left, and sends the next', () => {
    const { transport, check } = stage({ maxConcurrent: 1 });
    const [asked, gone, next] = [check(), check(), check()];
    gone.cancel();
    asked.cancel();
    asked.cancel();
    assert.equal(transport.calls[0]!.cancelled, 1);
    assert.equal(transport.calls.length, 2);
    transport.calls[1]!.answer(200, 'x-user', 'alice');
    assert.deepEqual([asked.owner.all, gone.owner.all], [[], []]);
    assert.equal(reasonOf(next.owner.only), 'granted alice');
  });

  it('times out requests, including waiting ones', (t) => {
    mock.timers.enable({ apis: ['setTimeout'] });
    t.after(() => mock.timers.reset());
    const { transport, check } = stage({ maxConcurrent: 1 });
    const asked = check();
    mock.timers.tick(1000);
    const waiting = check();
    mock.timers.tick(999);
    assert.deepEqual([asked.owner.all, waiting.owner.all], [[], []]);
    mock.timers.tick(1);
    assert.equal(reasonOf(asked.owner.only), '503 forward_auth_failed');
    // It got the place, and has one second of its time left.
    assert.equal(transport.calls.length, 2);
    mock.timers.tick(1000);
    assert.deepEqual([transport.calls[0]!.expired, transport.calls[1]!.expired], [1, 1]);
    assert.equal(reasonOf(waiting.owner.only), '503 forward_auth_failed');
  });

  it('admits nobody whose time others have used up', (t) => {
    mock.timers.enable({ apis: ['setTimeout'] });
    t.after(() => mock.timers.reset());
    const { transport, check } = stage({ maxConcurrent: 1, timeoutMs: 1000, onFailure: 'admit' });
    check('192.0.2.1');
    const [late, never] = [check('192.0.2.2'), check('192.0.2.3')];
    mock.timers.tick(900);
    transport.calls[0]!.answer(200);
    assert.equal(transport.calls.length, 2);
    mock.timers.tick(100);
    assert.equal(reasonOf(late.owner.only), '503 forward_auth_failed');
    assert.equal(reasonOf(never.owner.only), '503 forward_auth_failed');
  });

  it('admits clients that waited for a dead server, if configured', (t) => {
    mock.timers.enable({ apis: ['setTimeout'] });
    t.after(() => mock.timers.reset());
    const { check } = stage({ maxConcurrent: 1, timeoutMs: 1000, onFailure: 'admit' });
    const checks = [check('192.0.2.1'), check('192.0.2.2')];
    mock.timers.tick(1000);
    for (const { owner } of checks) assert.equal(reasonOf(owner.only), 'granted nobody');
  });

  it('yields to Node to close the connection of a client that has left', () => {
    const { check, turns } = stage();
    const gone = check();
    turns.count = 0;
    gone.cancel();
    assert.equal(turns.count, 1);
  });

  it('ends a request that never gets a place', (t) => {
    mock.timers.enable({ apis: ['setTimeout'] });
    t.after(() => mock.timers.reset());
    const { transport, check } = stage({ maxConcurrent: 1, timeoutMs: 1000 });
    check();
    // The connection of an answered question is not free yet.
    transport.calls[0]!.owner.answered({ status: 200, headers: [], body: Buffer.alloc(0) });
    transport.calls[0]!.expire = () => undefined;
    const waiting = check();
    mock.timers.tick(1000);
    assert.equal(reasonOf(waiting.owner.only), '503 forward_auth_failed');
    transport.calls[0]!.owner.closed();
    assert.equal(transport.calls.length, 1);
  });
});
