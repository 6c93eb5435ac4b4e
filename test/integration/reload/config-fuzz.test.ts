/** No configuration crashes anything: each is accepted, or refused with a place. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { loadConfig } from '../../../src/config/loader.ts';
import { ConfigError } from '../../../src/core/errors.ts';
import { eventually } from '../../support/deadline.ts';
import { startSluice, type SluiceProcess } from '../../support/processes/sluice-process.ts';
import { TLS_FILES, mutationsOf, tame, withTls } from '../../support/rigs/config-mutations.ts';
import { GOOD_CERT, GOOD_KEY, REVOCATION_LIST } from '../../unit/config/pem.ts';

const EXAMPLE = readFileSync(join(import.meta.dirname, '../../../config/example.yaml'), 'utf8');
const TOKEN = 'a-token-for-tests-only';
/** A place in the file, on the command line, or in the environment. */
const PLACE = /sluice\.yaml(?::\d+:\d+)?$|^--set |^environment /;
const CHECKS = { numRuns: 400, interruptAfterTimeLimit: 20_000 };
const RELOADS = { numRuns: 60, interruptAfterTimeLimit: 20_000 };
/** Nothing that a mutation says may be more than this machine bears, or leave it. */
const BOUNDS = ['workers.l7=1', 'workers.l4=1', 'log.format=json', 'log.level=info'];

describe('a configuration that was changed at random', { timeout: 170_000 }, () => {
  let directory = '';
  let file = '';

  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'sluice-fuzz-'));
    mkdirSync(join(directory, 'public'));
    file = join(directory, 'sluice.yaml');
    for (const name of TLS_FILES) {
      const text = name.endsWith('.crl') ? REVOCATION_LIST : name.endsWith('.key') ? GOOD_KEY : GOOD_CERT;
      writeFileSync(join(directory, name), text);
    }
  });
  after(() => rmSync(directory, { recursive: true }));

  function loadable(text: string): boolean {
    writeFileSync(file, text);
    try {
      loadConfig({ file, overrides: [], env: {} });
      return true;
    } catch (error) {
      assert.ok(error instanceof ConfigError, `no ConfigError: ${String(error)}`);
      assert.ok(error.problems.length > 0);
      for (const { place, message } of error.problems) {
        assert.match(place, PLACE);
        assert.ok(message.length > 0 && !message.includes('\n'), JSON.stringify(message));
      }
      return false;
    }
  }

  it('is accepted by check, or refused with a place', (t) => {
    let [accepted, refused] = [0, 0];
    for (const text of [EXAMPLE, tame(EXAMPLE), tame(withTls(EXAMPLE))]) {
      assert.ok(loadable(text));
      fc.assert(
        fc.property(mutationsOf(text), (mutated) => {
          if (loadable(mutated)) accepted++;
          else refused++;
        }),
        CHECKS,
      );
    }
    t.diagnostic(`${accepted} accepted, ${refused} refused`);
    assert.ok(accepted > 50 && refused > 50);
  });

  it('takes effect by a reload, or is refused with a reason, and the proxy continues', async (t) => {
    const base = tame(EXAMPLE).replace('./public', join(directory, 'public'));
    const overrides = [...BOUNDS, 'admin.address=127.0.0.1:0', `admin.token=${TOKEN}`];
    const args = overrides.flatMap((override) => ['--set', override]);
    const sluice: SluiceProcess = await startSluice({ config: base, args });
    try {
      let [accepted, refused] = [0, 0];
      // Few of all mutations can be brought into force: half of these pass the check.
      const mutations = mutationsOf(base);
      await fc.assert(
        fc.asyncProperty(fc.oneof(mutations, mutations.filter(loadable)), async (mutated) => {
          sluice.writeConfig(mutated);
          const response = await fetch(`http://${sluice.admin}/reload`, {
            method: 'POST',
            headers: { Authorization: `Bearer ${TOKEN}` },
          });
          const { problem } = (await response.json()) as { problem: string | null };
          if (problem === null) {
            assert.equal(response.status, 200);
            accepted++;
          } else {
            assert.equal(response.status, 409);
            // The error concerns a setting, an address that cannot be bound, or a worker.
            assert.match(problem, /sluice\.yaml|--set|^listener ".*" cannot listen|^worker \S+: /);
            refused++;
          }
        }),
        RELOADS,
      );
      t.diagnostic(`${accepted} accepted, ${refused} refused`);
      assert.ok(accepted > 0 && refused > 0);
      sluice.writeConfig(base);
      await eventually(async () => {
        const response = await fetch(`http://${sluice.admin}/reload`, {
          method: 'POST',
          headers: { Authorization: `Bearer ${TOKEN}` },
        });
        assert.equal(response.status, 200, await response.text());
        assert.equal((await fetch(`http://${sluice.admin}/readyz`)).status, 200);
      });
      const { workers } = (await (await fetch(`http://${sluice.admin}/status`)).json()) as {
        workers: { restarts: number }[];
      };
      assert.ok(
        workers.every(({ restarts }) => restarts === 0),
        'no worker has failed',
      );
      assert.ok(!sluice.logs.some(({ level }) => level === 'fatal'));
    } finally {
      sluice.kill('SIGKILL');
    }
  });
});
