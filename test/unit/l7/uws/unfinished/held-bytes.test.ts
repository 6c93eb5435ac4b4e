import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  HeldBytes,
  type Delivered,
  type WireTraits,
} from '../../../../../src/l7/uws/unfinished/held-bytes.ts';

const MIB = 1024 * 1024;
const MAX = 4 * MIB;
const PLAIN: WireTraits = { maxMessageSize: MAX, compressed: false, secure: false };

/** A client's counters, and what it holds really. */
class Client implements Delivered {
  messages = 0;
  messageBytes = 0;
  controlFrames = 0;
  controlBytes = 0;
  read = 0;
  held = 0;

  /** Sends a part of a message, with a separate frame head. */
  part(bytes: number): void {
    this.read += bytes + 6;
    this.held += bytes;
  }

  /** Sends the last part. @param inflated payload after decompression */
  finish(bytes: number, inflated = this.held + bytes): void {
    this.part(bytes);
    this.messages++;
    this.messageBytes += inflated;
    this.held = 0;
  }

  control(bytes: number): void {
    this.read += bytes + 6;
    this.controlFrames++;
    this.controlBytes += bytes;
  }
}

describe('the bytes that a session holds', () => {
  it('are the received bytes of an incomplete message', () => {
    const client = new Client();
    const held = new HeldBytes(PLAIN, client.read, client, true);
    client.part(MIB);
    assert.equal(held.sample(client.read, client), MIB + 6);
    client.part(MIB);
    assert.equal(held.sample(client.read, client), 2 * MIB + 12);
    client.finish(10);
    assert.ok(held.sample(client.read, client) <= 18);
    assert.equal(held.sample(client.read, client), held.value);
  });

  it('exclude complete messages, however many', () => {
    const client = new Client();
    const held = new HeldBytes(PLAIN, client.read, client, true);
    for (let count = 0; count < 1000; count++) {
      client.part(MIB);
      client.finish(MIB);
    }
    assert.ok(held.sample(client.read, client) < 16 * 1024);
    client.finish(1);
    assert.ok(held.sample(client.read, client) <= 16);
  });

  it('are never too low, never more than a message, and too high by heads at most', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constantFrom('part', 'finish'), bytes: fc.nat(MIB) }),
      fc.record({ kind: fc.constantFrom('control', 'sample'), bytes: fc.nat(125) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const client = new Client();
        const held = new HeldBytes(PLAIN, client.read, client, true);
        let frames = 0;
        for (const { kind, bytes } of steps) {
          frames++;
          if (kind === 'control') client.control(bytes);
          else if (kind === 'finish') client.finish(Math.min(bytes, MAX - client.held));
          else if (kind === 'part') client.part(Math.min(bytes, MAX - client.held));
          else {
            const estimate = held.sample(client.read, client);
            assert.ok(estimate >= client.held, `${estimate} of ${client.held}`);
            assert.ok(estimate <= Math.min(MAX, client.held + 6 * frames));
          }
        }
      }),
    );
  });

  it('cannot be hidden by small compressed messages that inflate to large ones', () => {
    const client = new Client();
    client.finish(100, 3 * MIB);
    client.part(2 * MIB);
    const young = new HeldBytes({ ...PLAIN, compressed: true }, client.read, client, true);
    assert.ok(young.value >= 2 * MIB - 16 * 1024);
    client.finish(100, 3 * MIB);
    client.part(MIB);
    assert.ok(young.sample(client.read, client) >= MIB);
  });

  it('are 0 for an idle session after many pings and messages', () => {
    for (const secure of [false, true]) {
      const client = new Client();
      for (let count = 0; count < 100_000; count++) {
        client.finish(20);
        client.control(4);
        client.read += secure ? 2 * 29 : 0;
      }
      const held = new HeldBytes({ ...PLAIN, secure }, client.read, client, false);
      assert.equal(held.value, 0);
      for (let count = 0; count < 10_000; count++) {
        client.control(0);
        client.read += secure ? 29 : 0;
        held.sample(client.read, client);
      }
      assert.equal(held.value, 0);
    }
  });

  it('include bytes from before the first sample', () => {
    const client = new Client();
    client.finish(10);
    client.part(MIB);
    const { value } = new HeldBytes(PLAIN, client.read, client, true);
    assert.ok(value > MIB - 16 * 1024 && value <= MIB);
  });
});
