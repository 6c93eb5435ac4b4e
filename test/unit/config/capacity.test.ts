import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { l7, load, warningsOf } from './load.ts';

const WORKERS = 'workers: { l7: 2, l4: 2 }\n';

function two(first: number, second: number): string {
  return `${l7(`maxConnections: ${first}`)}  - name: tcp
    mode: l4
    address: 127.0.0.1:8081
    cluster: app
    maxConnections: ${second}
${WORKERS}`;
}

describe('capacity', () => {
  it('warns of maxConnections that the limit of open descriptors does not carry', () => {
    assert.deepEqual(warningsOf(`${l7('maxConnections: 5000')}${WORKERS}`, { descriptorLimit: 1024 }), [
      '5:21: 5000 connections cannot be reached: the limit of 1024 open descriptors carries 420, because each needs ' +
        'one more for its endpoint: raise it to 10312 (ulimit -n, LimitNOFILE=), or lower maxConnections',
    ]);
  });

  it('adds up all listeners, and warns at the largest', () => {
    assert.deepEqual(warningsOf(two(200, 208), { descriptorLimit: 1024 }), []);
    const [warning, ...more] = warningsOf(two(200, 300), { descriptorLimit: 1024 });
    assert.match(
      warning ?? '',
      /^\d+:21: 500 connections over all listeners cannot be reached: .* carries 408,/,
    );
    assert.deepEqual(more, []);
  });

  it('says nothing of listeners without a limit, nor where descriptors have none', () => {
    assert.deepEqual(warningsOf(two(0, 0), { descriptorLimit: 256 }), []);
    assert.deepEqual(load(two(100_000_000, 0)).warnings, []);
  });
});
