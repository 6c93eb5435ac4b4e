import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { errorsOf } from '../load.ts';

describe('names and addresses', () => {
  it('refuses two listeners, clusters or routes of one name', () => {
    const text = `listeners:
  - { name: a, mode: l4, address: ':1', cluster: app }
  - name: a
    mode: l7
    address: ':2'
    routes:
      - { match: { path: /a }, cluster: app }
      - { name: route-1, match: { path: /b }, cluster: app }
clusters:
  - { name: app, endpoints: [{ address: 'a:1' }] }
  - { name: app, endpoints: [{ address: 'a:1' }] }
`;
    assert.deepEqual(errorsOf(text), [
      '3:11: two listeners have the name "a": rename one',
      '8:17: two routes of this listener have the name "route-1": rename one',
      '11:13: two clusters have the name "app": rename one',
    ]);
  });

  it('lets routes of different listeners have one name', () => {
    const listener = (port: number): string =>
      `  - { name: l${port}, mode: l7, address: ':${port}', routes: [{ name: x, match: {}, respond: {} }] }\n`;
    assert.deepEqual(errorsOf(`listeners:\n${listener(1)}${listener(2)}`), []);
  });

  it('refuses addresses that overlap', () => {
    const addresses = (...list: string[]): string =>
      `admin: { address: '${list[0] ?? ''}' }\nclusters: [{ name: app, endpoints: [{ address: 'a:1' }] }]\nlisteners:\n${list
        .slice(1)
        .map((address, index) => `  - { name: l${index}, mode: l4, address: '${address}', cluster: app }\n`)
        .join('')}`;
    assert.deepEqual(
      errorsOf(addresses('127.0.0.1:1', '127.0.0.1:2', '127.0.0.2:2', '[::1]:2', '10.0.0.1:1')),
      [],
    );
    assert.deepEqual(errorsOf(addresses(':0', ':0', ':0', '127.0.0.1:0')), []);
    assert.deepEqual(errorsOf(addresses(':1', '127.0.0.1:2', '127.0.0.1:2')), [
      '5:36: address: "127.0.0.1:2" overlaps 127.0.0.1:2, where the listener "l0" listens: choose another',
    ]);
    for (const [a, b] of [
      [':5', '127.0.0.1:5'],
      ['127.0.0.1:5', ':5'],
      ['0.0.0.0:5', '127.0.0.1:5'],
      ['0.0.0.0:5', ':5'],
      ['[::1]:5', '[0:0::1]:5'],
      ['localhost:5', 'LOCALHOST:5'],
    ] as const) {
      assert.equal(errorsOf(addresses(a, b)).length, 1, `${a} ${b}`);
    }
    assert.deepEqual(errorsOf(addresses('0.0.0.0:5', '[::1]:5')), []);
  });

  it('says how listeners on one address become one, without an error about their default names', () => {
    const listener = (host: string, more = ''): string =>
      `  - { ${more}address: ':8080', routes: [{ match: ${host}, to: 'a:1' }] }\n`;
    assert.deepEqual(errorsOf(`listeners:\n${listener('a.example')}${listener('b.example')}`), [
      '3:16: address: "[::]:8080" overlaps [::]:8080, where the listener "l7-8080" listens: choose another, or give one ' +
        'listener all routes',
    ]);
    const files = {
      'sites/a.yaml': `listeners:\n${listener('a.example')}`,
      'sites/b.yaml': `listeners:\n${listener('b.example', 'name: b, ')}`,
    };
    const [error = '', ...more] = errorsOf("include: 'sites/*.yaml'\n", { files });
    assert.match(
      error,
      /b\.yaml:2:25: address: .*: choose another, or write the listener once, with routes: \[\{ include: "sites\/\*\.yaml" \}\], and a list of routes in each of these files$/,
    );
    assert.deepEqual(more, []);
  });

  it('still refuses equal default names of different addresses', () => {
    const listener = (address: string): string => `  - { address: '${address}', to: 'a:1' }\n`;
    assert.deepEqual(errorsOf(`listeners:\n${listener('127.0.0.1:80')}${listener('127.0.0.2:80')}`), [
      '3:5: two listeners have the name "l7-80": this one has it by default, so write a name here',
    ]);
  });
});
