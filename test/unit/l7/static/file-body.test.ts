import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { open, truncate, writeFile, type FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { HttpReply } from '../../../../src/l7/contract/http-reply.ts';
import { sendRange } from '../../../../src/l7/static/file-body.ts';
import { NO_EDITS } from '../../../../src/wire/http/header-edits.ts';

const SIZE = 1_000_000;
const CONTENT = Buffer.from(Uint8Array.from({ length: SIZE }, (_, i) => i % 251));

/** A reply whose client takes one chunk each time a test says so, or all at once. */
class FakeReply implements HttpReply {
  edits = NO_EDITS;
  readonly pages = null;
  readonly sent = 0;
  readonly sendsTrailers = false;
  aborted = false;
  readonly begun = true;
  readonly cutBy = null;
  slow = false;
  readonly chunks: Buffer[] = [];
  #taken: (() => void) | null = null;
  #waiting: (() => void) | null = null;

  onAborted(): void {
    assert.fail('not used');
  }
  sendInterim(): void {
    assert.fail();
  }
  beginAndFlush(): boolean {
    assert.fail();
  }

  send(): void {
    assert.fail('not used');
  }
  sendHead(): void {
    assert.fail('not used');
  }
  begin(): void {
    assert.fail('not used');
  }

  end(): void {
    assert.fail('not used');
  }
  write(chunk: Uint8Array): boolean {
    assert.equal(this.#taken, null, 'written before the last chunk was taken');
    this.chunks.push(Buffer.from(chunk));
    return !this.slow;
  }

  whenWritable(callback: () => void): void {
    this.#taken = callback;
    this.#waiting?.();
  }

  /** Resolves when the writer waits for the client. */
  async waiting(): Promise<void> {
    if (this.#taken !== null) return;
    await new Promise<void>((resolve) => {
      this.#waiting = resolve;
    });
  }

  take(): void {
    const callback = this.#taken;
    this.#taken = null;
    callback?.();
  }

  cut(): void {
    assert.fail('not used');
  }
}

describe('sendRange', () => {
  let directory = '';
  let path = '';
  let handle: FileHandle;

  before(async () => {
    directory = mkdtempSync(join(tmpdir(), 'sluice-body-'));
    path = join(directory, 'file');
    await writeFile(path, CONTENT);
    handle = await open(path);
  });

  after(async () => {
    await handle.close();
    rmSync(directory, { recursive: true, force: true });
  });

  it('sends exactly the range, in bounded chunks', async () => {
    for (const [first, last] of [
      [0, SIZE - 1],
      [0, 0],
      [SIZE - 1, SIZE - 1],
      [300_001, 700_000],
    ] as const) {
      const reply = new FakeReply();
      await sendRange(handle, { first, last }, reply);
      assert.ok(Buffer.concat(reply.chunks).equals(CONTENT.subarray(first, last + 1)));
      for (const chunk of reply.chunks) assert.ok(chunk.length <= 128 * 1024);
    }
  });

  it('yields to others while a client takes everything', async () => {
    const reply = new FakeReply();
    const over = sendRange(handle, { first: 0, last: SIZE - 1 }, reply);
    // No turn of the loop has ended.
    assert.ok(reply.chunks.length <= 1);
    await over;
    assert.ok(Buffer.concat(reply.chunks).equals(CONTENT));
  });

  it('does not read ahead of a client that takes nothing', async () => {
    const reply = new FakeReply();
    reply.slow = true;
    const over = sendRange(handle, { first: 0, last: SIZE - 1 }, reply);
    for (let chunk = 1; chunk <= 3; chunk++) {
      await reply.waiting();
      await new Promise((resolve) => setImmediate(resolve));
      assert.equal(reply.chunks.length, chunk);
      if (chunk === 3) reply.slow = false;
      reply.take();
    }
    await over;
    assert.ok(Buffer.concat(reply.chunks).equals(CONTENT));
  });

  it('stops when the client disconnects', async () => {
    const reply = new FakeReply();
    reply.slow = true;
    const over = sendRange(handle, { first: 0, last: SIZE - 1 }, reply);
    await reply.waiting();
    reply.aborted = true;
    reply.take();
    await over;
    assert.equal(reply.chunks.length, 1);
  });

  it('throws if the file was truncated', async () => {
    const shrinking = join(directory, 'shrinking');
    await writeFile(shrinking, CONTENT);
    const reader = await open(shrinking);
    const reply = new FakeReply();
    reply.slow = true;
    const over = sendRange(reader, { first: 0, last: SIZE - 1 }, reply);
    await reply.waiting();
    await truncate(shrinking, 200_000);
    reply.slow = false;
    reply.take();
    await assert.rejects(over, /truncated/);
    await reader.close();
    assert.equal(Buffer.concat(reply.chunks).length, 200_000);
  });

  it('throws the error of a read', async () => {
    const opened = await open(directory);
    await assert.rejects(sendRange(opened, { first: 0, last: 9 }, new FakeReply()), { code: 'EISDIR' });
    await opened.close();
  });
});
