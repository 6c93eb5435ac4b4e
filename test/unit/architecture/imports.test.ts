import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { findBadArrows, findHiddenImports, findStrayArrows } from '../../support/architecture/arrows.ts';
import { readModules, type Module } from '../../support/architecture/modules.ts';

describe('reading of imports', () => {
  it('reads the URL of a file that is started as a thread', () => {
    const module = moduleOf(`
      const one = new URL('../worker/l7.ts', import.meta.url);
      const two = entry(new URL(\`./thread\${extname(import.meta.url)}\`, import.meta.url));
      const three = new URL('beside.ts', import.meta.url);
      const four = new URL('../worker/l4', import.meta.url);
      const five = new URL('../worker/l4.js?x', import.meta.url);
      const six = fork(join(import.meta.dirname, '../cli', 'child.ts'));
      const data = new URL('./page.html', import.meta.url);
      const folder = resolve(import.meta.dirname, '../..');
      const remote = new URL('./x.ts', 'http://localhost');
      const address = new URL(text);
    `);
    assert.deepEqual(module.imports, [
      { specifier: '../worker/l7.ts', names: [] },
      { specifier: './thread.ts', names: [] },
      { specifier: './beside.ts', names: [] },
      { specifier: '../worker/l4.ts', names: [] },
      { specifier: '../worker/l4.ts', names: [] },
      { specifier: '../cli/child.ts', names: [] },
    ]);
    assert.deepEqual(module.hidden, []);
  });

  it('reads what is loaded or resolved in the manner of CommonJS', () => {
    const module = moduleOf(`
      createRequire(import.meta.url)('koffi');
      require('./a.ts');
      require.resolve('./b.ts');
      createRequire(file).resolve('c/package.json');
      import.meta.resolve('./d.ts');
    `);
    assert.deepEqual(
      module.imports.map(({ specifier }) => specifier),
      ['koffi', './a.ts', './b.ts', 'c/package.json', './d.ts'],
    );
  });

  it('finds each spelling that hides what it loads', () => {
    for (const line of [
      `await import(name);`,
      `await import('../primary/' + 'primary.ts');`,
      'await import(`../primary/${name}.ts`);',
      `import 'file:///srv/src/primary/primary.ts';`,
      `await import('/srv/src/primary/primary.ts');`,
      `import '#primary';`,
      `new URL(name, import.meta.url);`,
      `new URL('../primary/', import.meta.url);`,
      'new URL(`../primary/${name}`, import.meta.url);',
      `new globalThis.URL('../primary/primary.ts', import.meta.url);`,
      `URL.parse('../primary/primary.ts', import.meta.url);`,
      `import.meta.resolve(name);`,
      `const here = import.meta.url;`,
      `const { url } = import.meta;`,
      `join(import.meta.dirname, name);`,
      `import { createRequire as load } from 'node:module';`,
      `require('./primary.ts');`,
      `/// <reference path="../primary/primary.ts" />`,
      `/// <reference types="koffi" />`,
    ]) {
      const modules = readModules({ 'src/core/a.ts': line, 'src/core/known.ts': line });
      const found = findHiddenImports(modules, new Map([['src/core/known.ts', 'A reason']]));
      assert.equal(found.length, 1, line);
      assert.match(found[0]!, /^src\/core\/a\.ts: .+ hides what it loads/);
    }
  });

  it('is not hidden by a key of an object that is called like a way to load', () => {
    const modules = readModules({ 'src/core/a.ts': 'export const a = { require: true };' });
    assert.deepEqual(findHiddenImports(modules, new Map()), []);
  });

  it('makes an arrow of each spelling that shows the file', () => {
    for (const line of [
      `new URL('../primary/primary', import.meta.url);`,
      `new URL('../primary/primary.js', import.meta.url);`,
      `join(import.meta.dirname, '../primary/primary.ts');`,
      `import.meta.resolve('../primary/primary.ts');`,
      `createRequire(import.meta.url)('../primary/primary.ts');`,
    ]) {
      const modules = readModules({ 'src/core/a.ts': line, 'src/primary/primary.ts': '' });
      const files = new Set(modules.map(({ path }) => path));
      assert.deepEqual(findStrayArrows(modules, files, []), [], line);
      assert.equal(findBadArrows(modules, 'src', [['core'], ['primary']]).length, 1, line);
    }
  });

  it('lets a file use its own extension', () => {
    const module = moduleOf(`import { extname } from 'node:path'; const own = extname(import.meta.url);`);
    assert.deepEqual(module.hidden, []);
  });
});

function moduleOf(text: string): Module {
  return readModules({ 'src/primary/a.ts': text })[0]!;
}
