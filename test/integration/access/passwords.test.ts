/** Passwords of an htpasswd file: who comes in, and what a flood of guesses does to others. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { hashSync } from 'bcryptjs';
import { eventually } from '../../support/deadline.ts';
import { SCALE_ENGINES } from '../../support/engines.ts';
import { askByCurl } from '../../support/processes/curl.ts';
import { AccessRig } from '../../support/rigs/access-rig.ts';

const GUESSES = 200;
/** Each fills its share of the queue: eight guesses. */
const GUESSERS = 8;

function basic(user: string, password: string, client = '127.0.0.1') {
  const value = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
  return { authorization: value, 'x-forwarded-for': client };
}

describe('passwords', () => {
  const directory = mkdtempSync(join(realpathSync(tmpdir()), 'sluice-test-'));
  const file = join(directory, 'users.htpasswd');
  let rig: AccessRig;

  before(async () => {
    const apr1 = execFileSync('openssl', ['passwd', '-apr1', 'märz'], { encoding: 'utf8' }).trim();
    const lines = [
      `alice:${hashSync('secret', 10).replace('$2b$', '$2y$')}`,
      `bob:${apr1}`,
      'carol:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=',
      `dave:${hashSync('secret', 10)}`,
    ];
    writeFileSync(file, `${lines.join('\n')}\n`);
    rig = await AccessRig.start({
      trustedProxies: ['127.0.0.1'],
      access: { basic: { file, realm: 'staging' } },
    });
  });
  after(async () => {
    await rig.stop();
    rmSync(directory, { recursive: true });
  });

  for (const engine of SCALE_ENGINES) {
    it(`admit their users, by every kind of hash: ${engine}`, async () => {
      const address = rig.rig.address(engine);
      for (const user of ['alice:secret', 'bob:märz', 'carol:secret']) {
        const { status } = await askByCurl(address, '/', ['-u', user]);
        assert.equal(status, 200, user);
      }
      const { client, headers } = await rig.join(engine, { headers: basic('alice', 'secret') });
      assert.equal(headers.authorization, basic('alice', 'secret').authorization);
      client.socket.close();
    });

    it(`refuse others, and ask them for a password: ${engine}`, async () => {
      const address = rig.rig.address(engine);
      for (const user of ['alice:Secret', 'alice:', 'mallory:secret', ':', 'alice:märz']) {
        const { status, headers } = await askByCurl(address, '/', ['-u', user]);
        assert.equal(status, 401, user);
        assert.equal(headers.get('www-authenticate'), 'Basic realm="staging", charset="UTF-8"');
      }
      const { status } = await askByCurl(address, '/', []);
      assert.equal(status, 401);
      await assert.rejects(rig.join(engine, { headers: basic('alice', 'wrong') }), /401/);
      await assert.rejects(rig.join(engine), /401/);
    });

    // One thread compares them for all engines.
    if (engine === SCALE_ENGINES[0])
      it('that are guessed in a flood delay no known client', async () => {
        await rig.ask(engine, { headers: basic('alice', 'secret') });
        let isOver = false;
        const flood = Promise.all(
          Array.from({ length: GUESSES }, (_, index) =>
            rig.ask(engine, {
              headers: basic('alice', `guess ${engine} ${index}`, `198.51.100.${index % GUESSERS}`),
            }),
          ),
        ).finally(() => (isOver = true));
        await eventually(async () =>
          assert.ok((await rig.rig.scrape()).sum('sluice_passwords_waiting') > 10),
        );
        const { status } = await rig.ask(engine, { headers: basic('alice', 'secret') });
        assert.deepEqual([status, isOver], [200, false]);
        // A user whose password nobody remembers has a turn among the guessers.
        const fresh = await rig.ask(engine, { headers: basic('dave', 'secret', '192.0.2.1') });
        assert.deepEqual([fresh.status, isOver], [200, false]);
        const answers = await flood;
        // With a busy machine some wait for longer than the handshakeTimeout.
        for (const { status: refused } of answers)
          assert.ok([401, 503, 504].includes(refused), String(refused));
        assert.equal(answers.find((answer) => answer.status === 503)?.headers['retry-after'], '5');
      });

    it(`of clients that go away leave the queue: ${engine}`, async () => {
      const clients = await Promise.all(
        Array.from({ length: 30 }, (_, index) => {
          const headers = basic('alice', `gone ${engine} ${index}`, `203.0.113.${index}`);
          const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
          return rig.rig.ask({ listener: engine, headers: lines });
        }),
      );
      await eventually(async () => assert.ok((await rig.rig.scrape()).sum('sluice_passwords_waiting') > 10));
      const before = (await rig.rig.scrape()).sum('sluice_passwords_total');
      for (const client of clients) client.destroy();
      await eventually(async () => assert.equal((await rig.rig.scrape()).sum('sluice_passwords_waiting'), 0));
      const compared = (await rig.rig.scrape()).sum('sluice_passwords_total') - before;
      assert.ok(compared < 10, `${compared} were compared`);
    });
  }
});
