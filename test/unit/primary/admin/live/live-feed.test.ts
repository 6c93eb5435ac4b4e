import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LiveFeed, type LiveReader } from '../../../../../src/primary/admin/live/live-feed.ts';
import type { Steps } from '../../../../../src/core/timing/steps.ts';

/** A feed whose clock the test turns. */
class Rig {
  now = 0;
  ticks: (() => void) | null = null;
  written = 0;
  failure: Error | null = null;
  readonly errors: unknown[] = [];
  readonly feed: LiveFeed;

  constructor() {
    this.feed = new LiveFeed({
      write: () => this.#write(),
      maxReaders: 3,
      maxPerAddress: 2,
      onError: (error) => void this.errors.push(error),
      timing: {
        now: () => this.now,
        every: (ms, run) => {
          assert.equal(ms, 1000);
          this.ticks = run;
          return () => (this.ticks = null);
        },
        slices: () => ({ isOver: () => true, next: () => Promise.resolve() }),
      },
    });
  }

  /** Lets a second pass, and the frame be made. */
  async second(): Promise<void> {
    this.now += 1000;
    this.ticks?.();
    await settled();
  }

  *#write(): Steps<string> {
    this.written++;
    yield;
    if (this.failure !== null) throw this.failure;
    return `{"frame":${this.written}}`;
  }
}

class Reader implements LiveReader {
  readonly address: string;
  readonly frames: string[] = [];

  constructor(address = '192.0.2.1') {
    this.address = address;
  }

  take({ text }: { readonly text: string }): void {
    this.frames.push(text);
  }
}

function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

describe('the live feed', () => {
  it('creates one frame a second for all readers, the first at once', async () => {
    const rig = new Rig();
    const [one, other] = [new Reader(), new Reader()];
    rig.feed.join(one);
    await settled();
    rig.feed.join(other);
    assert.deepEqual([one.frames, other.frames], [['{"frame":1}'], ['{"frame":1}']]);
    await rig.second();
    await rig.second();
    assert.equal(rig.written, 3);
    assert.deepEqual(one.frames, other.frames);
  });

  it('creates no frames without a reader, and starts again with the next reader', async () => {
    const rig = new Rig();
    const reader = new Reader();
    rig.feed.join(reader);
    await settled();
    rig.feed.leave(reader);
    rig.feed.leave(reader);
    assert.equal(rig.ticks, null);
    assert.equal(rig.feed.readers, 0);
    await rig.second();
    rig.feed.join(reader);
    await settled();
    assert.deepEqual(reader.frames, ['{"frame":1}', '{"frame":2}']);
  });

  it('limits the readers, and the readers of one address', () => {
    const { feed } = new Rig();
    const readers = [new Reader('a'), new Reader('a'), new Reader('b')] as const;
    feed.join(readers[0]);
    assert.equal(feed.refusal('a'), null);
    feed.join(readers[1]);
    assert.equal(feed.refusal('a'), '2 clients of your address are reading it');
    assert.equal(feed.refusal('b'), null);
    feed.join(readers[2]);
    assert.equal(feed.refusal('c'), '3 clients are reading it');
    feed.leave(readers[0]);
    assert.equal(feed.refusal('a'), null);
  });

  it('shares a recent frame among requests for a single frame', async () => {
    const rig = new Rig();
    const [one, other] = await Promise.all([rig.feed.frame(), rig.feed.frame()]);
    assert.equal(one.text, '{"frame":1}');
    assert.equal(one, other);
    rig.now += 500;
    assert.equal(await rig.feed.frame(), one);
    rig.now += 500;
    assert.equal((await rig.feed.frame()).text, '{"frame":2}');
  });

  it('skips a second while the previous frame is still in progress', async () => {
    const rig = new Rig();
    const reader = new Reader();
    rig.feed.join(reader);
    rig.now += 1000;
    rig.ticks!();
    await settled();
    assert.equal(rig.written, 1);
    await rig.second();
    assert.equal(reader.frames.length, 2);
  });

  it('continues after a frame that failed', async () => {
    const rig = new Rig();
    const reader = new Reader();
    rig.failure = new Error('a bug');
    rig.feed.join(reader);
    await settled();
    await assert.rejects(rig.feed.frame(), /a bug/);
    assert.equal(rig.errors.length, 2);
    rig.failure = null;
    await rig.second();
    assert.equal(reader.frames.length, 1);
  });

  it('forgets readers that left', async () => {
    const rig = new Rig();
    for (let count = 0; count < 20_000; count++) {
      const reader = new Reader(`client ${count}`);
      assert.equal(rig.feed.refusal(reader.address), null);
      rig.feed.join(reader);
      if (count % 1000 === 0) await rig.second();
      rig.feed.leave(reader);
    }
    assert.equal(rig.feed.readers, 0);
    assert.equal(rig.ticks, null);
  });
});
