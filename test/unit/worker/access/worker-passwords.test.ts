import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { FromWorker } from '../../../../src/protocol/from-worker.ts';
import { WorkerPasswords } from '../../../../src/worker/access/worker-passwords.ts';

const ATTEMPT = { hash: 'hash', password: 'secret', client: '2001:db8:1:2:3::4' };

function stage() {
  const said: FromWorker[] = [];
  const heard: (boolean | null)[] = [];
  const passwords = new WorkerPasswords(
    (message) => said.push(message),
    () => 0,
  );
  const verify = (password = 'secret') =>
    passwords.verify({ ...ATTEMPT, password }, (matches) => heard.push(matches));
  return { said, heard, passwords, verify };
}

describe("a worker's passwords", () => {
  it('go to the primary with the network of the client', () => {
    const { said, verify } = stage();
    assert.equal(typeof verify(), 'function');
    assert.deepEqual(said, [
      { type: 'verify_password', number: 1, hash: 'hash', password: 'secret', client: '2001:db8:1:2::/64' },
    ]);
  });

  it('are answered at once when the result is known', () => {
    const { said, heard, passwords, verify } = stage();
    verify('right');
    verify('wrong');
    passwords.handle({ type: 'password', number: 2, matches: false });
    passwords.handle({ type: 'password', number: 1, matches: true });
    assert.deepEqual(heard, [false, true]);
    assert.deepEqual([verify('right'), verify('wrong')], [true, false]);
    assert.equal(said.length, 2);
  });

  it('are sent again after a full queue', () => {
    const { said, heard, passwords, verify } = stage();
    verify();
    passwords.handle({ type: 'password', number: 1, matches: null });
    assert.deepEqual(heard, [null]);
    assert.equal(typeof verify(), 'function');
    assert.equal(said.length, 2);
  });

  it('are withdrawn once when nobody waits, and ignore the answer', () => {
    const { said, heard, passwords, verify } = stage();
    const giveUp = verify();
    assert.ok(typeof giveUp === 'function');
    giveUp();
    giveUp();
    passwords.handle({ type: 'password', number: 1, matches: true });
    assert.deepEqual(said.slice(1), [{ type: 'drop_password', number: 1 }]);
    assert.deepEqual(heard, []);
  });

  it('cannot be withdrawn after the answer', () => {
    const { said, passwords, verify } = stage();
    const giveUp = verify();
    passwords.handle({ type: 'password', number: 1, matches: true });
    assert.ok(typeof giveUp === 'function');
    giveUp();
    assert.equal(said.length, 1);
  });
});
