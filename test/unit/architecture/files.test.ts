import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  findBadNames,
  findBadSizes,
  findCrowdedFolders,
  findHiddenTests,
  findIdleExceptions,
  findUnmirroredFolders,
  findUnreadCode,
} from '../../support/architecture/files.ts';
import { readModules, type Module } from '../../support/architecture/modules.ts';

const BOUNDS = { min: 15, max: 350 };

describe('rules about files', () => {
  it('find a file that is too long', () => {
    const modules = [linesOf('src/core/a.ts', 350), linesOf('src/core/b.ts', 351)];
    assert.deepEqual(findBadSizes(modules, BOUNDS, new Map()), [
      'src/core/b.ts: has 351 lines, more than 350',
    ]);
  });

  it('find a file that is too short without a reason', () => {
    const modules = [
      linesOf('src/core/a.ts', 15),
      linesOf('src/core/b.ts', 14),
      linesOf('src/core/c.ts', 14),
      linesOf('test/fixtures/d.ts', 2),
    ];
    const exceptions = new Map<string | RegExp, string>([
      ['src/core/c.ts', 'A contract'],
      [/\/fixtures\//, 'A thread'],
    ]);
    assert.deepEqual(findBadSizes(modules, BOUNDS, exceptions), [
      'src/core/b.ts: has 14 lines, fewer than 15',
    ]);
  });

  it('allow no long file by an exception', () => {
    const exceptions = new Map([['src/core/a.ts', 'A contract']]);
    assert.equal(findBadSizes([linesOf('src/core/a.ts', 351)], BOUNDS, exceptions).length, 1);
  });

  it('find an exception that nothing needs', () => {
    const exceptions = new Map<string | RegExp, string>([
      ['src/core/a.ts', 'A contract'],
      ['src/core/b.ts', 'It has grown'],
      [/\/fixtures\//, 'There are none'],
    ]);
    assert.deepEqual(findIdleExceptions([linesOf('src/core/a.ts', 14)], exceptions), [
      'src/core/b.ts: no file needs it',
      '/\\/fixtures\\//: no file needs it',
    ]);
  });

  it('find a crowded folder, without the files of folders inside', () => {
    const modules = readModules({
      'src/core/a.ts': '',
      'src/core/b.ts': '',
      'src/core/deep/c.ts': '',
      'src/x.ts': '',
    });
    assert.deepEqual(findCrowdedFolders(modules, 2), []);
    assert.deepEqual(findCrowdedFolders(modules, 1), ['src/core: holds 2 files, more than 1']);
  });

  it('find a folder of tests that mirrors no folder of sources', () => {
    const sources = readModules({ 'src/core/units/a.ts': '', 'bench/driver/b.ts': '' });
    const tests = readModules({
      'test/unit/core/units/a.test.ts': '',
      'test/unit/core/fixtures/x.ts': '',
      'test/unit/core/gone/b.test.ts': '',
      'test/unit/bench/driver/b.test.ts': '',
      'test/unit/bench/gone/c.test.ts': '',
      'test/unit/docs/pages.test.ts': '',
    });
    const mirrors = new Map([
      ['test/unit', 'src'],
      ['test/unit/bench', 'bench'],
    ]);
    assert.deepEqual(
      findUnmirroredFolders(tests, sources, { mirrors, own: ['test/unit/docs', 'fixtures'] }),
      [
        'test/unit/bench/gone: mirrors bench/gone, which is no folder',
        'test/unit/core/gone: mirrors src/core/gone, which is no folder',
      ],
    );
  });

  it('find code in files of another kind', () => {
    const paths = [
      'src/core/a.ts',
      'src/routing/long.mts',
      'src/routing/long.cts',
      'test/support/b.js',
      'scripts/c.mjs',
      'bench/d.tsx',
      'bench/page/page.js',
      'bench/page/page.html',
    ];
    const exceptions = new Map([[/^bench\/page\/\w+\.js$/, 'A script of a page']]);
    assert.deepEqual(
      findUnreadCode(paths, exceptions).map((line) => line.split(':')[0]),
      ['src/routing/long.mts', 'src/routing/long.cts', 'test/support/b.js', 'scripts/c.mjs', 'bench/d.tsx'],
    );
  });

  it('find a test among fixtures', () => {
    const modules = readModules({
      'test/unit/routing/fixtures/a.test.ts': '',
      'test/unit/routing/fixtures/deep/a.scale.ts': '',
      'test/unit/routing/fixtures/thread.ts': '',
      'test/unit/routing/a.test.ts': '',
    });
    assert.deepEqual(findHiddenTests(modules), [
      'test/unit/routing/fixtures/a.test.ts: is a test in a folder of fixtures',
      'test/unit/routing/fixtures/deep/a.scale.ts: is a test in a folder of fixtures',
    ]);
  });

  it('find names that say nothing and names in another case', () => {
    const modules = readModules({
      'src/core/utils.ts': '',
      'src/util/a.ts': '',
      'src/core/fooBar.ts': '',
      'src/core/foo_bar.ts': '',
      'src/core/foo-bar2.ts': '',
      'src/l7/uws.d.ts': '',
    });
    assert.deepEqual(findBadNames(modules), [
      'src/core/utils.ts: has a name that says nothing',
      'src/util/a.ts: has a name that says nothing',
      'src/core/fooBar.ts: is not in kebab-case',
      'src/core/foo_bar.ts: is not in kebab-case',
    ]);
  });
});

function linesOf(path: string, lines: number): Module {
  return { path, imports: [], hidden: [], exports: [], reexports: [], lines };
}
