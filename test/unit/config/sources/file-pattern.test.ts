import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  hasPatternInDirectory,
  isPattern,
  matchesName,
  matchesOf,
} from '../../../../src/config/sources/file-pattern.ts';
import { scratchDirectory } from '../load.ts';

describe('a pattern of file names', () => {
  it('is a last part with a star or a question mark', () => {
    assert.deepEqual(['a/*.yaml', '?', 'a*b/c', 'a.yaml'].map(isPattern), [true, true, false, false]);
    assert.deepEqual(['a/*.yaml', 'a*/c'].map(hasPatternInDirectory), [false, true]);
  });

  it('matches as in a shell', () => {
    const cases: readonly (readonly [string, string, boolean])[] = [
      ['a.yaml', '*.yaml', true],
      ['a.yaml~', '*.yaml', false],
      ['.a.yaml', '*.yaml', false],
      ['.a.yaml', '.*.yaml', true],
      ['.a', '?a', false],
      ['ab', '?', false],
      ['ab', 'a?', true],
      ['', '*', true],
      ['a', '', false],
      ['aXbXc', 'a*b*c', true],
      ['abab', '*ab', true],
      ['a[b]', 'a[b]', true],
      ['aab', 'a**b', true],
    ];
    for (const [name, pattern, matches] of cases)
      assert.equal(matchesName(name, pattern), matches, `${name} ${pattern}`);
  });

  it('matches like the same regular expression', () => {
    const unit = fc.constantFrom('a', 'b', '*', '?');
    fc.assert(
      fc.property(fc.stringMatching(/^[ab]{0,8}$/), fc.string({ unit, maxLength: 8 }), (name, pattern) => {
        const expression = new RegExp(`^${pattern.replaceAll('*', '.*').replaceAll('?', '.')}$`);
        assert.equal(matchesName(name, pattern), expression.test(name));
      }),
    );
  });

  it('takes no long time for many stars', () => {
    assert.equal(matchesName('a'.repeat(255), `${'*a'.repeat(120)}b`), false);
  });

  it('lists files and links in order, and no directories', () => {
    const directory = scratchDirectory();
    for (const name of ['b.yaml', 'B.yaml', 'a.yaml', '10.yaml', '9.yaml', 'c.txt'])
      writeFileSync(join(directory, name), '');
    mkdirSync(join(directory, 'd.yaml'));
    symlinkSync('a.yaml', join(directory, 'e.yaml'));
    assert.deepEqual(
      matchesOf(join(directory, '*.yaml')),
      ['10.yaml', '9.yaml', 'B.yaml', 'a.yaml', 'b.yaml', 'e.yaml'].map((name) => join(directory, name)),
    );
    assert.deepEqual(matchesOf(join(directory, 'none/*')), []);
    assert.throws(() => matchesOf(join(directory, 'c.txt/*')), { code: 'ENOTDIR' });
  });
});
