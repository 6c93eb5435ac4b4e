import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { WorkerSlot } from '../../../../src/primary/workers/worker-slot.ts';
import type { SlotTimings } from '../../../../src/primary/workers/slot-timings.ts';
import type { TaskArguments } from '../../../../src/primary/workers/worker-slot.ts';
import type { FromWorker } from '../../../../src/protocol/from-worker.ts';
import type { ToWorker } from '../../../../src/protocol/to-worker.ts';
import { allocatePage } from '../../../../src/telemetry/stats-page.ts';
import { capture, until } from '../fixtures/config.ts';
import type { LogLine } from '../fixtures/config.ts';

interface Task {
  readonly commands: ToWorker[];
  say(message: FromWorker): void;
  end(error?: Error): void;
}

interface Setup {
  readonly slot: WorkerSlot;
  readonly tasks: Task[];
  /** The launch of each task. */
  readonly launches: TaskArguments[];
  readonly lines: LogLine[];
  /** The delays before each new start, in the order of the faults. */
  readonly delays: () => number[];
  readonly workerLines: string[];
  readonly events: string[];
}

const TIMINGS: SlotTimings = {
  startMs: 10_000,
  firstStartMs: 60_000,
  steadyMs: 60_000,
  backoff: { firstMs: 2, maxMs: 1000 },
};

/** A slot whose tasks run in this thread, at the test's command. */
function setup(
  timings: Partial<SlotTimings> = {},
  more: { readonly onLate?: (afterMs: number) => void } = {},
): Setup {
  const tasks: Task[] = [];
  const launches: TaskArguments[] = [];
  const workerLines: string[] = [];
  const events: string[] = [];
  const { log, lines } = capture();
  const slot = new WorkerSlot({
    kind: 'l4',
    name: 'l4-0',
    page: allocatePage({ size: 1 }),
    clear: () => undefined,
    onEndpointFailed: () => undefined,
    onAccessReport: () => undefined,
    restarts: 0,
    timings: { ...TIMINGS, ...timings },
    log,
    onTelemetry: (report) => {
      if (report.type === 'log') workerLines.push(report.lines);
      if (report.type === 'events')
        events.push(...report.events.map(({ reason, detail }) => `${reason}: ${detail}`));
    },
    ...more,
    serve: (launch) =>
      new Promise<void>((resolve, reject) => {
        const { port } = launch;
        launches.push(launch);
        const commands: ToWorker[] = [];
        port.on('message', (command: ToWorker) => commands.push(command));
        tasks.push({
          commands,
          say: (message) => port.postMessage(message),
          end: (error) => (error === undefined ? resolve() : reject(error)),
        });
      }),
  });
  const delays = (): number[] =>
    lines.flatMap(({ restartInMs }) => (restartInMs === undefined ? [] : [restartInMs]));
  return { slot, tasks, launches, lines, delays, workerLines, events };
}

async function settled(slot: WorkerSlot, tasks: readonly Task[]): Promise<void> {
  tasks.at(-1)?.end();
  slot.drain({ graceMs: 0, pace: null, successors: null });
  tasks.at(-1)?.end();
  await slot.ended;
  slot.close();
}

