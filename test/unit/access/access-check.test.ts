import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AccessCheck, isEntry, type AccessRefusal } from '../../../src/access/access-check.ts';
import type { Principal } from '../../../src/access/contract/principal.ts';
import type { RouteAccess } from '../../../src/access/route-access.ts';
import { CLIENT, FakeLimits, FakeMethod, TOO_MANY, WRONG, granted, principalOf, requestOf } from './fakes.ts';

interface Parts {
  readonly denied?: string;
  readonly originProblem?: string;
  readonly methods?: readonly FakeMethod[];
  readonly limits?: FakeLimits | null;
  readonly endsAt?: number;
}

function accessOf({
  denied,
  originProblem,
  methods = [],
  limits = null,
  endsAt = Infinity,
}: Parts): RouteAccess {
  return {
    addresses: denied === undefined ? null : { admits: (address: string) => address !== denied },
    origins:
      originProblem === undefined
        ? null
        : { refusalOf: () => ({ ...WRONG, reason: 'origin', detail: originProblem }) },
    methods,
    limits,
    revocations: { isRevoked: ({ name }: Principal) => name === 'mallory' },
    endOf: () => endsAt,
  } as unknown as RouteAccess;
}

const NOBODY = {
  credentialsAccepted: () => assert.fail('decided later'),
  refused: () => assert.fail('decided later'),
};

function refusalOf(end: AccessRefusal | null | 'pending'): Partial<AccessRefusal> {
  assert.ok(end !== null && end !== 'pending');
  return end;
}

