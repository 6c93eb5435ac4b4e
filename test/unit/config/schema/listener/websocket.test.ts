import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { L7Listener, WebSocketSettings } from '../../../../../src/config/types/listener.ts';
import { errorsOf, l7, load } from '../../load.ts';

function settings(...keys: string[]): WebSocketSettings {
  const [listener] = load(l7(...keys)).config.listeners;
  return (listener as L7Listener).websocket;
}

describe('the key websocket', () => {
  it('keeps all settings within sane bounds', () => {
    const errors = errorsOf(
      l7(
        'engine: uws',
        'websocket:',
        '  handshakeTimeout: 0s',
        '  maxMessageSize: 0',
        '  idleTimeout: 1ms',
        '  maxLifetime: 21d',
        '  downstreamBuffer: 16',
        '  upstreamBuffer: 4GiB',
        '  compression: on',
        '  endpointLostCode: 1006',
      ),
    );
    assert.deepEqual(errors, [
      '7:25: handshakeTimeout: 0s is out of range: write 1ms to 10m',
      '8:23: maxMessageSize: 0B is out of range: write 1B to 1GiB',
      '9:20: idleTimeout: 1ms is out of range: write 8s to 16m, or 0 for never',
      '10:20: maxLifetime: 21d is out of range: write 10ms to 20d, or 0 for no limit',
      '11:25: downstreamBuffer: 16B is out of range: write 1KiB to 1GiB',
      '12:23: upstreamBuffer: 4GiB is out of range: write 1KiB to 1GiB',
      '13:20: compression: "on" is not one of passthrough, off, shared',
      '14:25: endpointLostCode: 1006 is not a close code for this: write 1011 or 1014',
    ]);
  });

  it('limits idle timeouts to 8 to 960 seconds with uWebSockets.js', () => {
    assert.equal(settings('websocket: { idleTimeout: 1h }').idleTimeoutMs, 3_600_000);
    assert.deepEqual(errorsOf(l7('websocket: { idleTimeout: 500ms }')), [
      '5:31: idleTimeout: 500ms is out of range: write 1s to 20d, or 0 for never',
    ]);
    assert.deepEqual(errorsOf(l7('websocket: { idleTimeout: 1h, compression: shared }')), [
      '5:31: idleTimeout: 1h is out of range: write 8s to 16m, or 0 for never',
    ]);
  });

  it('passes extensions on by default, and drops the offer with the engine uws', () => {
    assert.equal(settings().compression, 'passthrough');
    assert.equal(settings('engine: net').compression, 'passthrough');
    assert.equal(settings('engine: uws').compression, 'off');
    assert.equal(settings("websocket: { compression: 'off' }").compression, 'off');
    assert.equal(settings('websocket: { compression: shared }').compression, 'shared');
  });

  it('refuses a compression that the engine does not support', () => {
    assert.deepEqual(errorsOf(l7('engine: raw', 'websocket: { compression: shared }')), [
      '6:31: compression: only the engine uws compresses: write engine: uws, or passthrough or off here',
    ]);
    assert.deepEqual(errorsOf(l7('engine: uws', 'websocket: { compression: passthrough }')), [
      '6:31: compression: only the engines raw and net pass extensions on, and the listener uses uws because of ' +
        '"engine: uws": write off or shared',
    ]);
  });

  it('refuses sizes of queues that the stream relay does not have', () => {
    assert.deepEqual(errorsOf(l7('websocket: { upstreamBuffer: 1MiB, maxMessageSize: 1MiB }')), [
      '5:34: upstreamBuffer: only the engine uws support this, and the listener uses raw or net: leave the key out',
    ]);
    assert.equal(settings('engine: uws', 'websocket: { upstreamBuffer: 1MiB }').upstreamBuffer, 1024 ** 2);
  });

  it('refuses a compressor per session, and names the alternatives', () => {
    assert.deepEqual(errorsOf(l7('websocket: { compression: dedicated }')), [
      '5:31: compression: "dedicated" is no longer supported: a compressor per session costs 82 KiB outside every ' +
        'limit. Write shared, which costs sessions no memory, or off',
    ]);
  });
});
