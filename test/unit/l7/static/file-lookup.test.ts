import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { readFile, realpath } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { namesOf, openBelow } from '../../../../src/l7/static/file-lookup.ts';

describe('namesOf', () => {
  it('decodes the names of a path once', () => {
    assert.deepEqual(namesOf('/'), []);
    assert.deepEqual(namesOf('/a/b.html'), ['a', 'b.html']);
    assert.deepEqual(namesOf('//a///b/'), ['a', 'b']);
    assert.deepEqual(namesOf('/caf%C3%A9/a%20b%25'), ['café', 'a b%']);
    assert.deepEqual(namesOf('/%252e%252e/x'), ['%2e%2e', 'x']);
  });

  it('refuses names that leave the root', () => {
    for (const path of [
      '/..',
      '/a/../b',
      '/%2e%2e/b',
      '/.',
      '/a%2Fb',
      '/..%2Fb',
      '/a%5Cb',
      '/..%5Cb',
      '/a\\b',
      '/a%00',
      '/a%00.html',
      '/%ff',
      '/%zz',
    ]) {
      assert.equal(namesOf(path), null, path);
    }
  });

  it('refuses hidden names except .well-known at the root', () => {
    for (const path of [
      '/.git/config',
      '/.env',
      '/a/.htaccess',
      '/a/.well-known/x',
      '/.well-known/.x',
      '/.well-knownx',
      '/...',
    ]) {
      assert.equal(namesOf(path), null, path);
    }
    assert.deepEqual(namesOf('/.well-known/acme-challenge/x'), ['.well-known', 'acme-challenge', 'x']);
  });
});

describe('openBelow', () => {
  let directory = '';
  let root = '';

  before(async () => {
    directory = await realpath(mkdtempSync(join(tmpdir(), 'sluice-lookup-')));
    root = join(directory, 'root');
    for (const path of ['root/sub', 'root/..data', 'outside', 'root-beside'])
      mkdirSync(join(directory, path), { recursive: true });
    for (const path of [
      'root/a.txt',
      'root/sub/b.txt',
      'root/..data/c.txt',
      'outside/secret',
      'root-beside/secret',
    ]) {
      writeFileSync(join(directory, path), path);
    }
    symlinkSync('sub/b.txt', join(root, 'inside'));
    symlinkSync('..data/c.txt', join(root, 'c.txt'));
    symlinkSync('../outside', join(root, 'outside'));
    symlinkSync(join(directory, 'outside/secret'), join(root, 'secret'));
    symlinkSync('../root-beside/secret', join(root, 'beside'));
    symlinkSync('loop', join(root, 'loop'));
    symlinkSync('..', join(root, 'up'));
    symlinkSync('root', join(directory, 'current'));
    execFileSync('mkfifo', [join(root, 'fifo')]);
  });

  after(() => {
    rmSync(directory, { recursive: true, force: true });
  });

  async function textOf(from: string, ...names: string[]): Promise<string> {
    const found = await openBelow(from, names);
    assert.ok(found !== null && found !== 'directory', names.join('/'));
    try {
      assert.equal(Number(found.stats.size), (await readFile(join(from, ...names))).length);
      return await found.handle.readFile('utf8');
    } finally {
      await found.handle.close();
    }
  }

  it('opens a regular file', async () => {
    assert.equal(await textOf(root, 'a.txt'), 'root/a.txt');
    assert.equal(await textOf(root, 'sub', 'b.txt'), 'root/sub/b.txt');
  });

  it('follows links inside the root, even into hidden directories', async () => {
    assert.equal(await textOf(root, 'inside'), 'root/sub/b.txt');
    assert.equal(await textOf(root, 'c.txt'), 'root/..data/c.txt');
  });

  it('accepts a root that is a link', async () => {
    assert.equal(await textOf(join(directory, 'current'), 'sub', 'b.txt'), 'root/sub/b.txt');
  });

  it('refuses links that lead outside the root', async () => {
    for (const names of [
      ['secret'],
      ['outside'],
      ['outside', 'secret'],
      ['beside'],
      ['up'],
      ['up', 'outside', 'secret'],
    ]) {
      assert.equal(await openBelow(root, names), null, names.join('/'));
    }
    assert.equal(await openBelow(root, ['..', 'outside', 'secret']), null);
  });

  it('recognises directories, even the root', async () => {
    assert.equal(await openBelow(root, ['sub']), 'directory');
    assert.equal(await openBelow(root, []), 'directory');
  });

  it('refuses a FIFO without waiting for its writer', async () => {
    assert.equal(await openBelow(root, ['fifo']), null);
  });

  it("throws the file system's error", async () => {
    for (const [code, ...names] of [
      ['ENOENT', 'missing'],
      ['ENOTDIR', 'a.txt', 'x'],
      ['ELOOP', 'loop'],
      ['ENAMETOOLONG', 'x'.repeat(300)],
    ] as const) {
      await assert.rejects(openBelow(root, names), { code });
    }
    await assert.rejects(openBelow(join(directory, 'missing'), []), { code: 'ENOENT' });
  });

  it('cannot open a UNIX socket', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(join(root, 'socket'), resolve));
    await assert.rejects(openBelow(root, ['socket']), { code: 'ENXIO' });
    await new Promise((resolve) => server.close(resolve));
  });
});
