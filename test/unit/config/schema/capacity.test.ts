import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { l7, load, warningsOf } from '../load.ts';

const WORKERS = 'workers: { l7: 2, l4: 2, bufferBudget: 1048576GiB }\n';

function two(first: number, second: number): string {
  return `${l7(`maxConnections: ${first}`)}  - name: tcp
    mode: l4
    address: 127.0.0.1:8081
    cluster: app
    maxConnections: ${second}
${WORKERS}`;
}

describe('capacity', () => {
  it('warns of a maxConnections above the limit of open descriptors', () => {
    assert.deepEqual(warningsOf(`${l7('maxConnections: 5000')}${WORKERS}`, { descriptorLimit: 1024 }), [
      '5:21: 5000 connections cannot be reached: the limit of 1024 open descriptors supports 420, because each needs ' +
        'one more for its endpoint: raise it to 10312 (ulimit -n, LimitNOFILE=), or lower maxConnections',
    ]);
  });

  it('adds up all listeners, and warns at the largest', () => {
    assert.deepEqual(warningsOf(two(200, 208), { descriptorLimit: 1024 }), []);
    const [warning, ...more] = warningsOf(two(200, 300), { descriptorLimit: 1024 });
    assert.match(
      warning ?? '',
      /^\d+:21: 500 connections over all listeners cannot be reached: .* supports 408,/,
    );
    assert.deepEqual(more, []);
  });

  it('warns if unfinished messages may exceed the buffer budget', () => {
    const budget = (most: string, listener: string): string =>
      `${l7('engine: uws', listener)}workers: { bufferBudget: ${most} }\n`;
    assert.deepEqual(warningsOf(budget('1GiB', 'maxConnections: 65')), [
      '6:21: clients may send 1040MiB of unfinished messages (maxConnections x websocket.maxMessageSize), and ' +
        'workers.bufferBudget is 1GiB: past it the largest sessions are closed with 1013. Lower maxMessageSize or ' +
        'maxConnections, or raise bufferBudget',
    ]);
    assert.deepEqual(warningsOf(budget('1GiB', 'maxConnections: 64')), []);
    assert.deepEqual(warningsOf(budget('1MiB', 'maxConnections: 0')), []);
  });

  it('does not warn of unfinished messages if the engine does not buffer them', () => {
    assert.deepEqual(warningsOf(`${l7('maxConnections: 65')}workers: { bufferBudget: 1MiB }\n`), []);
  });

  it('adds up the unfinished messages of all layer-7 listeners, without tunnels', () => {
    const text = `${l7('engine: uws', 'maxConnections: 100', 'websocket: { maxMessageSize: 1MiB }')}  - name: more
    mode: l7
    engine: uws
    address: 127.0.0.1:8081
    routes: [{ match: {}, cluster: app }]
    maxConnections: 10
  - name: tcp
    mode: l4
    address: 127.0.0.1:8082
    cluster: app
    maxConnections: 5000
`;
    assert.deepEqual(warningsOf(`${text}workers: { bufferBudget: 260MiB }\n`), []);
    const [warning, ...more] = warningsOf(`${text}workers: { bufferBudget: 259MiB }\n`);
    assert.match(
      warning ?? '',
      /^\d+:21: clients may send 260MiB of unfinished messages over all listeners /,
    );
    assert.deepEqual(more, []);
  });

  it('does not warn of listeners without a limit, nor without a limit of descriptors', () => {
    assert.deepEqual(warningsOf(two(0, 0), { descriptorLimit: 256 }), []);
    assert.deepEqual(load(two(60_000_000, 0)).warnings, []);
  });
});
