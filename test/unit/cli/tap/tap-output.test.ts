import assert from 'node:assert/strict';
import { existsSync, linkSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { beforeEach, describe, it } from 'node:test';
import type { Har } from 'har-format';
import { openOutput } from '../../../../src/cli/tap/tap-output.ts';
import { StartError } from '../../../../src/core/errors.ts';
import type { RecordLine } from '../../../../src/wire/recording/recording-reader.ts';
import type { TapRecord } from '../../../../src/wire/recording/records.ts';
import { scratchDirectory } from '../../config/load.ts';

const HEADER: TapRecord = {
  type: 'tap',
  version: 1,
  at: 1,
  sluice: '0.1.0',
  filter: {},
  sample: 1,
  payload: true,
  maxPayload: 4096,
  redact: [],
};
const FRAME: TapRecord = {
  type: 'frame',
  at: 1,
  session: 'a-1',
  from: 'client',
  opcode: 'text',
  length: 1,
  text: 'x',
};
const LINES: readonly RecordLine[] = [HEADER, FRAME].map((record) => ({
  text: JSON.stringify(record),
  record,
}));
const RECORDING = LINES.map(({ text }) => `${text}\n`).join('');
const none = (): AbortSignal => new AbortController().signal;

describe('a HAR file recorded by a tap', () => {
  let directory: string;
  let file: string;

  beforeEach(() => {
    directory = scratchDirectory();
    file = join(directory, 'k.har');
  });

  const files = (): string[] => readdirSync(directory).sort();
  const entries = (): number => (JSON.parse(readFileSync(file, 'utf8')) as Har).log.entries.length;

  it('is the only file left at the end', async () => {
    const output = await openOutput({ file, format: 'har', force: false }, null);
    assert.deepEqual(files(), ['k.har', 'k.har.part.jsonl']);
    await output.sink.write(LINES);
    assert.equal(await output.finish(none()), `recorded in ${file}`);
    assert.deepEqual(files(), ['k.har']);
    assert.equal(entries(), 1);
  });

  it('leaves no files behind if the tap is abandoned', async () => {
    await (await openOutput({ file, format: 'har', force: false }, null)).abandon();
    assert.deepEqual(files(), []);
  });

  for (const left of ['k.har.part.jsonl', 'k.har.part']) {
    it(`can be made from ${left}, which a killed process left behind`, async () => {
      const recording = join(directory, left);
      writeFileSync(file, '');
      writeFileSync(recording, RECORDING);
      const output = await openOutput({ file, format: 'har', force: true }, recording);
      assert.equal(readFileSync(recording, 'utf8'), RECORDING);
      await output.sink.write(LINES);
      await output.finish(none());
      assert.equal(entries(), 1);
      assert.deepEqual(files(), ['k.har', left]);
      assert.equal(readFileSync(recording, 'utf8'), RECORDING);
    });
  }

  it('leaves the recording if it cannot be written, and says how to try again', async () => {
    const output = await openOutput({ file, format: 'har', force: false }, null);
    await output.sink.write(LINES);
    const recording = `${file}.part.jsonl`;
    const again = `try again by sluice tap --from ${recording} --output ${file}`;
    await assert.rejects(
      output.finish(AbortSignal.abort()),
      (error) =>
        error instanceof StartError && error.message === `cannot write ${file}: interrupted; ${again}`,
    );
    assert.deepEqual(files(), [basename(recording)]);
    const second = await openOutput({ file, format: 'har', force: false }, recording);
    await second.sink.write(LINES);
    await second.finish(none());
    assert.equal(entries(), 1);
    assert.equal(readFileSync(recording, 'utf8'), RECORDING);
  });
});

describe('a recording that replaces an existing file', () => {
  it('replaces the file only at its first line, because the tap may be refused', async () => {
    const file = join(scratchDirectory(), 'a.jsonl');
    writeFileSync(file, RECORDING.repeat(3));
    await (await openOutput({ file, format: 'recording', force: true }, null)).abandon();
    assert.equal(readFileSync(file, 'utf8'), RECORDING.repeat(3));
    const output = await openOutput({ file, format: 'recording', force: true }, null);
    for (const line of LINES) await output.sink.write([line]);
    await output.finish(none());
    assert.equal(readFileSync(file, 'utf8'), RECORDING);
  });

  it('leaves no file behind if there was none before', async () => {
    const file = join(scratchDirectory(), 'new.jsonl');
    await (await openOutput({ file, format: 'recording', force: true }, null)).abandon();
    assert.ok(!existsSync(file));
  });
});

describe('a recording made from a recording', () => {
  it('never replaces its input, even under another name', async () => {
    const directory = scratchDirectory();
    const from = join(directory, 'a.jsonl');
    const file = join(directory, 'b.jsonl');
    writeFileSync(from, RECORDING);
    linkSync(from, file);
    await assert.rejects(openOutput({ file, format: 'recording', force: true }, from), {
      message: '--from and --output name the same file',
    });
    assert.equal(readFileSync(from, 'utf8'), RECORDING);
    assert.ok(existsSync(file));
  });
});
