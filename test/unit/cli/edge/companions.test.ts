import assert from 'node:assert/strict';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { Companions } from '../../../../src/cli/edge/companions.ts';
import { createFile, replaceFile } from '../../../../src/cli/edge/new-file.ts';

const root = mkdtempSync(join(tmpdir(), 'sluice-companions-'));
const SOURCE = join(root, 'schema.json');
let folder = '';

function textOf(name: string): string {
  return readFileSync(join(folder, name), 'utf8');
}

after(() => rmSync(root, { recursive: true }));
beforeEach(() => {
  writeFileSync(SOURCE, '{"title":"ours","version":2}');
  folder = mkdtempSync(join(root, 'folder-'));
});

describe('the files beside a configuration', () => {
  it('have a secret token, which a second configuration keeps', () => {
    const first = new Companions(folder);
    assert.deepEqual([first.token().name, first.token().isNamed], ['admin.token', true]);
    const token = textOf('admin.token');
    assert.match(token, /^[0-9a-f]{48}\n$/);
    assert.equal(statSync(join(folder, 'admin.token')).mode & 0o777, 0o600);
    const second = new Companions(folder);
    assert.match(second.token().news, /existed before: its token is used/);
    second.remove();
    assert.equal(textOf('admin.token'), token);
  });

  it('have a warning if others can read an existing token', () => {
    writeFileSync(join(folder, 'admin.token'), 'a-token-of-the-operator\n');
    chmodSync(join(folder, 'admin.token'), 0o640);
    assert.match(new Companions(folder).token().news, /Others can read it: chmod 600/);
  });

  it('keep a link to a schema', () => {
    symlinkSync(SOURCE, join(folder, 'sluice.schema.json'));
    assert.ok(new Companions(folder).schema(pathToFileURL(SOURCE)).isNamed);
    assert.ok(lstatSync(join(folder, 'sluice.schema.json')).isSymbolicLink());
  });

  it('have the schema, renewed after an upgrade', () => {
    const schema = new Companions(folder).schema(pathToFileURL(SOURCE));
    assert.deepEqual([schema.name, schema.isNamed], ['sluice.schema.json', true]);
    writeFileSync(join(folder, schema.name), '{"title":"ours","version":1}');
    assert.ok(new Companions(folder).schema(pathToFileURL(SOURCE)).isNamed);
    assert.equal(textOf(schema.name), readFileSync(SOURCE, 'utf8'));
  });

  it("use a project's schema, and replace no foreign file", () => {
    for (const foreign of ['{"title":"theirs"}', 'no JSON', 'null']) {
      writeFileSync(join(folder, 'sluice.schema.json'), foreign);
      const { isNamed, news } = new Companions(folder).schema(pathToFileURL(SOURCE));
      assert.ok(!isNamed);
      assert.match(news, /is no schema of sluice/);
      assert.equal(textOf('sluice.schema.json'), foreign);
    }
    mkdirSync(join(folder, 'node_modules/sluice/config'), { recursive: true });
    writeFileSync(join(folder, 'node_modules/sluice/config/schema.json'), '{}');
    const { name, isNamed } = new Companions(folder).schema(pathToFileURL(SOURCE));
    assert.deepEqual([name, isNamed], ['node_modules/sluice/config/schema.json', true]);
  });

  it('are removed if the configuration cannot be written', () => {
    const companions = new Companions(folder);
    companions.token();
    companions.schema(pathToFileURL(SOURCE));
    companions.remove();
    assert.deepEqual(readdirSync(folder), []);
  });
});

describe('a new file', () => {
  const file = (text: string) => ({ file: join(folder, 'new'), text, mode: 0o666 });

  it('never replaces another, with and without hard links', () => {
    const noLinks = (): never => {
      throw Object.assign(new Error('no links'), { code: 'EPERM' });
    };
    for (const link of [undefined, noLinks]) {
      createFile(file('one'), link);
      assert.throws(() => createFile(file('two'), link), { message: /new cannot be written: it exists/ });
      assert.equal(textOf('new'), 'one');
      assert.deepEqual(readdirSync(folder), ['new']);
      rmSync(join(folder, 'new'));
    }
  });

  it('has one error for a name that is impossible', () => {
    symlinkSync('loop', join(folder, 'loop'));
    for (const name of [join('loop', 'x'), 'n'.repeat(300)]) {
      const impossible = { ...file('one'), file: join(folder, name) };
      assert.throws(() => createFile(impossible), { name: 'StartError', message: /cannot be written: / });
    }
  });

  it('replaces regular files only', () => {
    replaceFile(file('one'));
    replaceFile(file('two'));
    assert.equal(textOf('new'), 'two');
    rmSync(join(folder, 'new'));
    mkdirSync(join(folder, 'new'));
    assert.throws(() => replaceFile(file('three')), {
      message: /cannot be written: it is not a regular file/,
    });
    assert.deepEqual(readdirSync(folder), ['new']);
  });
});
