import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readModules, targetOf } from '../../support/architecture/modules.ts';

describe('reading of modules', () => {
  it('reads every kind of import', () => {
    const [module] = readModules({
      'src/core/a.ts': `
        import 'node:fs';
        import one, { two, three as four } from './b.ts';
        import * as five from './c.ts';
        import type { six } from './d.ts';
        import { type seven } from './e.ts';
        export { eight } from './f.ts';
        export * from './g.ts';
        type T = import('./h.ts').Nine.Ten | typeof import('./i.ts');
        const later = async () => import('./j.ts');
        import eleven = require('./k.ts');
        declare module 'some-package' { interface X {} }
        // import './comment.ts'
        const text = "import './text.ts'";
      `,
    });
    assert.deepEqual(module?.imports, [
      { specifier: 'node:fs', names: [] },
      { specifier: './b.ts', names: ['default', 'two', 'three'] },
      { specifier: './c.ts', names: 'all' },
      { specifier: './d.ts', names: ['six'] },
      { specifier: './e.ts', names: ['seven'] },
      { specifier: './f.ts', names: 'all' },
      { specifier: './g.ts', names: 'all' },
      { specifier: './h.ts', names: ['Nine'] },
      { specifier: './i.ts', names: 'all' },
      { specifier: './j.ts', names: 'all' },
      { specifier: './k.ts', names: 'all' },
      { specifier: 'some-package', names: 'all' },
    ]);
    assert.deepEqual(module.reexports, ['./f.ts', './g.ts']);
  });

  it('reads every kind of export', () => {
    const [module] = readModules({
      'src/core/a.ts': `
        export const a = 1, { b, c: [d] } = x;
        export function e() {}
        export class F {}
        export interface G {}
        export type H = string;
        export enum I {}
        const j = 1, k = 2;
        export { j, k as l };
        export default class M {}
        const hidden = 1;
      `,
    });
    assert.deepEqual(module?.exports, ['a', 'b', 'd', 'e', 'F', 'G', 'H', 'I', 'j', 'l', 'default']);
  });

  it('counts lines with or without a newline at the end', () => {
    const [first, second] = readModules({ 'src/a.ts': '1\n2\n', 'src/b.ts': '1\n2' });
    assert.equal(first?.lines, 2);
    assert.equal(second?.lines, 2);
  });

  it('takes relative specifiers for files and others for packages', () => {
    assert.equal(targetOf('src/core/a.ts', '../wire/b.ts'), 'src/wire/b.ts');
    assert.equal(targetOf('src/core/a.ts', 'node:fs'), null);
  });
});
