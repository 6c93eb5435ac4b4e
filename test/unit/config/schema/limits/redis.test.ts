import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { RedisSettings } from '../../../../../src/config/types/limits.ts';
import { MINIMAL, errorsOf, inDirectory, load } from '../../load.ts';

function read(redis: string): RedisSettings | null {
  return load(`${MINIMAL}redis: ${redis}\n`).config.redis;
}

function error(redis: string): string {
  return (errorsOf(`${MINIMAL}redis: ${redis}\n`)[0] ?? '').replace(/^7:\d+: /, '');
}

describe('Redis', () => {
  it('needs a URL, and has defaults for the rest', () => {
    assert.deepEqual(read('{ url: "redis://127.0.0.1:6379" }'), {
      url: 'redis://127.0.0.1:6379',
      onFailure: 'local',
      prefix: 'sluice',
    });
    assert.deepEqual(read('{ url: "rediss://u:p@a.example/5", onFailure: refuse, prefix: "a:b" }'), {
      url: 'rediss://u:p@a.example/5',
      onFailure: 'refuse',
      prefix: 'a:b',
    });
    assert.equal(read(''), null);
    assert.equal(
      error('{ onFailure: local }'),
      'onFailure does nothing without redis.url: set that too, or leave onFailure out',
    );
    assert.match(error('{ url: "redis://a", prefix: "a b" }'), /prefix: "a b" is not a prefix of keys/);
  });

  it('refuses other URLs without showing them', () => {
    for (const url of [
      '127.0.0.1:6379',
      'http://u:geheim@a',
      'redis:',
      'redis:///x',
      'geheim',
      'unix:/geheim',
    ]) {
      assert.equal(
        error(`{ url: "${url}" }`),
        'url: the value is not the URL of a Redis server: write redis://host:port, or rediss://host:port for TLS',
      );
    }
    for (const url of ['redis://geheim@a/x', 'redis://a/0?geheim=1', 'redis://a#geheim']) {
      assert.match(
        error(`{ url: "${url}" }`),
        /^url: the URL has more than a database number after the host/,
      );
    }
    assert.match(
      error('{ url: "redis://u:geheim%zz@a" }'),
      /^url: the URL's user or password has an invalid % escape/,
    );
    for (const url of ['redis://geheim@', 'geheim']) {
      const found = errorsOf(MINIMAL, { env: { SLUICE_REDIS_URL: url } });
      assert.match(found[0] ?? '', /^environment SLUICE_REDIS_URL: the value is not the URL/);
      assert.ok(!found.join().includes('geheim'));
    }
  });
});

describe('revocations', () => {
  it('are kept in a file beside the configuration, or in the directory of the service manager', () => {
    const read = (keys: string, directory?: string): unknown =>
      load(`${MINIMAL}${keys}\n`, { env: { STATE_DIRECTORY: directory } }).config.revocations;
    assert.deepEqual(read(''), { keepMs: 86_400_000, file: null });
    assert.deepEqual(read('', '/var/lib/sluice'), {
      keepMs: 86_400_000,
      file: '/var/lib/sluice/revocations.json',
    });
    assert.deepEqual(read('', 'relative'), { keepMs: 86_400_000, file: null });
    assert.deepEqual(read('revocations: { keep: 90m, file: ./r.json }', '/var/lib/sluice'), {
      keepMs: 5_400_000,
      file: inDirectory('r.json'),
    });
  });

  it('need a directory for the file', () => {
    const errors = errorsOf(`${MINIMAL}revocations: { keep: 1s, file: nowhere/r.json }\n`);
    assert.match(errors[0] ?? '', /keep: 1s is out of range: write 1m to 20d/);
    assert.match(errors[1] ?? '', /file: .*directory not found/);
  });
});
