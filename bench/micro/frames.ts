import { FrameReader } from '../../src/wire/frames/frame-reader.ts';
import { MAX_MASKED_HEAD_BYTES, writeMaskedFrame } from '../../src/wire/frames/frame-writer.ts';
import { OPCODE_BINARY } from '../../src/wire/frames/opcodes.ts';
import type { MicroCase } from './micro-case.ts';

const SIZES = [32, 1024, 65_536];
const BATCH = 16;
const MASK = 0x5a17_c3e9;

class Counter extends FrameReader {
  bytes = 0;
  override frameMessage(payload: Uint8Array): void {
    this.bytes += payload.length;
  }
  override frameFragment(payload: Uint8Array): void {
    this.bytes += payload.length;
  }
  override framePing(): void {
    this.bytes++;
  }
  override framePong(): void {
    this.bytes++;
  }
  override frameClose(): void {
    this.bytes++;
  }
  override frameError(reason: string): void {
    throw new Error(reason);
  }
}

/** Reads frames from endpoints, and writes frames to endpoints. */
export default function cases(): MicroCase[] {
  return SIZES.flatMap((size) => [decode(size), encode(size, 0, 'zero'), encode(size, MASK, 'random')]);
}

function decode(size: number): MicroCase {
  const reader = new Counter();
  const frame = serverFrame(size);
  const count = size > 4096 ? 1 : BATCH;
  const input = Buffer.concat(Array.from({ length: count }, () => frame));
  return {
    name: `read ${count} frame${count === 1 ? '' : 's'} of ${size} B`,
    run: () => {
      reader.read(input, 0, input.length);
      return reader.bytes;
    },
  };
}

function encode(size: number, mask: number, kind: string): MicroCase {
  const payload = Buffer.alloc(size, 'a');
  const target = Buffer.allocUnsafeSlow(size + MAX_MASKED_HEAD_BYTES);
  return {
    name: `write a frame of ${size} B, ${kind} mask`,
    run: () => writeMaskedFrame(target, 0, OPCODE_BINARY, payload, mask),
  };
}

function serverFrame(size: number): Buffer {
  const head =
    size < 126
      ? [0x82, size]
      : size < 65_536
        ? [0x82, 126, size >>> 8, size & 0xff]
        : [0x82, 127, 0, 0, 0, 0, size >>> 24, (size >>> 16) & 0xff, (size >>> 8) & 0xff, size & 0xff];
  return Buffer.concat([Buffer.from(head), Buffer.alloc(size, 'a')]);
}
