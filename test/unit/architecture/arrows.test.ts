import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  findBadArrows,
  findForbiddenImports,
  findReexports,
  findStrayArrows,
  findUnknownParts,
  findUnusedExports,
} from '../../support/architecture/arrows.ts';
import { readModules } from '../../support/architecture/modules.ts';

const FLOORS = [['core'], ['wire', 'config'], ['l4', 'l7'], ['main.ts']];

describe('rules about imports', () => {
  it('find an arrow that goes up', () => {
    for (const line of [
      `import { x } from '../l7/x.ts';`,
      `import type { x } from '../l7/x.ts';`,
      `const x = await import('../l7/x.ts');`,
      `type X = import('../l7/x.ts').X;`,
      `export { x } from '../l7/x.ts';`,
      `new Worker(new URL('../l7/x.ts', import.meta.url));`,
    ]) {
      const modules = readModules({ 'src/wire/a.ts': line, 'src/l7/x.ts': '' });
      assert.deepEqual(findBadArrows(modules, 'src', FLOORS), [
        'src/wire/a.ts: imports src/l7/x.ts, upwards from wire to l7',
      ]);
    }
    const modules = readModules({ 'src/l4/a.ts': `import '../main.ts';`, 'src/main.ts': '' });
    assert.deepEqual(findBadArrows(modules, 'src', FLOORS), [
      'src/l4/a.ts: imports src/main.ts, upwards from l4 to main.ts',
    ]);
  });

  it('find an arrow that goes sideways', () => {
    const modules = readModules({ 'src/l4/a.ts': `import '../l7/x.ts';`, 'src/l7/x.ts': '' });
    assert.deepEqual(findBadArrows(modules, 'src', FLOORS), [
      'src/l4/a.ts: imports src/l7/x.ts, sideways from l4 to l7',
    ]);
  });

  it('find an arrow that goes up inside of a room', () => {
    const modules = readModules({
      'src/l7/contract/a.ts': `import '../uws/b.ts'; import '../../core/c.ts';`,
      'src/l7/uws/b.ts': `import '../contract/a.ts';`,
      'src/core/c.ts': '',
    });
    assert.deepEqual(findBadArrows(modules, 'src/l7', [['contract'], ['uws']]), [
      'src/l7/contract/a.ts: imports src/l7/uws/b.ts, upwards from contract to uws',
    ]);
  });

  it('let arrows go down and stay in a room', () => {
    const modules = readModules({
      'src/main.ts': `import './l7/a.ts';`,
      'src/l7/a.ts': `import '../config/b.ts'; import '../core/c.ts';`,
      'src/config/b.ts': `import './deep/d.ts'; import 'node:fs'; import 'yaml';`,
      'src/config/deep/d.ts': `import '../../core/c.ts';`,
      'src/core/c.ts': '',
    });
    assert.deepEqual(findBadArrows(modules, 'src', FLOORS), []);
    assert.deepEqual(findUnknownParts(modules, 'src', FLOORS), []);
  });

  it('find a file that lies in no room', () => {
    const modules = readModules({
      'src/shared/a.ts': '',
      'src/loose.ts': '',
      'src/core/a.ts': '',
      'bench/b.ts': '',
    });
    assert.deepEqual(findUnknownParts(modules, 'src', FLOORS), [
      'src/shared/a.ts: "shared" is no room of src',
      'src/loose.ts: "loose.ts" is no room of src',
    ]);
  });

  it('find an arrow that leaves its tree or leads nowhere', () => {
    const modules = readModules({
      'src/cli/a.ts': `import '../../test/x.ts'; import './gone.ts'; import '../../bench/command.ts';`,
      'src/core/b.ts': `import '../../bench/command.ts';`,
      'bench/command.ts': '',
    });
    const files = new Set([...modules.map(({ path }) => path), 'test/x.ts']);
    const bridges = [{ from: /^src\/cli\//, to: /^bench\/command\.ts$/ }];
    assert.deepEqual(findStrayArrows(modules, files, bridges), [
      'src/cli/a.ts: imports test/x.ts, which is not for src',
      'src/cli/a.ts: imports ./gone.ts, which is no file',
      'src/core/b.ts: imports bench/command.ts, which is not for src',
    ]);
  });

  it('find an export that nothing imports', () => {
    const modules = readModules({
      'src/core/a.ts':
        'export const used = 1, tested = 2, unused = 3; export type Unused = 4; export default 5;',
      'src/core/b.ts': `import { used as x } from './a.ts'; export const own = 1;`,
      'src/core/c.ts': 'export const star = 1;',
      'src/core/d.ts': `import * as c from './c.ts'; import { own } from './d.ts';`,
      'src/main.ts': 'export const main = 1;',
      'src/worker/l7.ts': 'export default 1;',
    });
    const users = readModules({
      'test/unit/core/a.test.ts': `import { tested } from '../../../src/core/a.ts';`,
    });
    assert.deepEqual(findUnusedExports(modules, users, ['src/main.ts', 'src/worker/l7.ts']), [
      'src/core/a.ts: nothing imports its export unused',
      'src/core/a.ts: nothing imports its export Unused',
      'src/core/a.ts: nothing imports its export default',
      'src/core/b.ts: nothing imports its export own',
    ]);
  });

  it('find an export whose file is only run by its URL', () => {
    const modules = readModules({
      'src/cli/a.ts': `new URL('./b.ts', import.meta.url);`,
      'src/cli/b.ts': 'export const unused = 1;',
    });
    assert.deepEqual(findUnusedExports(modules, [], []), ['src/cli/b.ts: nothing imports its export unused']);
  });

  it('find a barrel', () => {
    const modules = readModules({
      'src/core/index.ts': `export * from './a.ts'; export type { B } from './b.ts';`,
    });
    assert.deepEqual(findReexports(modules), [
      'src/core/index.ts: exports again what ./a.ts exports',
      'src/core/index.ts: exports again what ./b.ts exports',
    ]);
  });

  it('find a package outside of its place', () => {
    const uws = `import type { WebSocket } from 'uWebSockets.js';`;
    const koffi = `const koffi = await import('koffi/indirect');`;
    const modules = readModules({
      'src/l7/uws/uws-listener.ts': uws,
      'src/l7/uws/deep/socket.ts': uws,
      'src/l7/uws/uws.d.ts': `declare module 'uWebSockets.js' {}`,
      'src/l7/session.ts': uws,
      'src/l7/deep/uws.ts': uws,
      'src/worker/l7.ts': uws,
      'src/sys/library.ts': koffi,
      'src/l4/library.ts': koffi,
      'src/l4/other.ts': `import 'koffi-like';`,
    });
    const reserved = [
      { target: 'uWebSockets.js', importers: /^src\/l7\/uws\// },
      { target: 'koffi', importers: /^src\/sys\// },
    ];
    assert.deepEqual(findForbiddenImports(modules, reserved), [
      'src/l7/session.ts: imports uWebSockets.js, which is reserved for others',
      'src/l7/deep/uws.ts: imports uWebSockets.js, which is reserved for others',
      'src/worker/l7.ts: imports uWebSockets.js, which is reserved for others',
      'src/l4/library.ts: imports koffi/indirect, which is reserved for others',
    ]);
  });

  it('find a package by each of its names, in tests and scripts too', () => {
    const target = /(?:^|^(?:.*\/)?node_modules\/)(?:uWebSockets\.js|uws-pack)(?:\/|$)/;
    for (const line of [
      `import 'uws-pack';`,
      `import type { App } from 'uWebSockets.js';`,
      `await import('uWebSockets.js/ESM_wrapper.mjs');`,
      `import '../../node_modules/uws-pack/uws.js';`,
      `export * from '../../node_modules/uWebSockets.js/index.js';`,
      `createRequire(import.meta.url)('uWebSockets.js');`,
      `new URL('../../node_modules/uws-pack/uws.js', import.meta.url);`,
    ]) {
      const modules = readModules({ 'src/l7/a.ts': line, 'test/support/b.ts': line, 'scripts/c/d.ts': line });
      const found = findForbiddenImports(modules, [{ target, importers: /^src\/l7\/uws\// }]);
      assert.equal(found.length, 3, line);
    }
    const others = readModules({ 'src/l7/a.ts': `import './uws-pack.ts'; import 'uws-pack-like';` });
    assert.deepEqual(findForbiddenImports(others, [{ target, importers: /^src\/l7\/uws\// }]), []);
  });

  it('find a reserved file that another room imports', () => {
    const modules = readModules({
      'src/l7/relay/session.ts': '',
      'src/l7/relay/context.ts': `import type { Session } from './session.ts';`,
      'src/l7/http/upgrade.ts': `import type { Session } from '../relay/session.ts';`,
    });
    const reserved = [{ target: /^src\/l7\/relay\/session\.ts$/, importers: /^src\/l7\/relay\// }];
    assert.deepEqual(findForbiddenImports(modules, reserved), [
      'src/l7/http/upgrade.ts: imports src/l7/relay/session.ts, which is reserved for others',
    ]);
  });
});
