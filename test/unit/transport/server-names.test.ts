import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ServerNames } from '../../../src/transport/server-names.ts';

describe('the value of a server name', () => {
  const names = new ServerNames([
    ['Example.com', 'exact'],
    ['*.example.com', 'wildcard'],
    ['*.db.Example.com', 'longer wildcard'],
    ['a.db.example.com', 'exact in a wildcard'],
    ['example.com', 'second'],
    ['localhost', 'one label'],
  ]);

  it('is found by the exact name before any wildcard', () => {
    assert.equal(names.find('example.com'), 'exact');
    assert.equal(names.find('a.db.example.com'), 'exact in a wildcard');
    assert.equal(names.find('localhost'), 'one label');
  });

  it('is found by the longest wildcard, for one label or more', () => {
    assert.equal(names.find('a.example.com'), 'wildcard');
    assert.equal(names.find('a.b.example.com'), 'wildcard');
    assert.equal(names.find('db.example.com'), 'wildcard');
    assert.equal(names.find('b.db.example.com'), 'longer wildcard');
    assert.equal(names.find('c.b.db.example.com'), 'longer wildcard');
  });

  it('is not found for any other name, or without one', () => {
    for (const name of [null, 'com', 'example.org', 'notexample.com', 'b.localhost', '*.example.org'])
      assert.equal(names.find(name), null);
  });
});
