import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MINIMAL, errorsOf, l7, load } from '../load.ts';

describe('root', () => {
  it('needs at least one listener, and lists that are not empty', () => {
    assert.deepEqual(errorsOf(''), ['1:1: a configuration needs "listeners"']);
    assert.deepEqual(errorsOf('listeners:\n'), ['1:1: a configuration needs "listeners"']);
    assert.deepEqual(errorsOf('listeners: []\nclusters: []\n'), [
      '1:1: listeners: the list is empty: write at least one of listeners',
      '2:1: clusters: the list is empty: write at least one of clusters',
    ]);
    assert.deepEqual(errorsOf(l7('routes: []')), [
      '5:5: routes: the list is empty: write at least one of routes',
    ]);
  });

  it('needs no cluster if no route goes to one', () => {
    const text = 'listeners: [{ name: a, mode: l7, address: ":1", routes: [{ match: {}, respond: {} }] }]';
    assert.deepEqual(load(text).config.clusters, []);
  });

  it('refuses one cluster for two parts of the demo', () => {
    assert.deepEqual(errorsOf(`${MINIMAL}demo: { echo: app, chat: app }\n`), [
      '7:26: chat: "app" is the cluster of echo: name another',
    ]);
    assert.deepEqual(errorsOf(`${MINIMAL}demo: { job: app, feed: app }\n`), [
      '7:14: job: "app" is the cluster of feed: name another',
    ]);
    assert.equal(load(`${MINIMAL}demo: {}\n`).config.demo, null);
    assert.equal(load(`${MINIMAL}demo:\n`).config.demo, null);
    assert.deepEqual(load(`${MINIMAL}demo: { chat: app, echo: null }\n`).config.demo, {
      echo: null,
      chat: 'app',
      feed: null,
      game: null,
      job: null,
    });
  });
});
