/** Checks that the Dockerfile fits the repository and the program. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, it } from 'node:test';
import { parseArguments } from '../../../src/cli/arguments.ts';

const ROOT = resolve(import.meta.dirname, '../../..');
const DEPLOY = join(ROOT, 'deploy');

describe('the Dockerfile', () => {
  const lines = readFileSync(join(DEPLOY, 'docker/Dockerfile'), 'utf8').replaceAll('\\\n', ' ').split('\n');
  const instructions = (name: string): string[] =>
    lines.filter((line) => line.startsWith(`${name} `)).map((line) => line.slice(name.length + 1));

  it('copies existing files that .dockerignore does not exclude', () => {
    const admitted = readFileSync(join(DEPLOY, 'docker/Dockerfile.dockerignore'), 'utf8').split('\n');
    for (const copy of instructions('COPY').filter((line) => !line.startsWith('--from'))) {
      for (const source of copy.split(' ').slice(0, -1)) {
        const path = source.replace(/^\.\//, '');
        assert.ok(existsSync(join(ROOT, path)), path);
        assert.ok(admitted.includes(`!${path}`), `${path} is kept out`);
      }
    }
  });

  it('keeps the binary of uWebSockets.js for its own platform only', () => {
    const prune = instructions('RUN').find((line) => line.includes('uws_'));
    const directory = mkdtempSync(join(tmpdir(), 'sluice-docker-'));
    try {
      const binaries = join(directory, 'node_modules/uWebSockets.js/dist/bin');
      mkdirSync(binaries, { recursive: true });
      const { platform, arch, versions } = process;
      const own = `uws_${platform}_${arch}_${versions.modules}.node`;
      const names = [own, `uws_${platform}_${arch}_1.node`, `uws_win32_${arch}_${versions.modules}.node`];
      for (const name of [...names, 'uws.js']) writeFileSync(join(binaries, name), '');
      const { status, stderr } = spawnSync('/bin/sh', ['-c', prune!], { cwd: directory });
      assert.deepEqual([status, stderr.toString()], [0, '']);
      assert.deepEqual(readdirSync(binaries).toSorted(), ['uws.js', own].toSorted());
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it('keeps the binaries of koffi and the files that Node loads', () => {
    const prune = instructions('RUN').find((line) => line.includes('musl_'))!;
    const directory = mkdtempSync(join(tmpdir(), 'sluice-docker-'));
    const files = ['linux_x64/koffi.node', 'index.js', 'index.mjs', 'data.json', 'LICENSE.md'];
    const others = ['musl_x64/koffi.node', 'index.js.map', 'index.d.ts', 'index.d.cts', 'index.d.mts'];
    try {
      for (const file of [...files, ...others]) {
        const path = join(directory, 'node_modules/koffi', file);
        mkdirSync(dirname(path), { recursive: true });
        writeFileSync(path, '');
      }
      const { status, stderr } = spawnSync('/bin/sh', ['-c', prune], { cwd: directory });
      assert.deepEqual([status, stderr.toString()], [0, '']);
      const left = readdirSync(join(directory, 'node_modules/koffi'), {
        recursive: true,
        withFileTypes: true,
      })
        .filter((entry) => entry.isFile())
        .map((entry) => relative(join(directory, 'node_modules/koffi'), join(entry.parentPath, entry.name)));
      assert.deepEqual(left.toSorted(), files.toSorted());
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it('ends with an unprivileged user, a health check without a shell, and commands that sluice has', () => {
    assert.deepEqual(instructions('FROM'), ['node:22-bookworm AS build', 'scratch']);
    assert.deepEqual(instructions('USER'), ['1000:1000']);
    const [health = ''] = instructions('HEALTHCHECK');
    const argvOf = (text: string): string[] => JSON.parse(text) as string[];
    const [program, ...status] = argvOf(/CMD (\[.*\])$/.exec(health)?.[1] ?? '');
    assert.deepEqual([program], argvOf(instructions('ENTRYPOINT')[0]!));
    for (const argv of [status, argvOf(instructions('CMD')[0]!)]) {
      assert.equal(parseArguments(argv, {}).kind, 'command');
    }
  });
});
