import assert from 'node:assert/strict';
import { lookup } from 'node:dns/promises';
import { describe, it } from 'node:test';
import { MessageChannel } from 'node:worker_threads';
import { Timed, TimerWheel } from '../../../src/core/timing/timer-wheel.ts';
import { EventLoop } from '../../../src/loop/event-loop.ts';
import { unsupportedReason } from '../../../src/sys/support.ts';
import { eventually } from '../../support/deadline.ts';

const skip = unsupportedReason() ?? false;

class Alarm extends Timed {
  readonly #done: () => void;

  constructor(done: () => void) {
    super();
    this.#done = done;
  }

  override expire(): void {
    this.#done();
  }
}

async function withLoop(test: (loop: EventLoop) => Promise<void>): Promise<void> {
  const loop = new EventLoop(new TimerWheel(performance.now()));
  loop.start();
  try {
    await test(loop);
  } finally {
    loop.close();
  }
}

describe('the event loop', { skip, timeout: 300_000 }, () => {
  it('gives Node a turn for a message, well before the next tick', async () => {
    await withLoop(async () => {
      const { port1, port2 } = new MessageChannel();
      const times: number[] = [];
      for (let round = 0; round < 20; round++) {
        const start = performance.now();
        const received = new Promise((resolve) => port1.once('message', resolve));
        setTimeout(() => port2.postMessage(start), 1);
        await received;
        const sent = performance.now();
        const answer = new Promise((resolve) => port2.once('message', resolve));
        port1.postMessage('answer');
        await answer;
        times.push(performance.now() - sent);
      }
      times.sort((a, b) => a - b);
      assert.ok(times[10]! < 50, `median ${times[10]} ms`);
      port1.close();
    });
  });

  it('gives Node another turn if it asks for one, well before the next tick', async () => {
    await withLoop(async (loop) => {
      const times: number[] = [];
      for (let turn = 0; turn < 20; turn++) {
        const asked = performance.now();
        const served = new Promise((resolve) => setImmediate(resolve));
        loop.yieldToNode();
        await served;
        times.push(performance.now() - asked);
      }
      times.sort((a, b) => a - b);
      assert.ok(times[10]! < 50, `median ${times[10]} ms`);
    });
  });

  it('runs soon callbacks after deferred ones, and serves Node between them', async () => {
    await withLoop(async (loop) => {
      const log: string[] = [];
      let turns = 0;
      loop.afterNode = () => turns++;
      const done = new Promise<void>((resolve) => {
        const again = (): void => {
          if (log.length >= 30) resolve();
          else loop.soon(again);
          log.push('soon');
          loop.defer(() => log.push('deferred'));
          loop.yieldToNode();
        };
        // The loop's own turn, as when a connection reads.
        const alarm = new Alarm(() => {
          loop.soon(again);
          loop.defer(() => log.push('deferred'));
        });
        loop.wheel.arm(alarm, 1);
      });
      await done;
      assert.ok(turns >= 15, `${turns} turns of Node`);
      for (const [index, entry] of log.entries()) {
        assert.equal(entry, index % 2 === 0 ? 'deferred' : 'soon');
      }
    });
  });

  it('serves the thread pool, timers and promises', async () => {
    await withLoop(async () => {
      const { address } = await lookup('localhost');
      assert.match(address, /^(?:127\.0\.0\.1|::1)$/);
      await new Promise((resolve) => setTimeout(resolve, 10));
      await new Promise((resolve) => setImmediate(resolve));
    });
  });

  it('drives the timer wheel', async () => {
    await withLoop(async ({ wheel }) => {
      const start = performance.now();
      await new Promise<void>((resolve) => wheel.arm(new Alarm(resolve), 250));
      assert.ok(performance.now() - start >= 150);
    });
  });

  it('measures its wait and its lateness', async () => {
    await withLoop(async (loop) => {
      const waited = loop.waitedMs;
      const start = performance.now();
      await eventually(() => assert.ok(loop.waitedMs - waited > 200));
      assert.ok(loop.waitedMs - waited <= performance.now() - start + 1);
      loop.takeLatenessMs();
      const end = performance.now() + 350;
      while (performance.now() < end);
      await eventually(() => assert.ok(loop.takeLatenessMs() > 200));
    });
  });

  it('can be started twice and closed twice', async () => {
    await withLoop(async (loop) => {
      loop.start();
      await new Promise((resolve) => setImmediate(resolve));
      loop.close();
    });
  });
});
