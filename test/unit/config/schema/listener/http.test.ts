import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { HttpSettings, L7Listener } from '../../../../../src/config/types/listener.ts';
import { errorsOf, l7, load } from '../../load.ts';

function http(...keys: string[]): HttpSettings {
  const [listener] = load(l7(...keys)).config.listeners;
  return (listener as L7Listener).http;
}

describe('the key http', () => {
  it('reads the minimum rate of a body', () => {
    const rate = (text: string): number => http(`http: { ${text} }`).minBodyRate;
    assert.deepEqual(
      ['keepAlive: 60s', 'minBodyRate: 64KiB/s', 'minBodyRate: 0', 'minBodyRate: 0B/s'].map(rate),
      [512, 65_536, 0, 0],
    );
    for (const [text, error] of [
      ['512', '512 is not a rate of bytes: write a size and "/s", such as 512B/s, or 0 for no minimum'],
      ['512B', '"512B" is not a rate of bytes: write a size and "/s", such as 512B/s, or 0 for no minimum'],
      ['2GiB/s', '2GiB/s is out of range: write 0B/s to 1GiB/s'],
    ] as const) {
      assert.deepEqual(errorsOf(l7(`http: { minBodyRate: ${text} }`)), [`5:26: minBodyRate: ${error}`]);
    }
  });

  it("reads the limits of clients' connections", () => {
    const read = http(
      'http:',
      '  headerTimeout: 5s',
      '  maxHeaderSize: 16KiB',
      '  maxHeaders: 50',
      '  clientKeepAlive: 0s',
      '  maxRequestsPerConnection: 100',
      '  bodyTimeout: 1m',
    );
    assert.equal(read.headerTimeoutMs, 5000);
    assert.equal(read.maxHeaderSize, 16_384);
    assert.equal(read.maxHeaders, 50);
    assert.equal(read.clientKeepAliveMs, 0);
    assert.equal(read.maxRequestsPerConnection, 100);
    assert.equal(read.bodyTimeoutMs, 60_000);
  });

  it("keeps the limits of clients' connections within sane bounds", () => {
    const errors = errorsOf(
      l7(
        'http:',
        '  headerTimeout: 0s',
        '  maxHeaderSize: 1MiB',
        '  maxHeaders: 0',
        '  clientKeepAlive: 21d',
        '  maxRequestsPerConnection: -1',
        '  bodyTimeout: 1ms',
      ),
    );
    assert.deepEqual(errors, [
      '6:22: headerTimeout: 0s is out of range: write 10ms to 20d',
      '7:22: maxHeaderSize: 1MiB is out of range: write 1KiB to 256KiB',
      '8:19: maxHeaders: 0 is out of range: write 1 to 10000',
      '9:24: clientKeepAlive: 21d is out of range: write 0s to 20d',
      '10:33: maxRequestsPerConnection: -1 is out of range: write 0 to 1000000000',
      '11:20: bodyTimeout: 1ms is out of range: write 10ms to 20d, or 0 for no limit',
    ]);
  });

  it('refuses what the engine uws does not support, whichever key selects it', () => {
    const tail = 'only the engines raw and net support this, and the listener uses uws because of';
    assert.deepEqual(errorsOf(l7('engine: uws', 'http: { bodyTimeout: 1m, maxBodySize: 1MiB }')), [
      `6:26: bodyTimeout: ${tail} "engine: uws": leave the key out`,
    ]);
    assert.deepEqual(errorsOf(l7('websocket: { compression: shared }', 'http: { maxHeaders: 9 }')), [
      `6:25: maxHeaders: ${tail} "websocket.compression: shared": leave the key out`,
    ]);
    for (const setting of ['headerTimeout: 5s', 'clientKeepAlive: 5s', 'maxRequestsPerConnection: 5']) {
      const [problem] = errorsOf(l7('engine: uws', `http: { ${setting} }`));
      assert.ok(problem?.includes(tail), setting);
    }
  });
});
