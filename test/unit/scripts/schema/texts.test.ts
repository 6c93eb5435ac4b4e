import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, it } from 'node:test';
import { configKeys } from '../../../../scripts/reference/config-keys.ts';
import { guideOf } from '../../../../scripts/schema/guides.ts';
import { defaultOf, hoverOf, plain, withoutCode } from '../../../../scripts/schema/texts.ts';

const ROOT = resolve(import.meta.dirname, '../../../..');
const KEYS = new Map(configKeys().map((key) => [key.path, key]));

describe('a text of Markdown', () => {
  it('becomes plain, with quotes around code', () => {
    assert.equal(plain('`off` removes `a: "b"`.'), '"off" removes a: "b".');
    assert.equal(withoutCode('`auto`, or an integer'), 'auto, or an integer');
  });

  it('names the files of its links', () => {
    assert.equal(plain('See [the guide](../guides/tls.md#keys).'), 'See the guide (docs/guides/tls.md).');
    assert.equal(plain('[All fields](access-log.md#x).'), 'All fields (docs/reference/access-log.md).');
    assert.equal(plain('The keys of [access](#access).'), 'The keys of access.');
  });

  it('keeps no link in any key', () => {
    const texts = [...KEYS.values()].flatMap((key) => [plain(key.text), hoverOf(key), withoutCode(key.type)]);
    assert.deepEqual(
      texts.filter((text) => text.includes('](')),
      [],
    );
    for (const [, file] of texts.join('\n').matchAll(/\((docs\/[^)]*)\)/g)) {
      assert.ok(existsSync(join(ROOT, file!)), file);
    }
  });
});

describe('a default', () => {
  it('is a value if the reference has one value', () => {
    assert.equal(defaultOf(KEYS.get('listeners.http.idleTimeout')!), '2m');
    assert.equal(defaultOf(KEYS.get('metrics.endpoints')!), true);
    assert.deepEqual(defaultOf(KEYS.get('listeners.tls.alpn')!), ['http/1.1']);
  });

  it('is missing if the reference has words', () => {
    assert.equal(defaultOf(KEYS.get('clusters.sticky.secure')!), undefined);
    assert.equal(defaultOf(KEYS.get('clusters.name')!), undefined);
  });
});

describe('the guide of a key', () => {
  it('is the guide of the nearest key around it', () => {
    assert.equal(guideOf('listeners.access.jwt.issuer'), 'docs/guides/tokens.md');
    assert.equal(guideOf('listeners.access.deny'), 'docs/guides/addresses-and-origins.md');
    assert.equal(guideOf('listeners.name'), null);
  });

  it('exists', () => {
    const guides = new Set([...KEYS.keys()].map(guideOf).filter((guide) => guide !== null));
    assert.ok(guides.size > 20);
    for (const guide of guides) assert.ok(existsSync(join(ROOT, guide)), guide);
  });
});
