/** `sluice init` in a terminal, and in scripts. */
import assert from 'node:assert/strict';
import {
  existsSync,
  linkSync,
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
import { join, relative } from 'node:path';
import { after, describe, it } from 'node:test';
import { CertificateAuthority } from '../../support/certificates.ts';
import { PROGRAM } from '../../support/processes/program.ts';
import { runCommand, type CommandResult } from '../../support/processes/run-command.ts';
import { Tmux } from '../../support/terminal/tmux.ts';

const folder = mkdtempSync(join(tmpdir(), 'sluice-init-'));

function sluice(...argv: readonly string[]): Promise<CommandResult> {
  return runCommand(process.execPath, [PROGRAM, ...argv]);
}

describe('sluice init', { timeout: 300_000 }, () => {
  after(() => rmSync(folder, { recursive: true }));

  it('asks five questions at a terminal, and writes a configuration that is valid', async () => {
    const authority = new CertificateAuthority();
    const { cert, key } = authority.issue('chat', ['DNS:chat.example.com']);
    const terminal = await Tmux.start(80, 24);
    try {
      await terminal.shows(/^\$/);
      await terminal.enter(`cd ${folder}; clear`);
      await terminal.enter(`${process.execPath} ${PROGRAM} init`);
      for (const [question, answer] of [
        [/address of your server\? \[3000\]$/m, 'localhost:4000'],
        [/host name, .*\[any\]$/m, 'a b'],
        [/is not a host name[\s\S]*\[any\]$/m, 'chat.example.com'],
        [/\[no TLS\]$/m, key],
        [/has\s+a\s+private\s+key[\s\S]*\[no TLS\]$/m, 'cert.pem'],
        [/file\s+not\s+found[\s\S]*\[no TLS\]$/m, cert],
        [/private key \(a PEM file\)\?$/m, cert],
        [/has\s+a\s+certificate[\s\S]*private key \(a PEM file\)\?$/m, key],
        [/\[:443\]$/m, '127.0.0.1:8443'],
        [/\[Y\/n\]$/m, ''],
      ] as const) {
        await terminal.shows(question);
        await terminal.enter(answer);
      }
      await terminal.shows(/sluice run$/m);
    } finally {
      await terminal.close();
    }
    const file = join(folder, 'sluice.yaml');
    assert.equal(statSync(join(folder, 'admin.token')).mode & 0o777, 0o600);
    const text = readFileSync(file, 'utf8');
    for (const part of ["'localhost:4000'", "'chat.example.com'", "'127.0.0.1:8443'", cert, key])
      assert.ok(text.includes(part), text);
    const checked = await sluice('check', '-c', file);
    assert.deepEqual([checked.status, checked.stderr], [0, '']);
  });

  it('asks nothing without a terminal, and never replaces a file unless it may', async () => {
    const file = join(folder, 'script.yaml');
    const first = await sluice('init', '3000', '--no-token', '--output', file);
    assert.deepEqual([first.status, first.stderr], [0, '']);
    assert.match(first.stdout, new RegExp(`^  (?:npx )?sluice run -c ${file}$`, 'm'));
    const text = readFileSync(file, 'utf8');
    assert.doesNotMatch(text, /token/);
    const second = await sluice('init', '4000', '--yes', '--output', file);
    assert.equal(second.status, 1);
    assert.match(second.stderr, /exists: replace it with --force/);
    assert.equal(readFileSync(file, 'utf8'), text);
    const forced = await sluice('init', '4000', '--force', '--output', file);
    assert.equal(forced.status, 0, forced.stderr);
    assert.match(readFileSync(file, 'utf8'), /:4000'/);
    assert.match(readFileSync(file, 'utf8'), /token: \{ file: \.\/admin\.token \}/);
  });

  it('writes nothing if the configuration would not be valid, or if it may not ask', async () => {
    const file = join(folder, 'none.yaml');
    const bad = await sluice('init', '3000', '--cert', 'no.pem', '--key', 'no.key', '--output', file);
    assert.equal(bad.status, 1);
    assert.match(bad.stderr, /^sluice: --cert: "no\.pem" cannot be read: file not found/);
    const missing = join(folder, 'no', 'none.yaml');
    const lost = await sluice('init', '3000', '--output', missing);
    assert.equal(lost.status, 1);
    assert.match(lost.stderr, /there is no folder \S+\/no: make it with mkdir -p \S+\/no\n$/);
    const silent = await sluice('init', '--output', file);
    assert.equal(silent.status, 2);
    assert.match(silent.stderr, /init asks at a terminal only: name the server, as in sluice init 3000/);
    assert.ok(!existsSync(file));
  });

  it('replaces a file at once, and no link', async () => {
    const place = join(folder, 'replaced');
    mkdirSync(place);
    const file = join(place, 'sluice.yaml');
    writeFileSync(file, 'old', { mode: 0o644 });
    linkSync(file, join(place, 'reader'));
    symlinkSync(file, join(place, 'link.yaml'));
    const { status, stderr } = await sluice('init', '3000', '--force', '--output', file);
    assert.deepEqual([status, stderr], [0, '']);
    assert.equal(readFileSync(join(place, 'reader'), 'utf8'), 'old');
    const linked = await sluice('init', '3000', '--force', '--output', join(place, 'link.yaml'));
    assert.equal(linked.status, 1);
    assert.match(linked.stderr, /link\.yaml cannot be written: it is not a regular file\n$/);
    assert.deepEqual(readdirSync(place).sort(), [
      'admin.token',
      'link.yaml',
      'reader',
      'sluice.schema.json',
      'sluice.yaml',
    ]);
  });

  it('finds the certificate from the directory of the configuration', async () => {
    const { cert, key } = new CertificateAuthority().issue('localhost', ['DNS:localhost']);
    const file = join(folder, 'sub', 'sluice.yaml');
    mkdirSync(join(folder, 'sub'));
    const pair = ['--cert', relative('.', cert), '--key', relative('.', key)];
    const { status, stderr } = await sluice('init', '3000', ...pair, '--no-token', '--output', file);
    assert.deepEqual([status, stderr], [0, '']);
    assert.match(readFileSync(file, 'utf8'), /cert: '\.\.\//);
    assert.equal((await sluice('check', '-c', file)).status, 0);
  });

  it('prints commands for npx if npx runs it', async () => {
    const file = join(folder, 'by-runner.yaml');
    const { stdout } = await runCommand('/usr/bin/env', [
      'npm_command=exec',
      process.execPath,
      ...[PROGRAM, 'init', '3000', '--output', file],
    ]);
    assert.match(stdout, new RegExp(`^  npx sluice run -c ${file}$`, 'm'));
    assert.doesNotMatch(readFileSync(file, 'utf8'), /npx/);
  });

  it('refuses a name that would end the comment in the file', async () => {
    const file = join(folder, 'a\nadmin: {}');
    const { status, stderr } = await sluice('init', '3000', '--output', file);
    assert.equal(status, 2);
    assert.match(stderr, /^sluice: --output: the name has a control character\n/);
    assert.ok(!existsSync(file));
  });

  it('refuses names that are no file, and says why a name is impossible', async () => {
    symlinkSync('loop', join(folder, 'loop'));
    for (const [output, status, message] of [
      ['-', 2, /--output -: name a file/],
      ['new/', 2, /--output new\/: name a file/],
      ['a.json', 2, /init writes YAML/],
      [join(folder, 'loop', 'x.yaml'), 1, /cannot be written: too many levels of symbolic links/],
      [join(folder, `${'n'.repeat(300)}.yaml`), 1, /cannot be written: the name is too long/],
    ] as const) {
      const refused = await sluice('init', '3000', '--no-token', `--output=${output}`);
      assert.equal(refused.status, status, refused.stderr);
      assert.match(refused.stderr.replaceAll(/\s+/g, ' '), message);
      assert.doesNotMatch(refused.stderr, /\n +at /);
    }
  });

  it('keeps a token beside it, and removes what it wrote if the configuration is not valid', async () => {
    const place = join(folder, 'kept');
    mkdirSync(place);
    writeFileSync(join(place, 'admin.token'), 'too short\n');
    const file = join(place, 'sluice.yaml');
    const refused = await sluice('init', '3000', '--output', file);
    assert.equal(refused.status, 1);
    assert.match(refused.stderr, /sluice\.yaml is not written: .*16 to 512.*delete it for a new token/);
    assert.doesNotMatch(refused.stderr, /yaml:\d/);
    assert.deepEqual(readdirSync(place), ['admin.token']);
    writeFileSync(join(place, 'admin.token'), 'a-token-of-the-operator\n');
    const { status, stdout } = await sluice('init', '3000', '--output', file);
    assert.equal(status, 0);
    assert.match(stdout, /admin\.token\n +existed before: its token is used/);
    const [first] = readFileSync(file, 'utf8').split('\n');
    assert.equal(first, '# yaml-language-server: $schema=./sluice.schema.json');
    assert.equal(readFileSync(join(place, 'admin.token'), 'utf8'), 'a-token-of-the-operator\n');
  });
});
