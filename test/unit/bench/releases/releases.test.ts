import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Unpacked } from '../../../../bench/releases/unpacked.ts';

const ROOT = resolve(import.meta.dirname, '../../../..');
const isSupported = process.platform === 'linux' && ['x64', 'arm64'].includes(process.arch);

describe('releases of other proxies', { skip: !isSupported && 'for Linux on x64 and arm64 only' }, () => {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-releases-'));

  before(() => {
    const sbin = join(directory, 'root/usr/sbin');
    mkdirSync(sbin, { recursive: true });
    // A package with a program that prints its version and its arguments.
    writeFileSync(join(sbin, 'nginx'), '#!/bin/sh\necho "nginx version: nginx/9.9.9 $*" >&2\n');
    chmodSync(join(sbin, 'nginx'), 0o755);
  });
  after(() => rmSync(directory, { recursive: true }));

  const ask = (code: string, peers: string): string => {
    const programs = join(ROOT, 'bench/peers/programs.ts');
    const script = `import { programOf, fileOf, versionOf } from '${programs}'; console.log(${code});`;
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      encoding: 'utf8',
      env: { ...process.env, SLUICE_BENCH_PEERS: peers },
    });
    assert.notEqual(stdout, '', stderr);
    return stdout.trim();
  };

  it('are started by name, with their arguments unchanged', () => {
    const path = new Unpacked(directory).expose('nginx');
    assert.equal(path, join(directory, 'bin/nginx'));
    const { status, stderr } = spawnSync(path, ['-a', 'b c', "d'e"], { encoding: 'utf8' });
    assert.deepEqual([status, stderr], [0, "nginx version: nginx/9.9.9 -a b c d'e\n"]);
  });

  it('are reported missing if no package contains them', () => {
    assert.throws(() => new Unpacked(directory).expose('haproxy'), /^StartError: no package has haproxy$/);
  });

  it("replace the machine's own programs in measurements, with their own modules", () => {
    new Unpacked(directory).expose('nginx');
    assert.equal(ask("programOf('nginx')", directory), join(directory, 'bin/nginx'));
    assert.equal(ask("fileOf('nginx', '/usr/lib/m.so')", directory), join(directory, 'root/usr/lib/m.so'));
    assert.equal(ask("versionOf('nginx')", directory), '9.9.9');
    assert.equal(ask("programOf('haproxy')", directory), 'haproxy');
    assert.equal(ask("fileOf('haproxy', '/usr/lib/m.so')", directory), '/usr/lib/m.so');
  });

  it('are not used if SLUICE_BENCH_PEERS is empty', () => {
    assert.equal(ask("programOf('nginx')", ''), 'nginx');
  });

  it('are not downloaded if the arguments are invalid', () => {
    for (const args of [['--suite', '../x'], ['--dir', "a'b"], ['--nonsense']]) {
      const command = [join(ROOT, 'bench/releases/run.ts'), ...args];
      const { status, stderr } = spawnSync(process.execPath, command, { encoding: 'utf8' });
      assert.equal(status, 2, stderr);
      assert.match(stderr, /^bench:peers: /);
    }
  });
});
