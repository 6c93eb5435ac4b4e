import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DescriptorDestination } from '../../../../src/telemetry/output/descriptor-destination.ts';
import { LineWriter } from '../../../../src/telemetry/output/line-writer.ts';
import { FakeFiles } from './fake-files.ts';

interface Setup {
  readonly writer: LineWriter;
  readonly files: FakeFiles;
  readonly changes: (string | null)[];
  /** The text that has been written. */
  readonly text: () => string;
  /** Lets time pass. */
  readonly pass: (ms: number) => void;
}

/** @param onChange called after each change of the problem */
function setup(onChange: (writer: LineWriter) => void = () => undefined): Setup {
  const files = new FakeFiles();
  const fd = files.open('/out');
  const changes: (string | null)[] = [];
  const timers = new Set<{ at: number; act: () => void }>();
  let now = 0;
  const writer: LineWriter = new LineWriter(
    new DescriptorDestination(fd),
    {
      files,
      clock: () => now,
      schedule: (delayMs, act) => {
        const timer = { at: now + delayMs, act };
        timers.add(timer);
        return () => timers.delete(timer);
      },
      onChange: (problem) => {
        changes.push(problem);
        onChange(writer);
      },
    },
    100,
  );
  const pass = (ms: number): void => {
    now += ms;
    for (const timer of [...timers]) if (timer.at <= now && timers.delete(timer)) timer.act();
    files.settle();
  };
  return { writer, files, changes, text: () => files.texts['/out']!, pass };
}

describe('a line writer', () => {
  it('survives a short failure without loss, and completes a cut line', () => {
    const { writer, files, changes, text, pass } = setup();
    files.maxBytes = 4;
    writer.write('first\nsecond\n');
    const write = files.writes.shift()!;
    write.file.text += 'firs';
    files.failure = 'ENOSPC';
    write.done(null, 4);
    files.settle();
    assert.equal(writer.problem, 'ENOSPC');
    writer.write('third\n');
    files.failure = null;
    pass(1000);
    assert.equal(text(), 'first\nsecond\nthird\n');
    assert.equal(writer.dropped, 0);
    assert.deepEqual(changes, ['ENOSPC', null]);
  });

  it('counts each line lost in a long failure, but completes a cut one', () => {
    const { writer, files, text, pass } = setup();
    writer.write('first\nsecond\n');
    const write = files.writes.shift()!;
    write.file.text += 'firs';
    files.failure = 'ENOSPC';
    write.done(null, 4);
    files.settle();
    writer.write('third\n');
    for (let second = 0; second < 3; second++) pass(1000);
    assert.equal(writer.dropped, 2);
    writer.write('fourth\n');
    files.failure = null;
    pass(1000);
    assert.equal(text(), 'first\nfourth\n');
    assert.equal(writer.dropped, 2);
  });

  it('writes each line once if the report of a change is itself a line', () => {
    const { writer, files, changes, text, pass } = setup((own) => own.write('report\n'));
    files.failure = 'ENOSPC';
    writer.write('first\n');
    files.settle();
    files.failure = null;
    pass(1000);
    writer.write('second\n');
    files.settle();
    assert.deepEqual(changes, ['ENOSPC', null]);
    assert.equal(text(), 'first\nreport\nreport\nsecond\n');
  });

  it('waits for a slow reader, and counts lines dropped above its limit', () => {
    const { writer, files, changes, text, pass } = setup();
    files.failure = 'EAGAIN';
    for (let line = 0; line < 20; line++) writer.write('123456789\n');
    files.settle();
    pass(60_000);
    assert.equal(writer.dropped, 10);
    files.failure = null;
    pass(50);
    assert.equal(text(), '123456789\n'.repeat(10));
    assert.deepEqual(changes, []);
  });

  it('gives up when the reader of a pipe is gone', async () => {
    const { writer, files } = setup();
    files.failure = 'EPIPE';
    writer.write('1\n2\n');
    files.settle();
    writer.write('3\n');
    assert.equal(writer.dropped, 3);
    assert.equal(files.writes.length, 0);
    assert.equal(await writer.close(1000), true);
  });

  it('ends when all lines are written, or at its deadline', async () => {
    for (const inTime of [true, false]) {
      const { writer, files, pass } = setup();
      writer.write('1\n');
      const closed = writer.close(1000);
      if (inTime) files.settle();
      else pass(1000);
      assert.equal(await closed, inTime);
      assert.equal(writer.dropped, inTime ? 0 : 1);
      writer.write('2\n');
      assert.equal(writer.dropped, inTime ? 1 : 2);
    }
  });
});
