/** Included files and files with one text: `--watch` and reloads follow them. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, renameSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { eventually } from '../../support/deadline.ts';
import { ReloadRig } from '../../support/rigs/reload-rig.ts';

describe('included files', { timeout: 120_000 }, () => {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-included-'));
  let rig: ReloadRig;
  let url: string;

  /** Replaces a file as editors and tools do. */
  function put(name: string, text: string): void {
    const path = join(directory, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(`${path}.new`, text);
    renameSync(`${path}.new`, path);
  }

  async function bodyOf(path: string): Promise<string> {
    const response = await fetch(`${url}${path}`, { headers: { connection: 'close' } });
    return response.text();
  }

  before(async () => {
    put('sites/a.yaml', '- { match: { path: /a }, respond: { body: "a" } }\n');
    put('motd', 'one\n');
    const web = {
      name: 'web',
      mode: 'l7',
      address: '127.0.0.1:0',
      routes: [
        { include: join(directory, 'sites/*.yaml') },
        { match: {}, respond: { body: { file: join(directory, 'motd') } } },
      ],
    };
    rig = await ReloadRig.start({ listeners: [web] }, ['--watch']);
    url = `http://${await rig.address('web')}`;
  });
  after(async () => {
    assert.deepEqual(await rig.sluice.stop(), { code: 0, signal: null });
    rmSync(directory, { recursive: true });
  });

  it('serve a new file that matches, its changes, and no longer a removed one', async () => {
    assert.deepEqual([await bodyOf('/a'), await bodyOf('/b')], ['a', 'one']);
    put('sites/b.yaml', '- { match: { path: /b }, respond: { body: "b" } }\n');
    await eventually(async () => assert.equal(await bodyOf('/b'), 'b'));
    put('sites/b.yaml', '- { match: { path: /b }, respond: { body: "c" } }\n');
    await eventually(async () => assert.equal(await bodyOf('/b'), 'c'));
    unlinkSync(join(directory, 'sites/b.yaml'));
    await eventually(async () => assert.equal(await bodyOf('/b'), 'one'));
  });

  it('keep the old configuration after a mistake, and name its place', async () => {
    put('sites/c.yaml', '# routes\n- match: {}\n  cluster: none\n');
    const { place } = await rig.sluice.waitForLog(
      ({ level, msg }) => level === 'error' && msg.includes('no cluster'),
    );
    assert.equal(place, `${join(directory, 'sites/c.yaml')}:3:12`);
    assert.equal(await bodyOf('/a'), 'a');
    unlinkSync(join(directory, 'sites/c.yaml'));
  });

  it('serve the changed text of a file', async () => {
    put('motd', 'two\n');
    await eventually(async () => assert.equal(await bodyOf('/b'), 'two'));
  });
});
