/** The lines of one tap: merged, counted, and dropped for a slow reader. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MAX_WAITING_BYTES } from '../../../../src/primary/tap/running-tap.ts';
import { version } from '../../../../src/core/version.ts';
import { DeskRig } from './taps.ts';

const FRAME = '{"type":"frame"}\n';

describe('a running tap', () => {
  it('starts with a header that describes the tap', () => {
    const rig = new DeskRig();
    const redact = ['$..password'];
    const { records } = rig.begin({ filter: { route: 'chat' }, sample: 0.01, payload: true, redact });
    assert.equal(records.length, 1);
    const { at, ...header } = records[0]!;
    assert.deepEqual(header, {
      type: 'tap',
      version: 1,
      sluice: version(),
      filter: { route: 'chat' },
      sample: 0.01,
      payload: true,
      maxPayload: 4096,
      redact,
    });
    assert.ok(Math.abs(at - Date.now()) < 60_000, 'the time is of now');
  });

  it('sends the lines of all workers unchanged, and acknowledges each report', () => {
    const rig = new DeskRig();
    const reader = rig.begin();
    const header = reader.text;
    assert.deepEqual([...rig.report({ lines: FRAME }, 'l7-0')], [1]);
    assert.deepEqual([...rig.report({ lines: FRAME + FRAME }, 'l4-0')], [1]);
    assert.equal(reader.text, header + FRAME + FRAME + FRAME);
    assert.equal(rig.service.counts.bytes, reader.text.length);
  });

  it("reports a worker's losses after its lines", () => {
    const rig = new DeskRig();
    const reader = rig.begin();
    rig.report({ lines: FRAME, lostFrames: 7 });
    rig.report({ lostSessions: 2 }, 'l7-1');
    assert.deepEqual(
      reader.records.slice(1).map(({ at: _, ...record }) => record),
      [
        { type: 'frame' },
        { type: 'lost', worker: 'l7-0', frames: 7, sessions: 0, lines: 0 },
        { type: 'lost', worker: 'l7-1', frames: 0, sessions: 2, lines: 0 },
      ],
    );
  });

  it('acknowledges a report only when its reader has it', () => {
    const rig = new DeskRig();
    const reader = rig.begin();
    reader.isSlow = true;
    const taken = rig.report({ lines: FRAME });
    assert.deepEqual([...taken], [0]);
    reader.takeAll();
    assert.deepEqual([...taken], [1]);
  });

  it('drops whole reports while too much waits, and reports the missing lines and frames', () => {
    const rig = new DeskRig();
    const reader = rig.begin();
    const header = reader.text.length;
    reader.isSlow = true;
    const large = FRAME.repeat(MAX_WAITING_BYTES / 4 / FRAME.length);
    for (let index = 0; index < 4; index++) rig.report({ lines: large });
    const before = reader.text.length;
    assert.equal(before - header, 4 * large.length);
    const dropped = rig.report({ lines: large + large, lostFrames: 3 });
    assert.deepEqual([...dropped], [1], 'the worker may send more');
    assert.equal(reader.text.length, before, 'nothing more waits');
    reader.takeAll();
    rig.report({ lines: FRAME });
    const records = reader.records.slice(-3).map(({ at: _, ...record }) => record);
    const lines = (2 * large.length) / FRAME.length;
    assert.deepEqual(records, [
      { type: 'lost', frames: 0, sessions: 0, lines },
      { type: 'frame' },
      { type: 'lost', worker: 'l7-0', frames: 3, sessions: 0, lines: 0 },
    ]);
    assert.equal(rig.service.counts.droppedLines, lines);
  });

  it('writes the reason of its end after the losses, and accepts nothing more', async () => {
    const rig = new DeskRig();
    const reader = rig.begin();
    await rig.service.stop('the proxy has ended');
    const done = reader.records.at(-1)!;
    assert.deepEqual({ ...done, at: 0 }, { type: 'done', at: 0, reason: 'the proxy has ended' });
    assert.equal(reader.hasEnded, true);
    const { text } = reader;
    assert.deepEqual([...rig.report({ lines: FRAME })], [0]);
    assert.equal(reader.text, text);
  });

  it('reports its end to a reader that comes later', async () => {
    const rig = new DeskRig();
    const tap = rig.open();
    await rig.service.stop('the proxy has ended');
    const reader = {
      text: '',
      write: (bytes: Buffer) => void (reader.text += bytes.toString()),
      end: () => Promise.resolve(),
    };
    tap.begin(reader);
    assert.match(reader.text, /^\{"type":"tap",.*\n\{"type":"done",.*"reason":"the proxy has ended"\}\n$/);
    assert.deepEqual(rig.told, []);
  });
});
