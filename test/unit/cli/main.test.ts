import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, it } from 'node:test';

const ROOT = resolve(import.meta.dirname, '../../..');
const DEMO = 'config/sluice.yaml';
const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };

const directory = mkdtempSync(join(tmpdir(), 'sluice-main-'));
process.once('exit', () => rmSync(directory, { recursive: true, force: true }));

interface Result {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface Extras {
  /** JavaScript that runs before sluice does. */
  readonly before?: string;
  readonly env?: Readonly<Record<string, string>>;
}

function sluice(argv: readonly string[], { before = '', env = {} }: Extras = {}): Result {
  const hook = `data:text/javascript,${encodeURIComponent(before)}`;
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [...(before === '' ? [] : ['--import', hook]), 'src/main.ts', ...argv],
    { cwd: ROOT, env: { PATH: process.env.PATH, ...env }, encoding: 'utf8', timeout: 30_000 },
  );
  return { status, stdout, stderr };
}

function write(name: string, text: string): string {
  const file = join(directory, name);
  writeFileSync(file, text);
  return file;
}

const GOOD = `listeners: [{ name: a, mode: l4, address: ':1', cluster: app }]
clusters: [{ name: app, endpoints: [{ address: 'a:1' }] }, { name: b, endpoints: [{ address: 'a:1' }] }]
`;

describe('signals that come early', () => {
  const before = `process.once('exit', () => {
    console.log(['SIGUSR1', 'SIGHUP', 'SIGUSR2'].filter((name) => process.listenerCount(name) > 0).join());
  })`;

  it('do not end a proxy that is not ready, and open no inspector', () => {
    const file = join(directory, 'missing.yaml');
    assert.equal(sluice(['run', '-c', file], { before }).stdout, 'SIGUSR1,SIGHUP,SIGUSR2\n');
    assert.equal(sluice(['check', '-c', file], { before }).stdout, 'SIGUSR1\n');
  });
});

describe('sluice check', () => {
  it('says that a configuration is valid, and warns on stderr', () => {
    const file = write('good.yaml', GOOD);
    assert.deepEqual(sluice(['check', '-c', file]), {
      status: 0,
      stdout: `${file}: valid, with 1 listener and 2 clusters\n`,
      stderr: `warning: ${file}:2:60: nothing uses the cluster "b"\n`,
    });
  });

  it('reports each problem on its own line with its place, and exits with 1', () => {
    const file = write('bad.yaml', GOOD.replace("':1'", "':x'").replace('cluster: app', 'cluster: ap'));
    const { status, stdout, stderr } = sluice(['check', '-c', file, '--set', 'log.level=loud']);
    assert.equal(status, 1);
    assert.equal(stdout, '');
    const lines = stderr.trimEnd().split('\n');
    assert.deepEqual(
      lines.map((line) => line.replace(`${file}:`, '').split(': ')[0]),
      // Nothing uses the clusters: see the second problem.
      ['1:43', '1:58', '--set log.level', 'warning', 'warning'],
    );
  });

  it('accepts the configurations shipped with sluice', () => {
    for (const name of ['sluice.yaml', 'example.yaml']) {
      const { status, stderr } = sluice(['check', '--config', `config/${name}`]);
      // The machine that runs this may have too few descriptors for the example.
      const problems = stderr.split('\n').filter((line) => !/limit of \d+ open descriptors/.test(line));
      assert.deepEqual({ status, problems }, { status: 0, problems: [''] }, name);
    }
  });

  it('does the same as run -t', () => {
    const file = write('good.yaml', GOOD);
    assert.deepEqual(sluice(['run', '-t', '-c', file]), sluice(['check', '-c', file]));
  });

  it('takes values from the environment and the command line', () => {
    const file = write('good.yaml', GOOD);
    const env = { SLUICE_LOG_LEVEL: 'loud' };
    assert.match(
      sluice(['check', '-c', file], { env }).stderr,
      /^environment SLUICE_LOG_LEVEL: "loud" is not one of/,
    );
    assert.equal(sluice(['check', '-c', file, '--set', 'log.level=info'], { env }).status, 0);
  });

  it('loads neither uWebSockets.js nor the code of the threads', () => {
    // check asks which engines the machine has.
    const before = `
      import { registerHooks } from 'node:module';
      const asked = /\\/(engine-choice|machine|process-settings)\\.ts$/;
      const running = /^uWebSockets|^piscina|\\/(l4|l7|worker|primary)\\//;
      registerHooks({
        resolve(specifier, context, next) {
          if (running.test(specifier) && !asked.test(specifier)) throw new Error('loads ' + specifier);
          return next(specifier, context);
        },
      });
    `;
    for (const command of ['check', 'print-config']) {
      const { status, stderr } = sluice([command, '-c', DEMO], { before });
      assert.deepEqual({ status, stderr }, { status: 0, stderr: '' }, command);
    }
  });
});