describe('the check of a request', () => {
  it('admits a client without requirements, under its address', () => {
    const check = new AccessCheck(accessOf({}), requestOf());
    assert.equal(check.begin(), null);
    assert.equal(check.needsCredentials, false);
    const entry = check.finish();
    assert.ok(isEntry(entry));
    assert.deepEqual([entry.admission.address, entry.admission.principal.kind], ['192.0.2.7', 'address']);
    assert.equal(entry.admission.endsAt, Infinity);
  });

  it('identifies a client by its certificate if nothing else does', () => {
    const certificate = { subject: 'CN=alice', fingerprint: '00', names: [] };
    const check = new AccessCheck(accessOf({}), requestOf({ client: { ...CLIENT, certificate } }));
    check.begin();
    const entry = check.finish();
    assert.ok(isEntry(entry));
    assert.deepEqual([entry.admission.principal.kind, entry.admission.principal.name], ['cert', 'CN=alice']);
  });

  it('refuses an address before it is counted', () => {
    const limits = new FakeLimits();
    const check = new AccessCheck(accessOf({ denied: '192.0.2.7', limits }), requestOf());
    assert.deepEqual(
      { ...refusalOf(check.begin()), headers: undefined, granted: undefined, body: undefined },
      {
        by: 'access',
        status: 403,
        reason: 'address',
        detail: 'the address is not allowed',
        headers: undefined,
        granted: undefined,
        body: undefined,
      },
    );
    assert.deepEqual(limits.entered, []);
  });

  it('takes places by address before the origin check, and releases them on refusal', () => {
    const limits = new FakeLimits();
    const check = new AccessCheck(accessOf({ originProblem: 'another site', limits }), requestOf());
    assert.equal(refusalOf(check.begin()).detail, 'another site');
    assert.deepEqual(limits.entered, ['address -']);
    assert.equal(limits.held, 0);
  });

  it('refuses by a limit on addresses, with its headers', () => {
    const check = new AccessCheck(accessOf({ limits: new FakeLimits('address') }), requestOf());
    assert.deepEqual(check.begin(), { by: 'limit', ...TOO_MANY });
  });

  it('requires every method to pass', () => {
    const methods = [new FakeMethod(granted()), new FakeMethod(WRONG), new FakeMethod(granted())];
    const limits = new FakeLimits();
    const check = new AccessCheck(accessOf({ methods, limits }), requestOf());
    assert.equal(check.begin(), null);
    assert.equal(check.needsCredentials, true);
    assert.equal(refusalOf(check.checkCredentials(NOBODY)).status, 401);
    assert.equal(methods[2]!.asked.length, 0);
    assert.equal(limits.held, 0);
  });

  it('uses the principal of the first method that has one, and the headers of all methods', () => {
    const methods = [
      new FakeMethod(granted({ forwarded: ['x-a', '1'] })),
      new FakeMethod(granted({ principal: principalOf('alice'), forwarded: ['x-b', '2'], subprotocol: 'b' })),
      new FakeMethod(granted({ principal: principalOf('bob'), subprotocol: 'c' })),
    ];
    const check = new AccessCheck(accessOf({ methods, endsAt: 5000 }), requestOf());
    assert.equal(check.begin(), null);
    assert.equal(check.checkCredentials(NOBODY), null);
    const entry = check.finish();
    assert.ok(isEntry(entry));
    assert.equal(entry.admission.principal.name, 'alice');
    assert.equal(entry.admission.endsAt, 5000);
    assert.deepEqual(entry.forwarded, ['x-a', '1', 'x-b', '2']);
    assert.equal(entry.subprotocol, 'b');
  });

  it('passes the head that a method changed to later methods and endpoints', () => {
    const request = requestOf();
    const cut = { ...request.head, query: 'rest=1' };
    const methods = [new FakeMethod(granted({ head: cut })), new FakeMethod(granted())];
    const check = new AccessCheck(accessOf({ methods }), request);
    check.begin();
    check.checkCredentials(NOBODY);
    assert.equal(methods[0]!.asked[0]!.head, request.head);
    assert.equal(methods[1]!.asked[0]!.head, cut);
    const entry = check.finish();
    assert.ok(isEntry(entry));
    assert.equal(entry.head, cut);
  });

  it('counts the principal after authentication', () => {
    const limits = new FakeLimits('principal');
    const methods = [new FakeMethod(granted({ principal: principalOf('alice') }))];
    const check = new AccessCheck(accessOf({ methods, limits }), requestOf());
    check.begin();
    check.checkCredentials(NOBODY);
    assert.deepEqual(check.finish(), { by: 'limit', ...TOO_MANY });
    assert.deepEqual(limits.entered, ['address -', 'principal alice']);
    assert.equal(limits.held, 0);
  });

  it('refuses a principal that is revoked while a later method is pending', () => {
    const limits = new FakeLimits();
    const methods = [new FakeMethod(granted({ principal: principalOf('mallory') }))];
    const check = new AccessCheck(accessOf({ methods, limits }), requestOf());
    check.begin();
    assert.equal(check.checkCredentials(NOBODY), null);
    const end = check.finish();
    assert.ok(!isEntry(end) && end.by === 'access');
    assert.deepEqual([end.status, end.reason, end.headers[0]?.[0]], [401, 'revoked', 'WWW-Authenticate']);
    assert.equal(limits.held, 0);
  });

  it('waits for a pending method, then continues with the next', () => {
    const heard: unknown[] = [];
    const later = new FakeMethod('later');
    const last = new FakeMethod(granted({ principal: principalOf('alice') }));
    const check = new AccessCheck(accessOf({ methods: [later, last] }), requestOf());
    check.begin();
    const owner = {
      credentialsAccepted: () => void heard.push('accepted'),
      refused: (refusal: AccessRefusal) => void heard.push(refusal.detail),
    };
    assert.equal(check.checkCredentials(owner), 'pending');
    assert.equal(last.asked.length, 0);
    later.decide(granted());
    assert.deepEqual(heard, ['accepted']);
    const entry = check.finish();
    assert.ok(isEntry(entry));
    assert.equal(entry.admission.principal.name, 'alice');
  });

  it('reports a late refusal', () => {
    const heard: string[] = [];
    const later = new FakeMethod('later');
    const limits = new FakeLimits();
    const check = new AccessCheck(accessOf({ methods: [later], limits }), requestOf());
    check.begin();
    check.checkCredentials({
      credentialsAccepted: () => assert.fail(),
      refused: ({ detail }) => void heard.push(detail),
    });
    later.decide(WRONG);
    assert.deepEqual(heard, ['wrong password']);
    assert.equal(limits.held, 0);
  });

  it('cancels a pending method and releases its places', () => {
    const later = new FakeMethod('later');
    const limits = new FakeLimits();
    const check = new AccessCheck(accessOf({ methods: [later], limits }), requestOf());
    check.begin();
    check.checkCredentials(NOBODY);
    assert.equal(limits.held, 1);
    check.cancel();
    assert.equal(later.cancelled, 1);
    assert.equal(limits.held, 0);
  });
});
