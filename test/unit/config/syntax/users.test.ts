import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SourceFile } from '../../../../src/config/syntax/source-file.ts';
import { listUsers } from '../../../../src/config/syntax/users.ts';

const { root } = new SourceFile(`
listeners:
  - name: web
    routes: [{ name: chat }, {}]
  - tls: {}
  - 1
clusters:
  - { name: [a], endpoints: [{ name: x }] }
  - name: "${'x'.repeat(100)}"
log: { level: info }
`);

describe('users of a block', () => {
  it('are named by their listeners, routes and clusters, the innermost first', () => {
    assert.equal(listUsers(root, [['listeners', 0, 'tls', 'minVersion']]), 'listener "web"');
    assert.equal(listUsers(root, [['listeners', 0, 'routes', 0, 'match']]), 'route "chat" of listener "web"');
    assert.equal(listUsers(root, [['clusters', 0, 'endpoints', 0]]), 'cluster number 1');
  });

  it('are numbered without a name, or if the name is the problem', () => {
    assert.equal(listUsers(root, [['listeners', 0, 'routes', 1]]), 'route number 2 of listener "web"');
    assert.equal(listUsers(root, [['listeners', 1, 'tls']]), 'listener number 2');
    assert.equal(listUsers(root, [['listeners', 2, 'tls']]), 'listener number 3');
    assert.equal(listUsers(root, [['listeners', 7, 'routes', 2]]), 'route number 3 of listener number 8');
    assert.equal(listUsers(root, [['listeners', 0, 'name']]), 'listener number 1');
  });

  it('are named by their path outside of listeners and clusters', () => {
    assert.equal(listUsers(root, [['log', 'level']]), 'log.level');
    assert.equal(listUsers(null, [['workers', 'l7']]), 'workers.l7');
  });

  it('are listed once each, at most three of them', () => {
    const paths = [0, 0, 1, 2, 3, 4].map((index) => ['listeners', index, 'tls']);
    assert.equal(listUsers(root, paths.slice(0, 2)), 'listener "web"');
    assert.equal(listUsers(root, paths.slice(0, 3)), 'listener "web" and listener number 2');
    assert.equal(listUsers(root, paths), 'listener "web", listener number 2, listener number 3 and 2 more');
  });

  it('have truncated names', () => {
    assert.equal(listUsers(root, [['clusters', 1]]), `cluster "${'x'.repeat(60)}..."`);
  });
});
