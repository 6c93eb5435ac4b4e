import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { describe, it } from 'node:test';
import { TapCounts } from '../../../../src/cli/tap/counts.ts';
import { RecordingFilter } from '../../../../src/cli/tap/recording-filter.ts';
import { readTap, type StreamEnd } from '../../../../src/cli/tap/tap-stream.ts';
import type { TapFilter } from '../../../../src/protocol/tap.ts';

const HEADER = {
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
const place = { at: 1, openedAt: 1, listener: 'web', cluster: 'app', endpoint: 'e', client: '192.0.2.7' };
const opened = (session: string, fields: object = {}): object => ({
  type: 'session',
  session,
  route: 'r',
  principal: 'jwt:alice',
  ...place,
  ...fields,
});
const frame = (session: string, text = 'ü'): object => ({
  type: 'frame',
  at: 1.5,
  session,
  from: 'client',
  opcode: 'text',
  length: 2,
  text,
});
const ended = (session: string): object => ({
  type: 'end',
  at: 1,
  session,
  seconds: 1,
  bytesUpstream: 0,
  bytesDownstream: 0,
});
const lines = (...records: readonly object[]): string =>
  records.map((record) => `${JSON.stringify(record)}\n`).join('');

interface Run {
  readonly end: StreamEnd;
  readonly shown: string;
  readonly counts: string;
}

async function read(
  pieces: readonly Uint8Array[],
  filter: TapFilter = {},
  maxFrames: number | null = null,
): Promise<Run> {
  let shown = '';
  const counts = new TapCounts();
  async function* stream(): AsyncGenerator<Uint8Array> {
    for (const piece of pieces) yield await Promise.resolve(piece);
  }
  const sink = {
    write: (taken: readonly { text: string }[]) => {
      for (const { text } of taken) shown += `${text}\n`;
      return Promise.resolve();
    },
  };
  const owner = {
    filter: new RecordingFilter(filter),
    redactor: null,
    counts,
    sinks: [sink],
    maxFrames,
    onHeader: () => undefined,
  };
  return { end: await readTap(stream(), owner), shown, counts: counts.text() };
}

describe('a tap stream', () => {
  const text = lines(HEADER, opened('a-1'), frame('a-1'), { type: 'new' }, ended('a-1'));

  it('is passed on unchanged, at whatever byte it is split', async () => {
    const bytes = Buffer.from(text);
    for (let cut = 0; cut <= bytes.length; cut++) {
      const { shown, end, counts } = await read([bytes.subarray(0, cut), bytes.subarray(cut)]);
      assert.equal(shown, text);
      assert.deepEqual(end, { kind: 'end', cut: false });
      assert.equal(counts, '1 session, 1 frame, none lost');
    }
  });

  it('yields only whole lines, at whatever byte the proxy stops', async () => {
    const bytes = Buffer.from(text);
    for (let length = Buffer.byteLength(lines(HEADER)); length < bytes.length; length++) {
      const { shown, end } = await read([bytes.subarray(0, length)]);
      assert.equal(shown, text.slice(0, shown.length));
      assert.match(shown, /\n$/);
      // The last line is whole although its line break is missing.
      const isWhole = Buffer.byteLength(shown) > length;
      assert.deepEqual(end, { kind: 'end', cut: !isWhole && length > Buffer.byteLength(shown) });
    }
  });

  it('omits the empty keep-alive lines', async () => {
    assert.equal((await read([Buffer.from(text.replaceAll('\n', '\n\n\n'))])).shown, text);
  });

  it('ends after the max number of frames', async () => {
    const many = lines(HEADER, opened('a-1'), frame('a-1'), frame('a-1'), frame('a-1'));
    const { shown, end } = await read([Buffer.from(many)], {}, 2);
    assert.equal(shown, lines(HEADER, opened('a-1'), frame('a-1'), frame('a-1')));
    assert.deepEqual(end, { kind: 'frames' });
  });

  it('ends after the max number of frames even if a bad line follows in the same chunk', async () => {
    const text = `${lines(HEADER, opened('a'), frame('a'))}no record\n`;
    const { end } = await read([Buffer.from(text)], {}, 1);
    assert.deepEqual(end, { kind: 'frames' });
  });

  it('reports why the proxy ended it', async () => {
    const { end } = await read([Buffer.from(lines(HEADER, { type: 'done', at: 1, reason: 'shutdown' }))]);
    assert.deepEqual(end, { kind: 'done', reason: 'shutdown' });
  });

  it('counts lost frames and sessions', async () => {
    const lost = { type: 'lost', at: 1, frames: 3, sessions: 1, lines: 0 };
    const { counts } = await read([Buffer.from(lines(HEADER, lost, lost))]);
    assert.equal(counts, '0 sessions, 0 frames, LOST 6 frames and 2 sessions');
  });

  it('continues after the end of a recording if another one follows', async () => {
    const done = { type: 'done', at: 1, reason: 'shutdown' };
    const { shown, end } = await read([Buffer.from(lines(HEADER, done) + text)]);
    assert.equal(shown, lines(HEADER, done) + text);
    assert.deepEqual(end, { kind: 'end', cut: false });
  });

  it('is shown up to the first bad line', async () => {
    let shown = '';
    const sink = {
      write: (taken: readonly { text: string }[]) => {
        shown += taken.map(({ text }) => `${text}\n`).join('');
        return Promise.resolve();
      },
    };
    const good = lines(HEADER, opened('w0-1'), frame('w0-1'));
    const pieces = [Buffer.from(`${good}bad\n${lines(frame('w0-1'))}`)];
    const owner = {
      filter: new RecordingFilter({}),
      redactor: null,
      counts: new TapCounts(),
      sinks: [sink],
      maxFrames: null,
      onHeader: () => undefined,
    };
    await assert.rejects(readTap(Readable.from(pieces), owner), /^RecordingError: line 4: not JSON/);
    assert.equal(shown, good);
  });

  it('is refused if it is not a recording', async () => {
    for (const bad of ['hello\n', lines(frame('a-1')), lines({ ...HEADER, version: 2 }), '']) {
      await assert.rejects(read([Buffer.from(bad)]), /^RecordingError: line 1: /);
    }
  });
});

describe('a recording filter', () => {
  const text = lines(
    HEADER,
    opened('a-1'),
    opened('b-2', { principal: 'basic:bob', client: '192.0.2.8', route: 's' }),
    frame('a-1'),
    frame('b-2'),
    ended('a-1'),
    frame('b-2'),
  );

  for (const [filter, frames] of [
    [{}, 3],
    [{ session: 'a-1' }, 1],
    [{ principal: 'bob' }, 2],
    [{ principal: 'basic:bob' }, 2],
    [{ principal: 'jwt:bob' }, 0],
    [{ client: '192.0.2.8' }, 2],
    [{ route: 's', listener: 'web', cluster: 'app', endpoint: 'e' }, 2],
    [{ route: 's', listener: 'other' }, 0],
  ] as const) {
    it(`passes the sessions that match ${JSON.stringify(filter)}`, async () => {
      const { shown } = await read([Buffer.from(text)], filter);
      assert.equal(shown.split('\n').filter((line) => line.includes('"frame"')).length, frames);
      assert.ok(shown.startsWith(lines(HEADER)));
    });
  }
});
