/** The package as users install it: by npm from its tarball, into clean projects. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import { ENGINES } from '../../support/engines.ts';
import { runInPlace, succeed } from '../../support/package/npm.ts';
import { PackageStage, sizesOf, type Project } from '../../support/package/package-stage.ts';
import { echoConfig, proxyEchoes } from '../../support/package/proxied-echo.ts';
import { PROGRAM } from '../../support/processes/program.ts';

const MB = 1_000_000;
const MAX_MB = 200;
const MAX_MB_WITHOUT_OPTIONAL = 60;
const ENDPOINT = '127.0.0.1:9';

/** Writes the configuration of an installed sluice, and returns its file. */
function configure(project: Project, engine: string): string {
  const file = join(project.folder, `${engine}.json`);
  writeFileSync(file, JSON.stringify(echoConfig({ web: { engine } }, ENDPOINT)));
  return file;
}

/** Fails if the installed packages take too many MB, by their lengths or on the disk. */
function assertSmaller(t: TestContext, project: Project, maxMb: number): void {
  for (const [what, bytes] of Object.entries(sizesOf(join(project.folder, 'node_modules')))) {
    const size = `${what}: ${(bytes / MB).toFixed(1)} MB`;
    t.diagnostic(size);
    assert.ok(bytes < maxMb * MB, size);
  }
}

describe(
  'the installed package',
  { skip: PROGRAM.endsWith('.ts') ? 'dist is older than the sources: npm run build' : false },
  () => {
    let stage: PackageStage;
    let whole: Project;
    before(async () => {
      stage = await PackageStage.pack();
      whole = await stage.install('whole');
    });
    after(() => stage.remove());

    it('has the command sluice and no Node', async () => {
      const commands = readdirSync(join(whole.folder, 'node_modules/.bin'));
      assert.ok(commands.includes('sluice'));
      assert.ok(!commands.includes('node'));
      const { stdout } = await succeed(whole, 'npm', 'ls', '--all', '--parseable');
      const packages = stdout.trim().split('\n');
      assert.ok(packages.some((path) => path.endsWith('/node_modules/sluice')));
      assert.deepEqual(
        packages.filter((path) =>
          /\/node_modules\/(?:node$|node-(?:bin|linux|darwin)|pinned-node)/.test(path),
        ),
        [],
      );
    });

    it(`takes less than ${MAX_MB} MB`, (t) => assertSmaller(t, whole, MAX_MB));

    it('has the licence of every package that dist contains, and installs no second copy', () => {
      const text = readFileSync(join(whole.folder, 'node_modules/sluice/dist/THIRD-PARTY.txt'), 'utf8');
      const contained = Array.from(
        text.matchAll(/^(\S+) \d+\.\d+\.\d+\S* \([^)]+\)$/gm),
        ([, name]) => name!,
      );
      for (const name of ['pino', '@opentelemetry/core', '@redis/client', 'uplot']) {
        assert.ok(contained.includes(name), name);
      }
      assert.deepEqual(
        contained.filter((name) => existsSync(join(whole.folder, 'node_modules', name))),
        [],
      );
    });

    it('runs through npx, and checks a configuration', async () => {
      const { stdout } = await succeed(whole, 'npx', 'sluice', '--version');
      assert.match(stdout, /^sluice \d+\.\d+\.\d+\n$/);
      const file = configure(whole, 'auto');
      const checked = await succeed(whole, 'npx', 'sluice', 'check', '-c', file);
      assert.deepEqual(checked, {
        status: 0,
        stdout: `${file}: valid, with 1 listener and 1 cluster\n`,
        stderr: '',
      });
    });

    it('proxies WebSockets on each engine of this machine, without a word on stderr', async () => {
      const listeners = Object.fromEntries(['auto', ...ENGINES].map((engine) => [engine, { engine }]));
      assert.equal(await proxyEchoes(whole, listeners), '');
    });

    describe('without its optional packages', () => {
      let bare: Project;
      before(async () => {
        bare = await stage.install('bare', { options: ['--omit=optional'] });
      });

      it(`takes less than ${MAX_MB_WITHOUT_OPTIONAL} MB`, (t) =>
        assertSmaller(t, bare, MAX_MB_WITHOUT_OPTIONAL));

      it('proxies WebSockets on the engine net', async () => {
        assert.equal(await proxyEchoes(bare, { auto: { engine: 'auto' }, net: { engine: 'net' } }), '');
      });

      for (const [engine, problem] of [
        [
          'raw',
          process.platform === 'linux'
            ? 'listener "web" needs the engine raw, and system calls cannot be used: the package koffi is not ' +
              'installed (npm installs it without --omit=optional); write engine: auto to fall back to net'
            : 'listener "web" needs the engine raw, and system calls cannot be used: requires Linux, not ' +
              `${process.platform}; write engine: auto to fall back to net`,
        ],
        [
          'uws',
          'listener "web" needs the engine uws, which cannot be used: the package uWebSockets.js is not ' +
            'installed; install sluice without --omit=optional, or leave "engine: uws" out',
        ],
      ] as const) {
        it(`says what to do if a listener needs ${engine}: check warns, run refuses`, async () => {
          const file = configure(bare, engine);
          const checked = await runInPlace(bare, bare.sluice, 'check', '-c', file);
          assert.deepEqual(
            [checked.status, checked.stderr],
            [0, `warning: listeners.0: on this machine, ${problem}\n`],
          );
          const run = await runInPlace(bare, bare.sluice, 'run', '-c', file);
          assert.deepEqual([run.status, run.stderr], [1, `sluice: ${problem}\n`]);
        });
      }
    });

    it('can be installed on a machine that fits neither uWebSockets.js nor koffi', async () => {
      const misfits = join(stage.folder, 'misfits');
      const overrides: Record<string, string> = {};
      for (const [name, version, more] of [
        ['uWebSockets.js', '20.0.8', { os: ['aix'] }],
        ['koffi', '3.3.4', { cpu: ['s390'] }],
      ] as const) {
        const folder = join(misfits, name);
        mkdirSync(folder, { recursive: true });
        const manifest = { name: name.toLowerCase(), version, ...more };
        writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest));
        await succeed({ ...whole, folder }, 'npm', 'pack', '--pack-destination', misfits);
        overrides[name] = `file:${join(misfits, `${name.toLowerCase()}-${version}.tgz`)}`;
      }
      const project = await stage.install('misfit', { manifest: { overrides } });
      const installed = readdirSync(join(project.folder, 'node_modules'));
      assert.ok(installed.includes('sluice'));
      assert.deepEqual(
        installed.filter((name) => name in overrides),
        [],
      );
      assert.match((await succeed(project, project.sluice, '--version')).stdout, /^sluice /);
    });
  },
);