describe('sluice print-config', () => {
  it('applies overrides, and prints a configuration that sluice can read again', () => {
    const printed = sluice([
      'print-config',
      '-c',
      DEMO,
      '--set',
      'log.level=debug',
      '--set',
      'shutdown.grace=7s',
    ]);
    assert.equal(printed.status, 0);
    assert.match(printed.stdout, /^ {2}level: debug$/m);
    assert.match(printed.stdout, /^ {2}grace: 7s$/m);
    const again = sluice(['print-config', '-c', write('printed.yaml', printed.stdout)]);
    assert.equal(again.stdout, printed.stdout);
  });

  it('prints nothing for an invalid configuration', () => {
    const { status, stdout } = sluice(['print-config', '-c', DEMO, '--set', 'log.level=loud']);
    assert.deepEqual({ status, stdout }, { status: 1, stdout: '' });
  });
});

describe('sluice', () => {
  it('prints the version in package.json', () => {
    for (const option of ['--version', '-V', '-v'])
      assert.deepEqual(sluice([option]), { status: 0, stdout: `sluice ${version}\n`, stderr: '' });
  });

  it('prints help on stdout', () => {
    assert.match(sluice(['--help']).stdout, /^Usage: sluice COMMAND/);
    assert.match(sluice(['run', '--help']).stdout, /^Usage: sluice run/);
  });

  it('runs the load generator', () => {
    const help = sluice(['bench', '--help']);
    assert.match(help.stdout, /^Usage: sluice bench URL/);
    assert.equal(help.status, 0);
    const { status, stdout } = sluice(['bench', 'ws://127.0.0.1:1/', '-d', '1s', '-c', '1', '--csv']);
    assert.match(stdout, /connect: ECONNREFUSED/);
    assert.equal(status, 1);
  });

  it('reports bad usage in one line and a hint, and exits with 2', () => {
    assert.deepEqual(sluice(['chekc']), {
      status: 2,
      stdout: '',
      stderr: 'sluice: unknown command "chekc": did you mean check?\nTry sluice help.\n',
    });
    const { status, stderr } = sluice(['to']);
    assert.equal(status, 2);
    assert.match(stderr, /^sluice: no target given.*\nTry sluice help to\.\n$/);
  });

  it('prints the commands to start with if none is given, and exits with 2', () => {
    const { status, stdout, stderr } = sluice([]);
    assert.deepEqual([status, stdout], [2, '']);
    assert.match(stderr, /^Usage: sluice COMMAND[^]*\n {2}to [^]*All commands: sluice help\n$/);
  });

  it('starts with a shebang, so that npm can install it as a command', () => {
    assert.match(readFileSync(join(ROOT, 'src/main.ts'), 'utf8'), /^#!\/usr\/bin\/env node\n/);
  });
});

describe('sluice under an unsuitable Node', () => {
  const pretend = `Object.defineProperty(process, 'version', { value: 'v20.20.2' });`;
  const onlyFirst = `if (process.env.SLUICE_PINNED_RUNTIME === undefined) { ${pretend} }`;
  const pinned = existsSync(join(ROOT, `node_modules/node-linux-${process.arch}/bin/node`));

  it(
    'restarts under the pinned Node',
    { skip: pinned ? false : 'the pinned runtime is not installed' },
    () => {
      const direct = sluice(['check', '-c', DEMO]);
      assert.deepEqual(sluice(['check', '-c', DEMO], { before: onlyFirst }), direct);
      const bad = ['check', '-c', DEMO, '--set', 'log.level=loud'];
      assert.deepEqual(sluice(bad, { before: onlyFirst }), sluice(bad));
    },
  );

  it('says what to do if the pinned Node is unsuitable too', () => {
    const { status, stdout, stderr } = sluice(['check', '-c', DEMO], { before: pretend });
    assert.deepEqual({ status, stdout }, { status: 1, stdout: '' });
    assert.match(stderr, /^sluice: Node 20\.20\.2 cannot run sluice: install Node 22\.18 .*\n$/);
  });

  it('prints its help and version anyway', () => {
    assert.equal(sluice(['--version'], { before: pretend }).status, 0);
    assert.equal(sluice(['--help'], { before: pretend }).status, 0);
    assert.equal(sluice(['chekc'], { before: pretend }).status, 2);
  });
});
