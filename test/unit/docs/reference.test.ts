/** The generated pages of docs/reference and config/schema.json are those that the source makes. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, it } from 'node:test';
import { emptyRows } from '../../../scripts/reference/log-lines-page.ts';
import { FILES } from '../../../scripts/reference.ts';
import { configKeys } from '../../../scripts/reference/config-keys.ts';

const ROOT = resolve(import.meta.dirname, '../../..');
const FOLDER = join(ROOT, 'docs/reference');

describe('npm run docs:reference', () => {
  for (const [name, make] of Object.entries(FILES)) {
    it(`writes ${name} as it is`, async () => {
      const file = join(ROOT, name);
      const page = readFileSync(file, 'utf8');
      assert.equal(page, await make(page, file));
    });
  }
});

describe('docs/reference/log-lines.md', () => {
  it('explains every line and every field', () => {
    assert.deepEqual(emptyRows(readFileSync(join(FOLDER, 'log-lines.md'), 'utf8')), []);
  });
});

describe('the keys of the configuration', () => {
  const keys = configKeys();
  const find = (path: string): (typeof keys)[number] => keys.find((key) => key.path === path)!;

  it('each have a text of whole sentences', () => {
    assert.ok(keys.length > 200);
    assert.deepEqual(
      keys.filter(({ text }) => !/^[A-Z`"2].*[.]$/s.test(text)).map(({ path }) => path),
      [],
    );
  });

  it('have the range and default of the schema', () => {
    const { type, default: fallback } = find('listeners.http.idleTimeout');
    assert.equal(type, 'duration, 1s to 20d, or 0 for never');
    assert.equal(fallback, '`2m`');
    assert.equal(find('listeners.address').default, 'required');
  });

  it('have the layers and engines that know them', () => {
    assert.deepEqual(find('listeners.http.bodyTimeout').layers, [7]);
    assert.equal(find('listeners.http.bodyTimeout').engines, 'raw, net');
    assert.equal(find('listeners.websocket.upstreamBuffer').engines, 'uws');
    assert.deepEqual(find('listeners.idleTimeout').layers, [4]);
    assert.deepEqual(find('listeners.limits.key').layers, [4, 7]);
    assert.equal(find('clusters.name').engines, null);
  });
});
