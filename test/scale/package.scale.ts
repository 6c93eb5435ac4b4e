/** The package under each Node that npm can bring: in a project, through npx, and installed for a machine. */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { CertificateAuthority } from '../support/certificates.ts';
import { runInPlace, succeed } from '../support/package/npm.ts';
import { PackageStage, type Project } from '../support/package/package-stage.ts';
import { echoConfig, proxyEchoes } from '../support/package/proxied-echo.ts';

/** Nodes that must run sluice, and whether uWebSockets.js has a binary for them. */
const SUITABLE = [
  { version: '22.18.0', hasUws: true },
  { version: '22', hasUws: true },
  { version: '24.0.0', hasUws: false },
  { version: '24', hasUws: false },
  { version: '26', hasUws: false },
];
/** Nodes that must say in one sentence what to do. */
const UNSUITABLE = ['18', '20', '21', '22.17.1', '23'];

let stage: PackageStage;
before(async () => {
  stage = await PackageStage.pack();
});
after(() => stage.remove());

/** Installs a Node apart from all projects. Returns its binary. */
async function installNode(version: string): Promise<string> {
  const folder = join(stage.folder, `node-${version}`);
  mkdirSync(folder);
  writeFileSync(join(folder, 'package.json'), '{ "private": true }');
  const name = `node-linux-${process.arch}@${version}`;
  await succeed({ folder, node: process.execPath }, 'npm', 'install', '--prefer-offline', '--no-audit', name);
  return join(folder, `node_modules/node-linux-${process.arch}/bin/node`);
}

function configure(project: Project, settings: object): string {
  const file = join(project.folder, 'sluice.json');
  writeFileSync(file, JSON.stringify(echoConfig({ web: settings }, '127.0.0.1:9')));
  return file;
}

describe('the package on Linux', { skip: process.platform === 'linux' ? false : 'npm has no Node' }, () => {
  for (const { version, hasUws } of SUITABLE) {
    describe(`under Node ${version}`, () => {
      let project: Project;
      let authority: CertificateAuthority;
      before(async () => {
        authority = new CertificateAuthority();
        const node = await installNode(version);
        project = await stage.install(`project-${version}`, { node });
      });
      after(() => authority.remove());

      it('is installed without a warning about Node, and brings none', () => {
        assert.doesNotMatch(project.warnings, /EBADENGINE|deprecated/);
        assert.ok(!readdirSync(join(project.folder, 'node_modules/.bin')).includes('node'));
      });

      it('proxies WebSockets with and without TLS, without a word on stderr', async () => {
        const { cert, key } = authority.issue('localhost', ['DNS:localhost', 'IP:127.0.0.1']);
        const tls = { certificates: [{ cert, key }] };
        const listeners = {
          raw: { engine: 'raw' },
          'raw-tls': { engine: 'raw', tls },
          net: { engine: 'net' },
          'net-tls': { engine: 'net', tls },
          'l4-raw': { mode: 'l4', engine: 'raw', routes: undefined, cluster: 'app' },
          'l4-net': { mode: 'l4', engine: 'net', routes: undefined, cluster: 'app' },
          ...(hasUws ? { uws: { engine: 'uws' } } : {}),
        };
        assert.equal(await proxyEchoes(project, listeners), '');
      });

      it('runs through npx, and installed for a machine', async () => {
        const npx = await succeed(project, 'npx', 'sluice', '--version');
        const { sluice } = await stage.installGlobally(`global-${version}`, project.node);
        const own = await succeed(project, sluice, '--version');
        assert.match(npx.stdout, /^sluice \d+\.\d+\.\d+\n$/);
        assert.deepEqual(own, npx);
        assert.equal((await succeed(project, sluice, 'check', '-c', configure(project, {}))).stderr, '');
      });

      if (hasUws) return;
      for (const settings of [{ engine: 'uws' }, { websocket: { compression: 'shared' } }]) {
        it(`says that ${JSON.stringify(settings)} needs Node 22`, async () => {
          const file = configure(project, settings);
          const problem =
            /listener "web" needs the engine uws, which cannot be used: uWebSockets\.js has no binary for Node [\d.]+ on linux \w+; use Node 22, or leave ".*" out\n$/;
          const checked = await runInPlace(project, project.sluice, 'check', '-c', file);
          assert.equal(checked.status, 0);
          assert.match(checked.stderr, problem);
          const run = await runInPlace(project, project.sluice, 'run', '-c', file);
          assert.equal(run.status, 1);
          assert.match(run.stderr, problem);
        });
      }
    });
  }

  describe('under a Node that cannot run it', () => {
    let installed: Project;
    before(async () => {
      // npm itself needs a newer Node.
      installed = await stage.install('unsuitable', { options: ['--omit=optional'] });
    });

    for (const version of UNSUITABLE) {
      it(`says so in one sentence: Node ${version}`, async () => {
        const project = { ...installed, node: await installNode(version) };
        const file = configure(project, {});
        for (const command of ['check', 'run']) {
          const { status, stdout, stderr } = await runInPlace(project, project.sluice, command, '-c', file);
          assert.deepEqual([status, stdout], [1, '']);
          assert.match(
            stderr,
            /^sluice: Node [\d.]+ cannot run sluice: install Node 22\.18 or a later 22, or Node 24 or later\n$/,
          );
        }
      });
    }
  });
});
