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
import { join, resolve } from 'node:path';
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
    const [prune, ...others] = instructions('RUN').filter((line) => line.startsWith('find '));
    assert.deepEqual(others, []);
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

  it('ends with an unprivileged user, a health check, and commands that sluice has', () => {
    assert.deepEqual(
      new Set(instructions('FROM').map((line) => line.split(' ')[0])),
      new Set(['node:22-slim']),
    );
    assert.deepEqual(instructions('USER'), ['node']);
    const [health = ''] = instructions('HEALTHCHECK');
    const argvOf = (text: string): string[] => JSON.parse(text) as string[];
    const [node, script, ...status] = argvOf(/CMD (\[.*\])$/.exec(health)?.[1] ?? '');
    assert.deepEqual([node, script], argvOf(instructions('ENTRYPOINT')[0]!));
    for (const argv of [status, argvOf(instructions('CMD')[0]!)]) {
      assert.equal(parseArguments(argv, {}).kind, 'command');
    }
  });
});