describe('the slot of a worker', { timeout: 300_000 }, () => {
  it('is up when its worker listens', async () => {
    const { slot, tasks } = setup();
    const started = slot.start();
    assert.equal(slot.state, 'starting');
    tasks[0]!.say({ type: 'log', lines: 'x\n' });
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(slot.state, 'starting');
    tasks[0]!.say({ type: 'listening', generation: 3 });
    await started;
    assert.equal(slot.state, 'up');
    await settled(slot, tasks);
  });

  it('reports a fault, and when it is up again', async () => {
    const { slot, tasks, events } = setup();
    void slot.start();
    tasks[0]!.say({ type: 'listening', generation: 3 });
    await until(() => slot.state === 'up', 'it is up');
    tasks[0]!.end(new Error('a fault'));
    await until(() => tasks.length === 2, 'it is restarted');
    tasks[1]!.say({ type: 'listening', generation: 3 });
    await until(() => events.length === 2, 'both are told');
    assert.deepEqual(events, ['failed: a fault', 'up: restart 1']);
    await settled(slot, tasks);
  });

  it('waits longer after each fault', async () => {
    const { slot, tasks, delays } = setup();
    void slot.start();
    for (let times = 1; times <= 5; times++) {
      tasks.at(-1)!.say({ type: 'listening', generation: 3 });
      await until(() => slot.state === 'up', 'it is up');
      tasks.at(-1)!.end(new Error('fault'));
      await until(() => tasks.length === times + 1, 'it is restarted');
    }
    assert.equal(delays().length, 5);
    for (const [index, delay] of delays().entries()) {
      assert.ok(delay >= 2 ** index && delay <= 2 * 2 ** index, `${index}: ${delay}`);
    }
    assert.equal(slot.restarts, 5);
    await settled(slot, tasks);
  });

  it('forgets faults when its worker has been up long enough', async () => {
    const { slot, tasks, delays } = setup({ steadyMs: 0 });
    void slot.start();
    for (let times = 1; times <= 5; times++) {
      tasks.at(-1)!.say({ type: 'listening', generation: 3 });
      await until(() => slot.state === 'up', 'it is up');
      tasks.at(-1)!.end(new Error('fault'));
      await until(() => tasks.length === times + 1, 'it is restarted');
    }
    assert.equal(delays().length, 5);
    for (const delay of delays()) assert.ok(delay <= 2);
    await settled(slot, tasks);
  });

  it('restarts a worker that ends unexpectedly, or does not listen again', async () => {
    const { slot, tasks, lines } = setup({ startMs: 30 });
    void slot.start();
    tasks[0]!.say({ type: 'listening', generation: 3 });
    await until(() => slot.state === 'up', 'it is up');
    tasks[0]!.end();
    await until(() => tasks.length === 2, 'it is restarted');
    await until(() => lines.length === 2, 'it is missed');
    tasks[1]!.end(new Error('address in use'));
    await until(() => tasks.length === 3, 'it is started once more');
    assert.deepEqual(
      lines.map(({ level, msg, err }) => [level, msg, err?.message]),
      [
        ['error', 'worker failed', 'the worker ended unexpectedly'],
        ['error', 'worker l4-0 did not listen within 0.03 s', undefined],
        ['error', 'worker failed', 'address in use'],
      ],
    );
    await settled(slot, tasks);
  });

  it('receives the lines that a worker posted before and after its end', async () => {
    const { slot, tasks, workerLines } = setup({ backoff: { firstMs: 60_000, maxMs: 60_000 } });
    void slot.start();
    tasks[0]!.say({ type: 'listening', generation: 3 });
    tasks[0]!.say({ type: 'log', lines: 'before\n' });
    tasks[0]!.end(new Error('fault'));
    await until(() => slot.state === 'waiting', 'it has failed');
    assert.deepEqual(workerLines, ['before\n']);
    tasks[0]!.say({ type: 'log', lines: 'after\n' });
    await until(() => workerLines.length === 2, 'the last line came');
    await settled(slot, tasks);
  });

  it('passes commands on to the running worker', async () => {
    const { slot, tasks } = setup();
    void slot.start();
    tasks[0]!.say({ type: 'listening', generation: 3 });
    await until(() => slot.state === 'up', 'it is up');
    slot.send({ type: 'fault' });
    slot.drain({ graceMs: 500, pace: null, successors: null });
    slot.drain({ graceMs: 0, pace: null, successors: null });
    assert.equal(slot.state, 'draining');
    await until(() => tasks[0]!.commands.length === 3, 'all have come');
    assert.deepEqual(tasks[0]!.commands, [
      { type: 'fault' },
      { type: 'end', graceMs: 500, pace: null, successors: null },
      { type: 'end', graceMs: 0, pace: null, successors: null },
    ]);
    await settled(slot, tasks);
    assert.equal(slot.state, 'ended');
  });

  it('keeps nobody waiting for a stuck worker, sends no more messages, and drains when the thread turns again', async () => {
    const { slot, tasks, lines } = setup();
    void slot.start();
    tasks[0]!.say({ type: 'listening', generation: 3 });
    await until(() => slot.state === 'up', 'it is up');
    const prepare = { type: 'prepare', generation: 4 } as Extract<ToWorker, { type: 'prepare' }>;
    const prepared = slot.prepare(prepare);
    slot.abandon({ graceMs: 500, pace: null, successors: null });
    assert.equal(await prepared, null);
    await slot.endedOrStuck;
    assert.equal(slot.state, 'stuck');
    assert.equal(await slot.prepare(prepare), null);
    slot.send({ type: 'fault' });
    slot.drain({ graceMs: 0, pace: null, successors: null });
    assert.equal(slot.state, 'stuck');
    await until(() => tasks[0]!.commands.length === 3, 'it reads');
    assert.deepEqual(
      tasks[0]!.commands.map(({ type }) => type),
      ['prepare', 'end', 'end'],
    );
    tasks[0]!.end(new Error('it was terminated'));
    await slot.ended;
    assert.equal(slot.state, 'ended');
    assert.equal(slot.pulse, null);
    assert.deepEqual(lines, []);
    assert.equal(tasks.length, 1);
    slot.close();
  });

  it('gives each task a pulse, a table and a way to terminate it', async () => {
    const { slot, tasks, launches } = setup();
    void slot.start();
    assert.equal(slot.pulse, launches[0]!.pulse);
    new Uint8Array(launches[0]!.descriptors)[9] = 2;
    assert.deepEqual(slot.listeningSockets, [9]);
    tasks[0]!.say({ type: 'listening', generation: 3 });
    await until(() => slot.state === 'up', 'it is up');
    tasks[0]!.end(new Error('fault'));
    await until(() => tasks.length === 2, 'it is restarted');
    assert.notEqual(launches[1]!.pulse, launches[0]!.pulse);
    assert.deepEqual(slot.listeningSockets, []);
    slot.terminate();
    assert.deepEqual(
      launches.map(({ signal }) => signal.aborted),
      [false, true],
    );
    await settled(slot, tasks);
    assert.deepEqual([slot.pulse, slot.listeningSockets], [null, []]);
  });

  it('waits for a worker that is slow at its first start, with a warning', async () => {
    const { slot, tasks, lines } = setup({ startMs: 30 }, { onLate: () => assert.fail('it was abandoned') });
    const started = slot.start();
    await until(() => lines.length === 1, 'it is missed');
    const [{ level, msg } = {}] = lines;
    assert.deepEqual([level, msg], ['warn', 'worker does not listen yet']);
    assert.equal(slot.startFailed, false);
    tasks[0]!.say({ type: 'listening', generation: 3 });
    await started;
    await settled(slot, tasks);
  });

  it('gives up on a worker that does not listen at its first start', async () => {
    const { slot, tasks } = setup({ startMs: 30, firstStartMs: 60 });
    await assert.rejects(slot.start(), /^StartError: worker l4-0 did not listen within 0\.06 s$/);
    assert.equal(slot.startFailed, true);
    await settled(slot, tasks);
  });

  it('reports that its worker does not listen in time, if it is a restarted one', async () => {
    const late: number[] = [];
    const { slot, tasks, lines } = setup({ startMs: 30 }, { onLate: (afterMs) => late.push(afterMs) });
    void slot.start();
    tasks[0]!.say({ type: 'listening', generation: 3 });
    await until(() => slot.state === 'up', 'it is up');
    assert.equal(slot.startFailed, false);
    tasks[0]!.end(new Error('fault'));
    await until(() => late.length === 1, 'it is missed');
    assert.deepEqual(late, [30]);
    assert.equal(slot.startFailed, true);
    assert.deepEqual(
      lines.map(({ msg }) => msg),
      ['worker failed'],
    );
    tasks[1]!.say({ type: 'listening', generation: 3 });
    await until(() => !slot.startFailed, 'it listens');
    await settled(slot, tasks);
  });
});
