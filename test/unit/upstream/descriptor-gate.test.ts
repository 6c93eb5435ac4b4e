import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LineLimit } from '../../../src/telemetry/line-limit.ts';
import { DescriptorGate } from '../../../src/upstream/descriptor-gate.ts';

const PLAN = { limit: 256, ceiling: 224, clients: 78 };

function make(plan: typeof PLAN | null = PLAN): {
  gate: DescriptorGate;
  pages: Float64Array[];
  kernel: { lowestFree: number; asked: number };
  lines: object[];
  clock: { now: number };
} {
  // Two workers. The first slot belongs to another metric.
  const pages = [new Float64Array(3), new Float64Array(3)];
  const kernel = { lowestFree: 60, asked: 0 };
  const lines: object[] = [];
  const clock = { now: 0 };
  const ask = (): number => {
    kernel.asked++;
    return kernel.lowestFree;
  };
  const log = { warn: (details: object, message: string) => void lines.push({ ...details, message }) };
  const gate = new DescriptorGate(plan, pages, ask, log, new LineLimit(() => clock.now));
  gate.clientSlots = [1, 2];
  return { gate, pages, kernel, lines, clock };
}

describe('the descriptor gate', () => {
  it('admits clients up to the limit, summed over all workers and listeners', () => {
    const { gate, pages } = make();
    pages[0]!.set([1000, 40, 10]);
    pages[1]!.set([1000, 27, 0]);
    assert.equal(gate.admits('web', 100), true);
    pages[1]![2]! += 1;
    assert.equal(gate.admits('web', 100), false);
    pages[0]![1]! -= 1;
    assert.equal(gate.admits('web', 100), true);
  });

  it('refuses a descriptor at or above the ceiling, however few clients there are', () => {
    const { gate, kernel } = make();
    assert.equal(gate.admits('raw', 223), true);
    assert.equal(gate.admits('raw', 224), false);
    assert.equal(kernel.asked, 0);
  });

  it('asks the kernel if the number of the descriptor is unknown', () => {
    const { gate, kernel } = make();
    // The connection itself has 223.
    kernel.lowestFree = 224;
    assert.equal(gate.admits('web'), true);
    kernel.lowestFree = 225;
    assert.equal(gate.admits('web'), false);
    kernel.lowestFree = Infinity;
    assert.equal(gate.admits('web'), false);
  });

  it('refuses dials that would use the reserve', () => {
    const { gate, kernel, lines } = make();
    kernel.lowestFree = 223;
    assert.equal(gate.mayDial(), true);
    kernel.lowestFree = 224;
    assert.equal(gate.mayDial(), false);
    assert.deepEqual(lines, [{ limit: 256, ceiling: 224, message: 'dial refused: out of file descriptors' }]);
  });

  it('admits everything without a limit, and does not ask the kernel', () => {
    const { gate, pages, kernel } = make(null);
    pages[0]!.fill(1e6);
    kernel.lowestFree = Infinity;
    assert.deepEqual([gate.admits('web'), gate.admits('raw', 1e6), gate.mayDial()], [true, true, true]);
    assert.equal(kernel.asked, 0);
  });

  it('logs a flood of refusals in one line per interval', () => {
    const { gate, lines, clock } = make();
    for (let refused = 0; refused < 100; refused++) gate.admits('web', 250);
    clock.now += 10_000;
    gate.admits('tcp', 250);
    const message = 'connection refused: out of file descriptors';
    assert.deepEqual(lines, [
      { listener: 'web', limit: 256, maxClients: 78, message },
      { listener: 'tcp', limit: 256, maxClients: 78, suppressed: 99, message },
    ]);
  });
});
