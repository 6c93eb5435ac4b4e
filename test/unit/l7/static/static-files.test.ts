import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { HttpReply } from '../../../../src/l7/contract/http-reply.ts';
import { StaticFiles } from '../../../../src/l7/static/static-files.ts';
import { NO_EDITS } from '../../../../src/wire/http/header-edits.ts';

/** A reply that notes what is called on it. */
class NotingReply implements HttpReply {
  edits = NO_EDITS;
  readonly pages = null;
  readonly sent = 0;
  readonly sendsTrailers = false;
  begun = false;
  readonly cutBy = null;
  aborted = false;
  readonly calls: string[] = [];

  onAborted(): void {
    this.calls.push('onAborted');
  }
  sendInterim(): void {
    assert.fail();
  }
  beginAndFlush(): boolean {
    assert.fail();
  }

  send(status: number): void {
    this.calls.push(`send ${status}`);
  }
  sendHead(status: number): void {
    this.calls.push(`sendHead ${status}`);
  }
  begin(status: number): void {
    this.calls.push(`begin ${status}`);
  }
  end(): void {
    this.calls.push('end');
  }
  write(chunk: Uint8Array): boolean {
    this.calls.push(`write ${chunk.length}`);
    this.begun = true;
    return true;
  }
  whenWritable(): void {
    this.calls.push('whenWritable');
  }
  cut(reason: string): void {
    this.calls.push(`cut ${reason}`);
  }
}

describe('StaticFiles', () => {
  let root = '';

  before(() => {
    root = mkdtempSync(join(tmpdir(), 'sluice-files-'));
    writeFileSync(join(root, 'a.txt'), 'text');
  });

  after(() => {
    rmSync(root, { recursive: true, force: true });
  });

  function statusOf(path: string, reply: HttpReply, from = root): Promise<number> {
    const files = new StaticFiles({
      kind: 'static',
      root: from,
      index: 'index.html',
      fallback: null,
      precompressed: false,
      cacheControl: null,
    });
    return new Promise((resolve) => {
      files.serve({ method: 'GET', path, header: () => undefined }, reply, resolve);
    });
  }

  it('streams a file and reports its status', async () => {
    const reply = new NotingReply();
    assert.equal(await statusOf('/a.txt', reply), 200);
    assert.deepEqual(reply.calls, ['begin 200', 'write 4']);
  });

  it('reports 499 and sends nothing if the client has disconnected', async () => {
    for (const path of ['/a.txt', '/missing', '/.env']) {
      const reply = new NotingReply();
      reply.aborted = true;
      assert.equal(await statusOf(path, reply), 499);
      assert.deepEqual(reply.calls, []);
    }
  });

  it('answers 404 if its root is missing', async () => {
    const reply = new NotingReply();
    assert.equal(await statusOf('/a.txt', reply, join(root, 'missing')), 404);
    assert.deepEqual(reply.calls, ['send 404']);
  });
});
