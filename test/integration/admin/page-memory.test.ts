/** A page that is left open: hours of frames in a short time. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { CDPSession, Page } from 'playwright-core';
import { eventually } from '../../support/deadline.ts';
import { PageBrowser, SKIP_WITHOUT_CHROMIUM } from '../../support/page/browser.ts';
import { FakeAdmin } from '../../support/page/fake-admin.ts';
import { busyFrame } from '../../support/page/frames.ts';

/** The history of ten minutes is full, and all nodes are there. */
const WARM_FRAMES = 1500;
/** Three blocks are an hour and a half of one frame a second. */
const BLOCK_FRAMES = 1800;
const BLOCKS = 3;
/** The browser compiles something now and then. 80 bytes a frame would be more. */
const MAX_GROWTH_BYTES = 400_000;

interface HeapSnapshot {
  readonly snapshot: { readonly meta: { readonly node_fields: readonly string[] } };
  readonly nodes: readonly number[];
}

describe('a page that is left open', { skip: SKIP_WITHOUT_CHROMIUM, timeout: 600_000 }, () => {
  let browser: PageBrowser;
  let admin: FakeAdmin;

  before(async () => {
    browser = await PageBrowser.start();
    admin = await FakeAdmin.listen();
  });
  after(async () => {
    await browser.stop();
    admin.close();
  });

  /** Sends frames as fast as the page takes them, and waits until it has shown the last one. */
  async function show(page: Page, from: number, count: number): Promise<void> {
    const end = from + count;
    const send = async (second: number): Promise<void> => {
      await admin.push({ ...busyFrame(second), generation: second });
      if (second >= end - 2) await page.locator('#generation', { hasText: String(second) }).waitFor();
    };
    // The last one comes alone. The browser holds the text that came with the previous one: a megabyte when
    // frames come this fast.
    for (let second = from; second < end; second++) await send(second);
  }

  async function sizes(
    page: Page,
    session: CDPSession,
  ): Promise<{ heap: number; nodes: number; listeners: number }> {
    await page.evaluate('new Promise((settle) => requestAnimationFrame(() => setTimeout(settle)))');
    const { nodes, jsEventListeners } = await session.send('Memory.getDOMCounters');
    return { heap: await heapOf(session), nodes, listeners: jsEventListeners };
  }

  /**
   * Returns the bytes of all objects that something still holds. The browser's own count has dead ones, too, which it frees when
   * it likes.
   */
  async function heapOf(session: CDPSession): Promise<number> {
    let text = '';
    const take = ({ chunk }: { readonly chunk: string }): void => void (text += chunk);
    session.on('HeapProfiler.addHeapSnapshotChunk', take);
    await session.send('HeapProfiler.takeHeapSnapshot', {});
    session.off('HeapProfiler.addHeapSnapshotChunk', take);
    const { snapshot, nodes } = JSON.parse(text) as HeapSnapshot;
    const fields = snapshot.meta.node_fields;
    const size = fields.indexOf('self_size');
    let sum = 0;
    for (let at = size; at < nodes.length; at += fields.length) sum += nodes[at]!;
    return sum;
  }

  it('keeps neither memory nor nodes of frames that are gone', async (t) => {
    const page = await browser.open(admin.address);
    await eventually(() => assert.equal(admin.readers, 1));
    const session = await page.context().newCDPSession(page);
    await show(page, 0, WARM_FRAMES);
    const steps = [await sizes(page, session)];
    for (let block = 0; block < BLOCKS; block++) {
      await show(page, WARM_FRAMES + block * BLOCK_FRAMES, BLOCK_FRAMES);
      steps.push(await sizes(page, session));
    }
    t.diagnostic(JSON.stringify(steps));
    const [first, last] = [steps[0]!, steps.at(-1)!];
    assert.ok(last.heap - first.heap < MAX_GROWTH_BYTES, `${last.heap - first.heap} bytes more`);
    assert.ok(last.nodes <= first.nodes + 50, `${last.nodes - first.nodes} nodes more`);
    assert.ok(last.listeners <= first.listeners + 20, `${last.listeners - first.listeners} listeners more`);
    await browser.close(page);
  });
});
