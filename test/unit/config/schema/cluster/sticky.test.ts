import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { renderConfig } from '../../../../../src/config/render.ts';
import type { Sticky } from '../../../../../src/config/types/cluster.ts';
import { errorsOf, inDirectory, load, warningsOf, type Extras } from '../../load.ts';

const SECRET = '0123456789abcdef';

/** Returns a configuration whose cluster has these keys under `sticky`, in line 3. */
function configOf(keys: string): string {
  return `clusters:
  - name: app
    sticky: { ${keys} }
    endpoints: [{ address: '127.0.0.1:9001' }]
listeners:
  - { name: web, mode: l7, address: ':8080', routes: [{ match: {}, cluster: app }] }
`;
}

function read(keys: string, extras: Extras = {}): Sticky | null | undefined {
  return load(configOf(keys), extras).config.clusters[0]?.sticky;
}

describe('sticky', () => {
  it('is Lax, Secure for clients with TLS, and has no secret by default', () => {
    assert.deepEqual(read('cookie: sluice'), {
      cookie: 'sluice',
      ttlMs: 0,
      secret: null,
      sameSite: 'lax',
      secure: 'auto',
    });
  });

  it('may be the name of the cookie alone', () => {
    const long = load(configOf('cookie: sluice'));
    const short = load(configOf('').replace('{  }', 'sluice'));
    assert.deepEqual(short.config, long.config);
    const signed = load(configOf('').replace('{  }', '${NAME}'), {
      env: { NAME: 'io', SLUICE_STICKY_SECRET: SECRET },
    });
    const { cookie, secret } = signed.config.clusters[0]!.sticky!;
    assert.deepEqual([cookie, secret], ['io', SECRET]);
    assert.match(renderConfig(signed), /sticky:\n +cookie: \$\{NAME\}\n/);
    assert.deepEqual(errorsOf(configOf('').replace('{  }', '"a b"')), [
      '3:13: sticky: "a b" is not the name of a cookie: write letters, digits and "-" or "_"',
    ]);
    assert.match(
      errorsOf(configOf('').replace('{  }', 'true'))[0] ?? '',
      /true is not a mapping: "sticky" has cookie/,
    );
  });

  it('may be off, and no other switch names a cookie', () => {
    const without = load(configOf('').replace('    sticky: {  }\n', ''));
    assert.deepEqual(load(configOf('').replace('{  }', 'off')).config, without.config);
    for (const word of ['on', 'yes', 'No'])
      assert.match(errorsOf(configOf('').replace('{  }', word))[0] ?? '', /is not a mapping/, word);
  });

  it('reads its attributes', () => {
    const { sameSite, secure } = read('cookie: sluice, sameSite: strict, secure: on')!;
    assert.deepEqual({ sameSite, secure }, { sameSite: 'strict', secure: 'on' });
    assert.match(
      errorsOf(configOf('cookie: a, sameSite: Lax'))[0] ?? '',
      /"Lax" is not one of lax, strict, none/,
    );
    assert.match(errorsOf(configOf('cookie: a, secure: never'))[0] ?? '', /"never" is not one of auto, on/);
  });

  it('is secure if browsers require it', () => {
    assert.equal(read('cookie: a, sameSite: none')?.secure, 'on');
    assert.equal(read('cookie: __Host-a')?.secure, 'on');
    assert.equal(read('cookie: __Secure-a, secure: on')?.secure, 'on');
    assert.deepEqual(errorsOf(configOf('cookie: a, sameSite: none, secure: auto')), [
      '3:50: secure: browsers accept sameSite: none only with Secure: write secure: on, or leave it out',
    ]);
    assert.match(
      errorsOf(configOf('cookie: __Host-a, secure: auto'))[0] ?? '',
      /browsers accept the name "__Host-a" only with Secure/,
    );
  });

  it('reads its secret from a file that is watched', () => {
    const loaded = load(configOf('cookie: a, secretFile: ./sticky.secret'), {
      files: { 'sticky.secret': `${SECRET}\n` },
    });
    assert.equal(loaded.config.clusters[0]?.sticky?.secret, SECRET);
    assert.ok(loaded.files.includes(inDirectory('sticky.secret')));
  });

  it('refuses a file that is not text, because different files would give the same secret', () => {
    const files = { 'binary.secret': Buffer.alloc(40, 0x80) };
    assert.match(
      errorsOf(configOf('cookie: a, secretFile: ./binary.secret'), { files })[0] ?? '',
      /^3:38: secretFile: the file is not text: write a secret into it, such as one of "openssl rand -hex 32"/,
    );
  });

  it('refuses a file without a secret, and two secrets', () => {
    const files = { 'short.secret': 'short-secret\n\n\n\n\n\n\n' };
    const [short] = errorsOf(configOf('cookie: a, secretFile: ./short.secret'), { files });
    assert.match(
      short ?? '',
      /^3:38: secretFile: the file has no secret: write 16 characters or more into it/,
    );
    assert.ok(!short?.includes('short-secret'));
    assert.match(
      errorsOf(configOf('cookie: a, secretFile: nowhere'))[0] ?? '',
      /secretFile: "nowhere" cannot be read/,
    );
    const two = errorsOf(configOf(`cookie: a, secret: "${SECRET}", secretFile: ./sticky.secret`), {
      files: { 'sticky.secret': SECRET },
    });
    assert.deepEqual(two, ['3:66: secretFile: the secret is given twice: keep secret or secretFile']);
  });

  it("prefers the environment's secret for all clusters, without reading the file", () => {
    const env = { SLUICE_STICKY_SECRET: '1234567890123456' };
    assert.equal(read('cookie: a', { env })?.secret, '1234567890123456');
    assert.equal(read(`cookie: a, secret: "${SECRET}"`, { env })?.secret, '1234567890123456');
    assert.equal(read('cookie: a', { env: { SLUICE_STICKY_SECRET: '' } })?.secret, null);
    const missing = load(configOf('cookie: a, secretFile: nowhere'), { env });
    assert.equal(missing.config.clusters[0]!.sticky?.secret, '1234567890123456');
    const short = errorsOf(configOf('cookie: a'), { env: { SLUICE_STICKY_SECRET: 'short-secret' } });
    assert.match(short[0] ?? '', /^environment SLUICE_STICKY_SECRET: the value is not a secret/);
    assert.ok(!short[0]?.includes('short-secret'));
    const near = warningsOf(configOf('cookie: a'), { env: { SLUICE_STICKY_SECRETS: SECRET } });
    assert.match(near[0] ?? '', /did you mean SLUICE_STICKY_SECRET\?/);
  });

  it('is rendered without its secret', () => {
    const files = { 'sticky.secret': SECRET };
    const keys = 'cookie: a, ttl: 1h, secretFile: ./sticky.secret, sameSite: none';
    const rendered = renderConfig(load(configOf(keys), { files }));
    assert.ok(!rendered.includes(SECRET));
    assert.match(rendered, /secretFile: .*\/sticky\.secret\n/);
    assert.deepEqual(load(rendered).config.clusters[0]?.sticky, {
      cookie: 'a',
      ttlMs: 3_600_000,
      secret: SECRET,
      sameSite: 'none',
      secure: 'on',
    });
  });
});
