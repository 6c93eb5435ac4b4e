import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { PasswordAttempt } from '../../../../../src/access/contract/access-services.ts';
import { isPending, type Decision } from '../../../../../src/access/contract/credential-method.ts';
import { BasicMethod } from '../../../../../src/access/credentials/basic/basic-method.ts';
import { Decisions, FakeRevocations, requestWith } from '../requests.ts';

type Done = (matches: boolean | null) => void;

/** Keeps what it is asked, and knows some passwords. */
class FakePasswords {
  readonly asked: { readonly attempt: PasswordAttempt; readonly done: Done }[] = [];
  readonly known = new Map<string, boolean>();
  dropped = 0;

  verify(attempt: PasswordAttempt, done: Done): boolean | (() => void) {
    const known = this.known.get(`${attempt.hash} ${attempt.password}`);
    if (known !== undefined) return known;
    this.asked.push({ attempt, done });
    return () => {
      this.dropped++;
    };
  }
}

function stage({ users = { alice: '$apr1$a', bob: '{SHA}b' }, realm = 'staging' } = {}) {
  const [passwords, revocations, owner] = [new FakePasswords(), new FakeRevocations(), new Decisions()];
  const settings = { file: '/users', users: new Map(Object.entries(users)), realm };
  const method = new BasicMethod(settings, { passwords, revocations });
  const check = (credentials: string) => {
    const value = `Basic ${Buffer.from(credentials).toString('base64')}`;
    return method.check(requestWith(['authorization', value]), owner);
  };
  return { method, passwords, revocations, owner, check };
}

function reasonOf(decision: Decision | undefined): string | null {
  return decision === undefined || decision.granted ? null : `${decision.status} ${decision.reason}`;
}

function settled(result: ReturnType<BasicMethod['check']>): Decision {
  assert.ok(!isPending(result));
  return result;
}

describe('basic authentication', () => {
  it('requests a password with the challenge of RFC 7617', () => {
    const { method, owner } = stage({ realm: 'the "inner" \\ ring' });
    const decision = settled(method.check(requestWith([]), owner));
    assert.equal(reasonOf(decision), '401 no_credential');
    assert.deepEqual(!decision.granted && decision.headers, [
      ['WWW-Authenticate', 'Basic realm="the \\"inner\\" \\\\ ring", charset="UTF-8"'],
    ]);
  });

  it('refuses malformed credentials without hashing them', () => {
    const { check, passwords } = stage();
    assert.equal(reasonOf(settled(check('alice'))), '401 no_credential');
    assert.deepEqual(passwords.asked, []);
  });

  it('admits a user with the right password, asynchronously', () => {
    const { check, passwords, owner } = stage();
    assert.ok(isPending(check('alice:secret')));
    const [{ attempt, done } = assert.fail()] = passwords.asked;
    assert.deepEqual(attempt, { hash: '$apr1$a', password: 'secret', client: '192.0.2.7' });
    assert.deepEqual(owner.all, []);
    done(true);
    assert.deepEqual(owner.only?.granted && owner.only.principal, {
      kind: 'basic',
      name: 'alice',
      issuedAt: null,
      expiresAt: Infinity,
      claims: null,
    });
  });

  it('decides at once for a remembered password', () => {
    const { check, passwords } = stage();
    passwords.known.set('$apr1$a right', true).set('$apr1$a wrong', false);
    assert.equal(settled(check('alice:right')).granted, true);
    assert.equal(reasonOf(settled(check('alice:wrong'))), '401 bad_password');
  });

  it('answers wrong passwords and unknown users identically, after the same work', () => {
    const { check, passwords, owner } = stage();
    check('alice:wrong');
    check('mallory:wrong');
    for (const { done } of passwords.asked) done(false);
    assert.deepEqual(
      passwords.asked.map(({ attempt }) => attempt.hash),
      ['$apr1$a', '$apr1$a'],
    );
    assert.deepEqual(owner.all[0], owner.all[1]);
    assert.equal(reasonOf(owner.all[0]), '401 bad_password');
  });

  it('refuses an unknown user with a known password', () => {
    const { check, passwords, owner } = stage();
    check('mallory:secret');
    passwords.asked[0]!.done(true);
    assert.equal(reasonOf(owner.only), '401 bad_password');
    passwords.known.set('$apr1$a secret', true);
    assert.equal(reasonOf(settled(check('mallory:secret'))), '401 bad_password');
  });

  it('refuses everyone if there are no users', () => {
    assert.equal(reasonOf(settled(stage({ users: {} as never }).check('alice:secret'))), '401 bad_password');
  });

  it('does not mistake object properties for users', () => {
    const { check, passwords, owner } = stage();
    check('constructor:secret');
    passwords.asked[0]!.done(true);
    assert.equal(reasonOf(owner.only), '401 bad_password');
  });

  it('answers 503 with Retry-After if too many passwords wait', () => {
    const { check, passwords, owner } = stage();
    check('alice:secret');
    passwords.asked[0]!.done(null);
    assert.equal(reasonOf(owner.only), '503 password_queue');
    assert.deepEqual(owner.only?.granted === false && owner.only.headers, [['Retry-After', '5']]);
  });

  it('reveals a revocation only with the right password', () => {
    const { check, passwords, revocations } = stage();
    revocations.names.add('alice');
    passwords.known.set('$apr1$a right', true).set('$apr1$a wrong', false);
    assert.equal(reasonOf(settled(check('alice:right'))), '401 revoked');
    assert.equal(reasonOf(settled(check('alice:wrong'))), '401 bad_password');
  });

  it('cancels the check of a client that has left', () => {
    const { check, passwords } = stage();
    const result = check('alice:secret');
    assert.ok(isPending(result));
    result.cancel();
    assert.equal(passwords.dropped, 1);
  });
});
