import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MessagePool, type PoolOptions } from '../../../../bench/scenarios/message-pool.ts';
import { RandomPool } from '../../../../src/core/random-pool.ts';
import { receiveAsServer } from '../../wire/frames/foreign-codec.ts';

const random = new RandomPool();

function poolOf(options: Partial<PoolOptions>): MessagePool {
  const all: PoolOptions = {
    sizes: { kind: 'fixed', size: 32 },
    framing: 'binary',
    inFlight: 16,
    pings: false,
    allocate: (size) => Buffer.alloc(size),
    ...options,
  };
  return new MessagePool(all, () => random.int32());
}

describe('the message pool', () => {
  it('gives runs of masked frames that a server can read', () => {
    for (const framing of ['binary', 'text'] as const) {
      const pool = poolOf({ framing });
      assert.ok(pool.uniform);
      const received = receiveAsServer(Buffer.from(pool.run(0, pool.count)));
      assert.equal(received.length, pool.count);
      for (const { kind, data, isBinary } of received) {
        assert.equal(kind, 'message');
        assert.equal(isBinary, framing === 'binary');
        assert.equal(data.length, 32);
        if (framing === 'text') assert.match(data.toString(), /^[ -~]*$/);
      }
    }
  });

  it('masks every frame differently', () => {
    const pool = poolOf({});
    const masks = Array.from({ length: pool.count }, (_, index) => pool.run(index, 1).toString('hex', 2, 6));
    assert.equal(new Set(masks).size, pool.count);
  });

  it('has as many messages as are in flight, unless they need too much memory', () => {
    assert.equal(poolOf({ inFlight: 16 }).count, 16);
    assert.equal(poolOf({ inFlight: 1 }).count, 1);
    assert.equal(poolOf({ inFlight: 1000, sizes: { kind: 'fixed', size: 1024 * 1024 } }).count, 1);
    assert.equal(poolOf({ sizes: { kind: 'fixed', size: 0 } }).count, 16);
  });

  it('gives runs of messages with the sizes of a distribution', () => {
    const pool = poolOf({ sizes: { kind: 'uniform', min: 0, max: 300 } });
    assert.ok(!pool.uniform && pool.count > 300);
    const all = receiveAsServer(Buffer.from(pool.run(0, pool.count)));
    assert.deepEqual(
      all.map(({ data }) => data.length),
      [...pool.lengths],
    );
    for (const first of [0, 1, 7, pool.count - 3]) {
      const run = receiveAsServer(Buffer.from(pool.run(first, 3)));
      assert.deepEqual(
        run.map(({ data }) => data.length),
        [...pool.lengths.subarray(first, first + 3)],
      );
    }
    const one = receiveAsServer(Buffer.from(pool.run(5, 1)));
    assert.deepEqual(
      one.map(({ data }) => data.length),
      [pool.lengths[5]],
    );
  });

  it("follows every message with a ping that carries the message's index", () => {
    const pool = poolOf({ pings: true, inFlight: 3 });
    assert.equal(pool.count, 6);
    const received = receiveAsServer(Buffer.from(pool.run(0, 6)));
    assert.deepEqual(
      received.map(({ kind }) => kind),
      Array.from({ length: 6 }, () => ['message', 'ping']).flat(),
    );
    const places = received.filter(({ kind }) => kind === 'ping').map(({ data }) => data.readUInt32BE());
    assert.deepEqual(places, [0, 1, 2, 3, 4, 5]);
  });

  it('has bytes without frames for raw connections', () => {
    const pool = poolOf({ framing: 'none', sizes: { kind: 'fixed', size: 10 } });
    assert.equal(pool.run(0, 3).length, 30);
  });
});
