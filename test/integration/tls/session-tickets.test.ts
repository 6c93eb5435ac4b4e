/** Clients resume their TLS sessions, whichever worker, process or machine they come back to. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, describe, it } from 'node:test';
import { CertificateAuthority } from '../../support/certificates.ts';
import { eventually } from '../../support/deadline.ts';
import { ENGINES, isOwnEngine, type EngineName } from '../../support/engines.ts';
import { startSluice, type SluiceProcess } from '../../support/processes/sluice-process.ts';
import { withAdmin } from '../../support/rigs/reload-rig.ts';
import { comeAgain, visit } from '../../support/tls/visitors.ts';

const TOKEN = 'a-token-for-tests-only';
const CLIENTS = 200;
const AT_ONCE = 20;
const VERSIONS = ['TLSv1.2', 'TLSv1.3'] as const;

for (const engine of ENGINES.filter(isOwnEngine)) describeTickets(engine);

function describeTickets(engine: EngineName): void {
  describe(`TLS sessions on ${engine}`, { timeout: 300_000 }, () => {
    const authority = new CertificateAuthority();
    const certificates = [authority.issue('localhost', ['DNS:localhost'])];
    const directory = mkdtempSync(join(tmpdir(), 'sluice-tickets-'));
    const started: SluiceProcess[] = [];

    afterEach(() => {
      for (const sluice of started.splice(0)) sluice.kill('SIGKILL');
    });
    after(() => {
      authority.remove();
      rmSync(directory, { recursive: true });
    });

    const config = (
      tls: object = {},
      { web = '127.0.0.1:0', admin = '127.0.0.1:0', l7 = 1 } = {},
    ): object => ({
      ...withAdmin({
        workers: { l7, l4: 1 },
        listeners: [
          {
            name: 'web',
            mode: 'l7',
            engine,
            address: web,
            tls: { certificates, ...tls },
            routes: [{ match: {}, respond: { body: 'here' } }],
          },
        ],
      }),
      admin: { address: admin, token: TOKEN },
    });

    async function start(wanted: object, ...args: string[]): Promise<SluiceProcess> {
      const sluice = await startSluice({ config: wanted, args });
      started.push(sluice);
      return sluice;
    }

    async function post(sluice: SluiceProcess, path: string): Promise<void> {
      const headers = { Authorization: `Bearer ${TOKEN}` };
      const response = await fetch(`http://${sluice.admin}${path}`, { method: 'POST', headers });
      assert.ok(response.ok, await response.text());
    }

    /** Writes keys into a file of the test's own. */
    function keyFile(name: string, ...keys: Buffer[]): string {
      const path = join(directory, name);
      writeFileSync(path, Buffer.concat(keys), { mode: 0o600 });
      return path;
    }

    it('are resumed by every worker', async () => {
      const sluice = await start(config({}, { l7: 4 }));
      const resumed = await comeAgain(sluice.address('web'), CLIENTS, AT_ONCE);
      assert.ok(resumed >= CLIENTS * 0.95, `${resumed} of ${CLIENTS}`);
    });

    /**
     * Visits with each version of TLS. Returns a function that reports whether each session is resumed now.
     */
    async function visitAll(address: string): Promise<() => Promise<boolean[]>> {
      const visits = await Promise.all(VERSIONS.map((version) => visit(address, { version })));
      return () =>
        Promise.all(
          VERSIONS.map(async (version, index) => {
            const { session } = visits[index]!;
            return (await visit(address, { version, session })).isResumed;
          }),
        );
    }

    it('of TLS 1.2 and 1.3 are resumed after a reload and a restart of the workers', async () => {
      const sluice = await start(config());
      const comeBack = await visitAll(sluice.address('web'));
      await post(sluice, '/reload');
      assert.deepEqual(await comeBack(), [true, true]);
      await post(sluice, '/workers/restart');
      await sluice.waitForLog(({ msg }) => msg === 'worker restarted');
      assert.deepEqual(await comeBack(), [true, true]);
    });

    it('are resumed after a takeover, with TLS 1.2 and 1.3', async () => {
      const old = await start(config());
      const address = old.address('web');
      const comeBack = await visitAll(address);
      const successor = await start(config({}, { web: address, admin: old.admin }), '--takeover');
      assert.deepEqual(await old.waitForExit(60_000), { code: 0, signal: null });
      assert.deepEqual(await comeBack(), [true, true]);
      const keys = successor.logs.filter(({ msg }) => msg === 'ticket keys taken over');
      assert.deepEqual(
        keys.map(({ listeners }) => listeners),
        [['web']],
      );
    });

    it('are resumed by processes that share a file of keys, in both directions', async () => {
      const file = keyFile('shared', randomBytes(80));
      const wanted = config({ tickets: { keyFile: file } });
      const [one, two] = [await start(wanted), await start(wanted)];
      for (const [from, to] of [
        [one, two],
        [two, one],
      ] as const) {
        const { session } = await visit(from.address('web'));
        assert.equal((await visit(to.address('web'), { session })).isResumed, true);
      }
    });

    it('are not resumed by processes that share no keys', async () => {
      const [one, two] = [await start(config()), await start(config())];
      const { session } = await visit(one.address('web'));
      assert.equal((await visit(two.address('web'), { session })).isResumed, false);
    });

    // Node's contexts have one key each.
    const older = { skip: engine === 'net' && 'only the first key decrypts' };

    it('are resumed as long as their key is in the file', older, async () => {
      const [first, second] = [randomBytes(80), randomBytes(80)];
      const file = keyFile('changing', first);
      const sluice = await start(config({ tickets: { keyFile: file } }));
      const address = sluice.address('web');
      const { session: early } = await visit(address);
      keyFile('changing', second, first);
      await post(sluice, '/reload');
      const { isResumed, session: late } = await visit(address, { session: early });
      assert.equal(isResumed, true, 'an older key decrypts');
      keyFile('changing', second);
      await post(sluice, '/reload');
      assert.equal((await visit(address, { session: early })).isResumed, false, 'the key is gone');
      assert.equal((await visit(address, { session: late })).isResumed, true, 'the client got a new ticket');
    });

    it('are resumed for one interval after their key has been replaced', older, async () => {
      const sluice = await start(config({ tickets: { rotate: '3s' } }));
      const address = sluice.address('web');
      const { session } = await visit(address);
      let last = true;
      const startedAt = performance.now();
      await eventually(async () => {
        last = (await visit(address, { session })).isResumed;
        assert.equal(last, false);
      }, 30_000);
      assert.ok(performance.now() - startedAt > 2900, 'it was resumed for less than an interval');
    });

    it('do not go from a listener to another with other rules for client certificates', async () => {
      const file = keyFile('rules', randomBytes(80));
      const tickets = { keyFile: file };
      const open = await start(config({ tickets }));
      const strict = await start(
        config({ tickets, clientCertificates: { ca: authority.file, require: false } }),
      );
      const { session } = await visit(open.address('web'));
      assert.equal((await visit(strict.address('web'), { session })).isResumed, false);
    });
  });
}
