/** Checks that the unit, the installation and the scripts around them fit together, and fit the program. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { parseArguments } from '../../../src/cli/arguments.ts';
import { loadConfig } from '../../../src/config/loader.ts';

const DEPLOY = resolve(import.meta.dirname, '../../../deploy');
const UNIT = join(DEPLOY, 'systemd/sluice.service');
/** Runs a command as the service's user, with its mounts and credentials. */
const CHECK_IN_SERVICE =
  '+nsenter --target $MAINPID --mount setpriv --reuid=sluice --regid=sluice --init-groups env CREDENTIALS_DIRECTORY=%d ';
/** Max exposure that `systemd-analyze security` may report, in tenths: lower is better, and 10 is the worst. */
const MAX_EXPOSURE = 17;

const analyze = spawnSync('systemd-analyze', ['--version']).status === 0;
const skip = analyze ? false : 'systemd-analyze is not installed';

describe('the unit of systemd', () => {
  const text = readFileSync(UNIT, 'utf8');
  const values = (key: string): string[] =>
    [...text.matchAll(new RegExp(`^${key}=(.*)$`, 'gm'))].map(([, value = '']) => value);

  it('notifies, checks before it reloads, is watched, and has time to drain', () => {
    assert.deepEqual(values('Type'), ['notify']);
    assert.ok(Number(values('WatchdogSec')[0]) > 0);
    const { shutdown } = loadConfig({
      file: join(DEPLOY, '../config/example.yaml'),
      overrides: ['listeners.0.routes=[{"match":{},"cluster":"app"}]'],
      env: {},
    }).config;
    assert.ok(Number(values('TimeoutStopSec')[0]) * 1000 > shutdown.graceMs + shutdown.readyDelayMs);
    const [check = '', signal] = values('ExecReload');
    assert.equal(signal, '/bin/kill -HUP $MAINPID');
    for (const command of [check, ...values('ExecStart')]) {
      const [, before = '', text = ''] = /^(.*)\bsluice (.*)$/.exec(command) ?? [];
      assert.equal(before, command === check ? CHECK_IN_SERVICE : '');
      const argv = text.split(' ');
      assert.equal(parseArguments(argv, {}).kind, 'command', command);
    }
  });

  it('takes the admin token from the credential store, which need not have one', () => {
    const lines = text.split('\n').filter((line) => !line.startsWith('#') && /token/i.test(line));
    assert.deepEqual(lines, ['LoadCredential=sluice.admin-token']);
  });

  describe('for systemd', { skip }, () => {
    let directory = '';
    let unit = '';
    before(() => {
      directory = mkdtempSync(join(tmpdir(), 'sluice-unit-'));
      unit = join(directory, 'sluice.service');
      // The program need not be installed on this machine.
      writeFileSync(
        unit,
        text.replaceAll('=sluice ', '=/usr/bin/env sluice ').replace(/^Documentation=.*\n/m, ''),
      );
    });
    after(() => rmSync(directory, { recursive: true }));

    it('is valid', () => {
      const { status, stdout, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', unit]);
      assert.deepEqual([status, `${stdout.toString()}${stderr.toString()}`], [0, '']);
    });

    it('has the exposure that the documents state', () => {
      const threshold = `--threshold=${MAX_EXPOSURE}`;
      const { status, stdout } = spawnSync('systemd-analyze', [
        'security',
        '--offline=true',
        threshold,
        unit,
      ]);
      assert.equal(status, 0, stdout.toString());
      const page = readFileSync(join(DEPLOY, '../docs/operations/systemd.md'), 'utf8');
      assert.ok(page.includes(`at most ${MAX_EXPOSURE / 10} of 10`));
    });
  });
});

describe('the installation below another root', () => {
  let root = '';
  before(() => {
    root = mkdtempSync(join(tmpdir(), 'sluice-install-'));
  });
  after(() => rmSync(root, { recursive: true }));
  /** Installs from a copy of `deploy`, and returns what it says. */
  const install = (deploy = DEPLOY): string => {
    const { status, stdout, stderr } = spawnSync(join(deploy, 'systemd/install.sh'), {
      env: { PATH: process.env.PATH, DESTDIR: root },
      encoding: 'utf8',
    });
    assert.deepEqual([status, stderr], [0, '']);
    return stdout;
  };
  const read = (file: string): string => readFileSync(join(root, file), 'utf8');

  it('has every file at its place', () => {
    install();
    const files = readdirSync(root, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(root.length));
    assert.deepEqual(files.toSorted(), [
      '/etc/credstore/sluice.admin-token',
      '/etc/letsencrypt/renewal-hooks/deploy/sluice',
      '/etc/logrotate.d/sluice',
      '/etc/sluice/installed.sha256',
      '/etc/sluice/sluice.yaml',
      '/etc/systemd/system/sluice.service',
      '/etc/sysusers.d/sluice.conf',
    ]);
    assert.ok((statSync(join(root, 'etc/letsencrypt/renewal-hooks/deploy/sluice')).mode & 0o111) !== 0);
  });

  it('has a random token, which only root reads, and which another installation keeps', () => {
    install();
    const token = read('etc/credstore/sluice.admin-token');
    assert.match(token, /^[0-9a-f]{64}\n$/);
    assert.equal(statSync(join(root, 'etc/credstore/sluice.admin-token')).mode & 0o777, 0o600);
    assert.equal(statSync(join(root, 'etc/credstore')).mode & 0o777, 0o700);
    writeFileSync(join(root, 'etc/sluice/sluice.yaml'), 'mine');
    install();
    assert.deepEqual(
      [read('etc/credstore/sluice.admin-token'), read('etc/sluice/sluice.yaml')],
      [token, 'mine'],
    );
  });

  it('replaces files of an older version, but keeps edited ones and says so', () => {
    const older = realpathSync(mkdtempSync(join(tmpdir(), 'sluice-deploy-')));
    try {
      cpSync(DEPLOY, older, { recursive: true });
      const [unit, rotation, hook] = ['systemd/sluice.service', 'logrotate/sluice', 'certbot/sluice'];
      for (const file of [unit, rotation, hook]) appendFileSync(join(older, file), '# older\n');
      const shipped = (file: string): string => readFileSync(join(DEPLOY, file), 'utf8');
      assert.equal(install(older), '');
      assert.equal(read('etc/systemd/system/sluice.service'), `${shipped(unit)}# older\n`);

      appendFileSync(join(root, 'etc/logrotate.d/sluice'), '# mine\n');
      const kept = (deploy: string): string =>
        'install.sh: kept the edited /etc/logrotate.d/sluice, ' +
        `and the new version is ${join(deploy, rotation)}\n`;
      assert.equal(install(older), kept(older));
      assert.equal(install(), kept(DEPLOY));
      // The file is still outdated.
      assert.equal(install(), kept(DEPLOY));
      assert.equal(read('etc/logrotate.d/sluice'), `${shipped(rotation)}# older\n# mine\n`);
      assert.deepEqual(
        [read('etc/systemd/system/sluice.service'), read('etc/letsencrypt/renewal-hooks/deploy/sluice')],
        [shipped(unit), shipped(hook)],
      );

      // The new version in its place is not edited.
      cpSync(join(DEPLOY, rotation), join(root, 'etc/logrotate.d/sluice'));
      assert.equal(install(), '');
      assert.equal(install(older), '');
      assert.equal(read('etc/logrotate.d/sluice'), `${shipped(rotation)}# older\n`);
    } finally {
      rmSync(older, { recursive: true });
    }
  });

  it('keeps the mode of its directory, and lets everyone read the checksums', () => {
    const umask = process.umask(0o077);
    try {
      chmodSync(join(root, 'etc/sluice'), 0o750);
      install();
      assert.equal(statSync(join(root, 'etc/sluice')).mode & 0o777, 0o750);
      assert.equal(statSync(join(root, 'etc/sluice/installed.sha256')).mode & 0o777, 0o644);
    } finally {
      process.umask(umask);
    }
  });

  it('keeps a file that differs if nobody knows what was installed', () => {
    rmSync(join(root, 'etc/sluice/installed.sha256'));
    writeFileSync(join(root, 'etc/systemd/system/sluice.service'), '[Unit]\n');
    assert.match(
      install(),
      /^install\.sh: kept the edited \/etc\/systemd\/system\/sluice\.service, and the new/,
    );
    assert.equal(read('etc/systemd/system/sluice.service'), '[Unit]\n');
  });
});

describe('the scripts, if a command fails', () => {
  let directory = '';
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'sluice-scripts-'));
    for (const name of ['lineage', 'bin']) mkdirSync(join(directory, name));
  });
  after(() => rmSync(directory, { recursive: true }));
  const path = (): string => `${join(directory, 'bin')}:${process.env.PATH}`;
  const command = (name: string, script: string): void => {
    writeFileSync(join(directory, 'bin', name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  };

  it('leave the old certificate and key if only one of the new ones can be copied', () => {
    // The machine need not have the group.
    command('install', '[ "$1" = -d ] && exec mkdir -p "$6"; exec cp "$5" "$6"');
    command('systemctl', 'exit 3');
    const lineage = join(directory, 'lineage');
    const hook = (): number | null => {
      const env = { PATH: path(), RENEWED_LINEAGE: lineage, SLUICE_TLS: join(directory, 'tls') };
      return spawnSync(join(DEPLOY, 'certbot/sluice'), { env }).status;
    };
    const pair = (): string[] =>
      ['privkey.pem', 'fullchain.pem'].map((file) =>
        readFileSync(join(directory, 'tls/lineage', file), 'utf8'),
      );
    for (const file of ['privkey.pem', 'fullchain.pem']) writeFileSync(join(lineage, file), 'old');
    assert.equal(hook(), 0);
    assert.deepEqual(pair(), ['old', 'old']);
    writeFileSync(join(lineage, 'privkey.pem'), 'new');
    rmSync(join(lineage, 'fullchain.pem'));
    assert.notEqual(hook(), 0);
    assert.deepEqual(pair(), ['old', 'old']);
    writeFileSync(join(lineage, 'fullchain.pem'), 'new');
    assert.equal(hook(), 0);
    assert.deepEqual(pair(), ['new', 'new']);
    rmSync(join(directory, 'bin/install'));
  });

  it('make no empty token', () => {
    command('od', 'exit 1');
    const root = join(directory, 'root');
    const env = { PATH: path(), DESTDIR: root };
    const { status, stderr } = spawnSync(join(DEPLOY, 'systemd/install.sh'), { env, encoding: 'utf8' });
    assert.deepEqual([status, stderr], [1, 'install.sh: no admin token: reading /dev/urandom failed\n']);
    assert.ok(!existsSync(join(root, 'etc/credstore/sluice.admin-token')));
  });
});

describe('the configuration of the service', () => {
  it('is one that sluice accepts without a warning, when its directories exist', () => {
    const directory = mkdtempSync(join(tmpdir(), 'sluice-service-'));
    try {
      const file = join(directory, 'sluice.yaml');
      const text = readFileSync(join(DEPLOY, 'systemd/sluice.yaml'), 'utf8');
      writeFileSync(file, text.replaceAll(/\/var\/(?:log|lib)\/sluice/g, directory));
      const token = '0123456789abcdef0123456789abcdef';
      writeFileSync(join(directory, 'sluice.admin-token'), `${token}\n`);
      const env = { CREDENTIALS_DIRECTORY: directory };
      const { config, warnings } = loadConfig({ file, overrides: [], env });
      assert.deepEqual([warnings, config.admin.address.host, config.admin.token], [[], '127.0.0.1', token]);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});
