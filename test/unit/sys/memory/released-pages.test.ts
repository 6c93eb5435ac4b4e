import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { releasePages } from '../../../../src/sys/memory/released-pages.ts';
import { unsupportedReason } from '../../../../src/sys/support.ts';

const skip = unsupportedReason() ?? false;
const MIB = 1024 * 1024;

describe('released pages', { skip }, () => {
  it('are those wholly inside the bytes, which become 0 there and stay usable', () => {
    const bytes = new Uint8Array(new ArrayBuffer(3 * MIB + 123)).fill(1);
    const released = releasePages(bytes.buffer);
    assert.ok(released > 2 * MIB && released <= bytes.length);
    const start = bytes.indexOf(0);
    assert.ok(bytes.subarray(start, start + released).every((byte) => byte === 0));
    assert.ok(bytes.subarray(0, start).every((byte) => byte === 1));
    assert.ok(bytes.subarray(start + released).every((byte) => byte === 1));
    bytes.fill(2);
    assert.ok(bytes.every((byte) => byte === 2));
  });

  it('are no longer resident', () => {
    const bytes = new Uint8Array(new ArrayBuffer(64 * MIB)).fill(1);
    const before = process.memoryUsage.rss();
    releasePages(bytes.buffer);
    assert.ok(process.memoryUsage.rss() < before - 32 * MIB);
  });

  it('are none if the bytes contain no whole page', () => {
    const bytes = new Uint8Array(100).fill(1);
    assert.equal(releasePages(bytes.buffer), 0);
    assert.ok(bytes.every((byte) => byte === 1));
    assert.equal(releasePages(new ArrayBuffer(0)), 0);
  });
});
