import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { findCircles } from '../../support/architecture/circles.ts';
import { readModules } from '../../support/architecture/modules.ts';

describe('circles of imports', () => {
  it('are found, of types too and in one room', () => {
    const modules = readModules({
      'src/core/a.ts': `import './b.ts';`,
      'src/core/b.ts': `import type { X } from './c.ts';`,
      'src/core/c.ts': `import './a.ts';`,
      'src/core/d.ts': `import './a.ts'; import './e.ts';`,
      'src/core/e.ts': `import './a.ts';`,
      'src/core/f.ts': `import './f.ts';`,
    });
    assert.deepEqual(findCircles(modules), [
      'src/core/f.ts -> src/core/f.ts',
      'src/core/a.ts -> src/core/b.ts -> src/core/c.ts -> src/core/a.ts',
    ]);
  });

  it('are not seen where ways only meet again', () => {
    const modules = readModules({
      'src/core/a.ts': `import './b.ts'; import './c.ts';`,
      'src/core/b.ts': `import './d.ts';`,
      'src/core/c.ts': `import './d.ts';`,
      'src/core/d.ts': '',
    });
    assert.deepEqual(findCircles(modules), []);
  });

  it('are told once, from wherever they are entered, and the shortest first', () => {
    const modules = readModules({
      'src/core/a.ts': `import './d.ts';`,
      'src/core/b.ts': `import './a.ts'; import './e.ts';`,
      'src/core/c.ts': `import './b.ts';`,
      'src/core/d.ts': `import './c.ts';`,
      'src/core/e.ts': `import './b.ts'; import './c.ts';`,
    });
    assert.deepEqual(findCircles(modules), [
      'src/core/b.ts -> src/core/e.ts -> src/core/b.ts',
      'src/core/b.ts -> src/core/e.ts -> src/core/c.ts -> src/core/b.ts',
      'src/core/a.ts -> src/core/d.ts -> src/core/c.ts -> src/core/b.ts -> src/core/a.ts',
    ]);
  });

  it('of one file that imports upwards are one for each file at most', () => {
    const names = Array.from({ length: 8 }, (_, number) => `n${number}`);
    const all = names.map((name) => `import './${name}.ts';`).join('');
    const modules = readModules({
      'src/core/low.ts': `import './top.ts';`,
      'src/core/top.ts': all,
      ...Object.fromEntries(names.map((name) => [`src/core/${name}.ts`, `import './low.ts';`])),
    });
    assert.equal(findCircles(modules).length, names.length);
  });
});
