/** The thread that compares passwords with hashes: its start, its faults and its end. */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { hashSync } from 'bcryptjs';
import { PasswordThread } from '../../../src/primary/access/passwords/password-thread.ts';
import { capture } from '../../unit/primary/fixtures/config.ts';

/** bcrypt of a cost that takes years. */
const ENDLESS = `$2b$31$${'a'.repeat(53)}`;
const SHA = '{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=';

function start(t: TestContext, maxRunMs?: number): PasswordThread {
  const thread = new PasswordThread(capture().log, maxRunMs);
  t.after(() => thread.close());
  return thread;
}

describe('the thread for passwords', { timeout: 60_000 }, () => {
  it('compares passwords without holding this thread up', async (t) => {
    const thread = start(t);
    const hash = hashSync('secret', 10);
    await thread.run({ hash: SHA, password: 'warm-up' });
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    const results = await Promise.all(
      ['secret', 'wrong', 'secret'].map((password) => thread.run({ hash, password })),
    );
    clearInterval(timer);
    assert.deepEqual(results, [true, false, true]);
    assert.ok(turns > 10, `${turns} turns`);
  });

  it('is terminated if it hangs, and a new thread replaces it', async (t) => {
    const thread = start(t, 5_000);
    await thread.run({ hash: SHA, password: 'warm-up' });
    await assert.rejects(thread.run({ hash: ENDLESS, password: 'secret' }), { name: 'AbortError' });
    assert.equal(await thread.run({ hash: SHA, password: 'secret' }), true);
  });

  it('lives on when a hash is broken', async (t) => {
    const thread = start(t);
    await assert.rejects(thread.run({ hash: `$2b$99$${'a'.repeat(53)}`, password: 'secret' }));
    assert.equal(await thread.run({ hash: SHA, password: 'secret' }), true);
  });

  it('ends in the middle of a password', async (t) => {
    const thread = start(t);
    await thread.run({ hash: SHA, password: 'warm-up' });
    const running = assert.rejects(thread.run({ hash: ENDLESS, password: 'secret' }));
    await thread.close();
    await running;
  });

  it('need not have begun to be closed', () => new PasswordThread(capture().log).close());
});
