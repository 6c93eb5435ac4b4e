import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { configKeys } from '../../../../scripts/reference/config-keys.ts';
import { findKeys, nearKeys } from '../../../../src/cli/explain/find-keys.ts';
import { keyList, keyPage } from '../../../../src/cli/explain/key-page.ts';
import { KnownKeys, knownKeys } from '../../../../src/cli/explain/known-keys.ts';

const KEYS = knownKeys();

function paths(typed: string): readonly string[] {
  return findKeys(KEYS, typed).map(({ path }) => path);
}

function pageOf(path: string): string {
  return keyPage(KEYS, findKeys(KEYS, path)[0]!);
}

describe('the keys of the schema', () => {
  it('are all keys of the reference, with the same facts', () => {
    for (const { path, since, environment } of configKeys()) {
      const key = KEYS.at(path);
      assert.equal(key?.since, since, path);
      assert.equal(key.environment ?? null, environment, path);
    }
  });

  it('are found in references, alternatives and elements of lists', () => {
    const leaf = { description: 'Text.', 'x-sluice': { path: 'list.name' } };
    const keys = new KnownKeys({
      properties: {
        list: {
          'x-sluice': { path: 'list' },
          anyOf: [{ items: { $ref: '#/definitions/element' } }, {}],
        },
      },
      definitions: { element: { allOf: [{ properties: { name: leaf } }] } },
    });
    assert.deepEqual(
      keys.all.map(({ path }) => path),
      ['list', 'list.name'],
    );
    assert.ok(keys.isList('list'));
  });
});

describe('a search for a key', () => {
  it('takes a path, with indexes of lists', () => {
    assert.deepEqual(paths('listeners.tls.minVersion'), ['listeners.tls.minVersion']);
    assert.deepEqual(paths('listeners.0.tls.minVersion'), ['listeners.tls.minVersion']);
    assert.deepEqual(paths('listeners[0].tls'), ['listeners.tls']);
  });

  it('takes the end of a path, in any case', () => {
    assert.deepEqual(paths('tls.minVersion'), ['listeners.tls.minVersion']);
    assert.deepEqual(paths('minversion'), ['listeners.tls.minVersion']);
    assert.deepEqual(paths('Version'), []);
  });

  it('returns every key with the end', () => {
    assert.deepEqual(paths('websocket.idleTimeout'), ['listeners.websocket.idleTimeout']);
    assert.ok(paths('idleTimeout').length >= 3);
  });

  it('finds what routes share with listeners', () => {
    assert.deepEqual(paths('listeners.routes.access.jwt.keys'), ['listeners.access.jwt.keys']);
    assert.deepEqual(paths('listeners.routes.access'), ['listeners.routes.access']);
  });

  it('finds the keys of a cluster below "to"', () => {
    assert.deepEqual(paths('listeners[0].routes[1].to.sticky.cookie'), ['clusters.sticky.cookie']);
    assert.deepEqual(paths('listeners.to.maxConnections'), ['clusters.maxConnections']);
    assert.deepEqual(paths('listeners.to[0].weight'), ['clusters.endpoints.weight']);
    assert.deepEqual(paths('listeners.passthrough.to'), ['listeners.passthrough.to']);
  });

  it('suggests keys for a typo', () => {
    assert.deepEqual(nearKeys(KEYS, 'minVersoin'), ['listeners.tls.minVersion']);
    assert.deepEqual(nearKeys(KEYS, 'listners.tls'), ['listeners.tls']);
    assert.deepEqual(nearKeys(KEYS, 'qqqqqqqqqq'), []);
  });
});

describe('the page of a key', () => {
  it('has its text, facts and an example at its place', () => {
    const page = pageOf('minVersion');
    assert.match(page, /^listeners\.tls\.minVersion\n\n {2}Min version of TLS\.\n/);
    assert.match(page, /^ {2}Type {9}1\.2 or 1\.3$/m);
    assert.match(page, /^ {2}Layer {8}7 only$/m);
    assert.match(page, /^ {2}Guide {8}docs\/guides\/tls\.md$/m);
    assert.ok(page.endsWith("Example:\n  listeners:\n    - tls:\n        minVersion: '1.3'\n"), page);
  });

  it('has the variable of the environment', () => {
    assert.match(pageOf('log.level'), /^ {2}Environment {2}SLUICE_LOG_LEVEL$/m);
  });

  it('lists the keys of a mapping', () => {
    assert.match(pageOf('listeners.http'), /^Keys:\n(?:.*\n)*? {2}idleTimeout +Max time without a byte/m);
  });

  it('explains every word of a key of a mapping, and in a list of matches', () => {
    assert.match(
      pageOf('clusters.healthCheck'),
      /^ {2}type +"tcp": [^]*"http": [^]*"websocket": [^]*^ {2}path /m,
    );
    const list = keyList(findKeys(KEYS, 'healthCheck.type'), 'Keys');
    assert.match(list, /"tcp": [^]*"http": [^]*"websocket": /);
    assert.match(
      keyList(findKeys(KEYS, 'log.format'), 'Keys'),
      /^Keys:\n {2}log\.format +Format of log lines\.\n$/,
    );
  });

  it('fits a terminal of 80 columns, without Markdown', () => {
    for (const key of KEYS.all) {
      for (const line of keyPage(KEYS, key).split('\n')) assert.ok(line.length <= 80, line);
      assert.doesNotMatch(keyPage(KEYS, key), /`|\]\(/);
    }
    for (const line of keyList(KEYS.all, 'All').split('\n')) assert.ok(line.length <= 80, line);
  });
});
