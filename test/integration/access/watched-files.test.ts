/** Files that access names: a change of them is a change of the configuration. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { eventually } from '../../support/deadline.ts';
import { ReloadRig } from '../../support/rigs/reload-rig.ts';

describe('the files of access', { timeout: 120_000 }, () => {
  const directory = mkdtempSync(join(tmpdir(), 'access-files-'));
  let rig: ReloadRig;
  let url: string;

  /** Replaces a file as editors and tools do. */
  function put(name: string, text: string): void {
    writeFileSync(join(directory, `${name}.new`), text);
    renameSync(join(directory, `${name}.new`), join(directory, name));
  }

  function entryOf(user: string, password: string): string {
    return `${user}:{SHA}${createHash('sha1').update(password).digest('base64')}\n`;
  }

  async function statusOf(path: string, credentials = ''): Promise<number> {
    const headers: Record<string, string> = { connection: 'close' };
    if (credentials !== '') headers.authorization = `Basic ${Buffer.from(credentials).toString('base64')}`;
    const response = await fetch(`${url}${path}`, { headers });
    await response.body?.cancel();
    return response.status;
  }

  before(async () => {
    put('blocked.txt', '# nobody\n');
    put('users', entryOf('alice', 'secret'));
    const users = { deny: 'off', basic: { file: join(directory, 'users') } };
    const web = {
      name: 'web',
      mode: 'l7',
      address: '127.0.0.1:0',
      access: { deny: [{ file: join(directory, 'blocked.txt') }] },
      routes: [
        { match: { path: '/users' }, respond: { body: 'fine' }, access: users },
        { match: {}, respond: { body: 'fine' } },
      ],
    };
    rig = await ReloadRig.start({ listeners: [web] }, ['--watch']);
    url = `http://${await rig.address('web')}`;
  });
  after(async () => {
    assert.deepEqual(await rig.sluice.stop(), { code: 0, signal: null });
    rmSync(directory, { recursive: true });
  });

  it('block addresses after a change, and ignore a change with a bad line', async () => {
    assert.equal(await statusOf('/'), 200);
    put('blocked.txt', '192.0.2.0/24\n127.0.0.0/8 # this machine\n');
    await eventually(async () => assert.equal(await statusOf('/'), 403));
    put('blocked.txt', '192.0.2.0/24\nthis machine\n');
    const { msg } = await rig.sluice.waitForLog(
      ({ level, place }) => level === 'error' && place !== undefined,
    );
    assert.match(msg, /line 2 of ".*blocked\.txt": "this machine" is neither an IP address nor a CIDR block/);
    assert.equal(await statusOf('/'), 403);
    put('blocked.txt', '');
    await eventually(async () => assert.equal(await statusOf('/'), 200));
  });

  it('admit new users, and refuse removed users', async () => {
    assert.equal(await statusOf('/users', 'alice:secret'), 200);
    assert.equal(await statusOf('/users', 'bob:secret too'), 401);
    put('users', entryOf('bob', 'secret too'));
    await eventually(async () => assert.equal(await statusOf('/users', 'bob:secret too'), 200));
    assert.equal(await statusOf('/users', 'alice:secret'), 401);
  });
});
