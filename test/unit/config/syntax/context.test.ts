import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MINIMAL, errorsOf, warningsOf } from '../load.ts';

describe('names of clusters', () => {
  it('refuses unknown clusters, and names the known ones', () => {
    const text = `demo: { echo: apps, chat: other }
listeners:
  - { name: a, mode: l4, address: ':1', cluster: ap }
  - { name: b, mode: l7, address: ':2', routes: [{ match: {}, cluster: App2 }] }
clusters:
  - { name: app, endpoints: [{ address: 'a:1' }] }
  - { name: app2, endpoints: [{ address: 'a:1' }] }
`;
    assert.deepEqual(errorsOf(text), [
      '1:15: there is no cluster "apps": did you mean "app"?',
      '1:27: there is no cluster "other": the clusters are app, app2',
      '3:50: there is no cluster "ap": did you mean "app"?',
      '4:72: there is no cluster "App2": did you mean "app2"?',
    ]);
  });

  it('reports no unknown cluster while one of them is invalid', () => {
    const listener = 'listeners: [{ name: a, mode: l4, address: ":1", cluster: app }]\n';
    for (const clusters of ['[5]', '5', '[{ name: a p, endpoints: [{ address: "a:1" }] }, 5]']) {
      const errors = errorsOf(`${listener}clusters: ${clusters}\n`);
      assert.deepEqual(
        errors.filter((error) => error.includes('no cluster')),
        [],
        clusters,
      );
      assert.notEqual(errors.length, 0);
    }
  });

  it('accepts references to a cluster with an invalid name', () => {
    const text = `listeners: [{ name: a, mode: l4, address: ":1", cluster: a p }]
clusters: [{ name: a p, endpoints: [{ address: "a:1" }] }]
`;
    assert.deepEqual(
      errorsOf(text).map((error) => error.slice(0, 31)),
      ['2:20: name: "a p" is not a name'],
    );
  });

  it('warns of clusters that nothing uses', () => {
    const text = `${MINIMAL}  - { name: spare, endpoints: [{ address: 'a:1' }] }\n`;
    assert.deepEqual(warningsOf(text), ['7:5: nothing uses the cluster "spare"']);
    assert.deepEqual(warningsOf(`${text}demo: { echo: spare }\n`), []);
  });
});
