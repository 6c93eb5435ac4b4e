/** The licences of the packages that a build contains. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Metafile } from 'esbuild';
import { packageFolders, thirdPartyText } from '../../../scripts/third-party.ts';

/** Returns what esbuild reports of files, from the bytes that each contains of its inputs. */
function metafile(...outputs: readonly Readonly<Record<string, number>>[]): Metafile {
  return {
    inputs: {},
    outputs: Object.fromEntries(
      outputs.map((bytes, i) => [
        `dist/${i}.js`,
        {
          bytes: 0,
          imports: [],
          exports: [],
          inputs: Object.fromEntries(
            Object.entries(bytes).map(([file, bytesInOutput]) => [file, { bytesInOutput }]),
          ),
        },
      ]),
    ),
  };
}

describe('the third parties of a build', () => {
  let root: string;
  before(() => {
    root = mkdtempSync(join(tmpdir(), 'sluice-licences-'));
    write('node_modules/plain/package.json', '{ "name": "plain", "version": "1.2.3", "license": "MIT" }');
    write('node_modules/plain/LICENSE.md', 'Do as you like.\r\nReally.\n');
    write('node_modules/@a/twin/package.json', '{ "name": "@a/twin", "version": "2.0.0", "license": "ISC" }');
    write('node_modules/@a/twin/license', 'Do as you like.\nReally.');
    write(
      'node_modules/noted/package.json',
      '{ "name": "noted", "version": "3.0.0", "license": "Apache-2.0" }',
    );
    write('node_modules/noted/LICENSE', 'The terms.');
    write('node_modules/noted/NOTICE', 'The authors.');
    write('node_modules/noted/licenses.js', 'not a licence');
    write('node_modules/@b/bare/package.json', '{ "name": "@b/bare", "version": "4.0.0", "license": "MIT" }');
    write('node_modules/unsaid/package.json', '{ "name": "unsaid", "version": "5.0.0" }');
    write('node_modules/unsaid/LICENSE', 'Some terms.');
  });
  after(() => rmSync(root, { recursive: true }));

  function write(file: string, text: string): void {
    mkdirSync(join(root, file, '..'), { recursive: true });
    writeFileSync(join(root, file), text);
  }

  it('are the packages whose code is in a file, once each, nested ones included', () => {
    const folders = packageFolders(
      metafile(
        { 'src/main.ts': 90, 'node_modules/plain/lib/a.js': 5, 'node_modules/plain/b.js': 7 },
        {
          'node_modules/plain/lib/a.js': 5,
          'node_modules/unused/index.js': 0,
          'node_modules/plain/node_modules/@a/twin/index.js': 3,
          'light:node:http': 50,
        },
      ),
    );
    assert.deepEqual(folders, ['node_modules/plain', 'node_modules/plain/node_modules/@a/twin']);
  });

  it('are named with version and licence above each text, and equal texts stand once', () => {
    const folders = [
      'node_modules/plain',
      'node_modules/noted',
      'node_modules/@a/twin',
      'node_modules/plain',
    ];
    const [, ...sections] = thirdPartyText(root, folders).split(/^-{80}\n/m);
    assert.deepEqual(sections, [
      '@a/twin 2.0.0 (ISC)\nplain 1.2.3 (MIT)\n\nDo as you like.\nReally.\n',
      'noted 3.0.0 (Apache-2.0)\n\nThe terms.\n\nThe authors.\n',
    ]);
  });

  it('may have their licence among the scripts if npm brings none', () => {
    const folders = ['node_modules/@b/bare'];
    assert.throws(() => thirdPartyText(root, folders), {
      message:
        "node_modules/@b/bare has no licence: copy its repository's into scripts/licences/@b+bare.txt, or make " +
        '@b/bare a dependency in package.json, so that the build leaves it out',
    });
    write('scripts/licences/@b+bare.txt', 'From the repository.\n');
    assert.match(thirdPartyText(root, folders), /^@b\/bare 4\.0\.0 \(MIT\)\n\nFrom the repository\.$/m);
  });

  it('must say their licence', () => {
    assert.throws(
      () => thirdPartyText(root, ['node_modules/unsaid']),
      /^Error: node_modules\/unsaid has no licence/,
    );
  });
});
