import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { RecordingError, RecordingReader } from '../../../../src/wire/recording/recording-reader.ts';
import type { TapRecord } from '../../../../src/wire/recording/records.ts';

const HEADER: TapRecord = {
  type: 'tap',
  version: 1,
  at: 1.5,
  sluice: '0.1.0',
  filter: { route: 'chat' },
  sample: 0.5,
  payload: true,
  maxPayload: 4096,
  redact: ['$..a'],
};
const PLACE = {
  at: 2,
  session: '1-2',
  openedAt: 1,
  listener: 'web',
  cluster: 'app',
  endpoint: 'a:1',
  client: '10.0.0.1',
};
const RECORDS: readonly TapRecord[] = [
  HEADER,
  {
    type: 'session',
    ...PLACE,
    route: 'chat',
    principal: 'jwt:\u00e4',
    request: { target: '/', headers: [['a', 'b']] },
  },
  { type: 'session', ...PLACE, attached: true, route: '', principal: '', extensions: 'x', subprotocol: 'y' },
  { type: 'tunnel', ...PLACE, serverName: 'a.example' },
  {
    type: 'frame',
    at: 3,
    session: '1-2',
    from: 'client',
    opcode: 'text',
    fin: false,
    length: 3,
    text: '\u2028{"',
  },
  {
    type: 'frame',
    at: 3,
    session: '1-2',
    from: 'proxy',
    to: 'client',
    opcode: 'reserved3',
    length: 0,
    base64: 'AA==',
  },
  { type: 'bytes', at: 4, session: '1-2', from: 'endpoint', length: 7 },
  {
    type: 'end',
    at: 5,
    session: '1-2',
    side: 'client',
    code: 1000,
    reason: '',
    seconds: 0.1,
    bytesUpstream: 1,
    bytesDownstream: 2,
  },
  { type: 'lost', at: 5, frames: 1, sessions: 0, lines: 0 },
  { type: 'done', at: 6, reason: 'policy' },
];

const line = (value: unknown): string => `${JSON.stringify(value)}\n`;

function read(text: string): (TapRecord | null)[] {
  const reader = new RecordingReader();
  const lines = [...reader.push(Buffer.from(text))];
  const last = reader.end();
  return [...lines, ...(last === null ? [] : [last])].map(({ record }) => record);
}

function faultOf(text: string): string {
  try {
    read(text);
    return '';
  } catch (error) {
    assert.ok(error instanceof RecordingError);
    return error.message;
  }
}

describe('recording reader', () => {
  it('reads every record, for any cut', () => {
    const bytes = Buffer.from(RECORDS.map(line).join(''));
    for (let cut = 0; cut <= bytes.length; cut++) {
      const reader = new RecordingReader();
      const lines = [...reader.push(bytes.subarray(0, cut)), ...reader.push(bytes.subarray(cut))];
      assert.equal(reader.end(), null);
      assert.deepEqual(
        lines.map(({ record }) => record),
        RECORDS,
      );
      assert.deepEqual(
        lines.map(({ text }) => `${text}\n`),
        RECORDS.map(line),
      );
    }
  });

  it('ignores unknown types and fields, empty lines, and CR', () => {
    const text = `${line({ ...HEADER, more: 1 })}\n\r\n${JSON.stringify(RECORDS[8])}\r\n${line({ type: 'later', at: 'x' })}`;
    assert.deepEqual(read(text), [{ ...HEADER, more: 1 }, RECORDS[8], null]);
  });

  it('reads several recordings in a row', () => {
    assert.deepEqual(read(line(HEADER).repeat(2)), [HEADER, HEADER]);
  });

  it('drops a truncated last line, and accepts one without a line end', () => {
    assert.deepEqual(read(`${line(HEADER)}{"type":"lo`), [HEADER]);
    assert.deepEqual(read(line(HEADER).trimEnd()), [HEADER]);
  });

  it('yields the lines before a bad one', () => {
    const reader = new RecordingReader();
    const taken: unknown[] = [];
    assert.throws(() => {
      for (const { record } of reader.push(
        Buffer.from(`${line(HEADER)}${line(RECORDS[8])}bad\n${line(HEADER)}`),
      ))
        taken.push(record);
    }, /^RecordingError: line 3: not JSON/);
    assert.deepEqual(taken, [HEADER, RECORDS[8]]);
  });

  it('names the line and the fault', () => {
    const frame = { type: 'frame', at: 3, session: '1', from: 'client', opcode: 'text', length: 3 };
    for (const [bad, fault] of [
      ['{"a":\n', 'line 3: not JSON: each line must be a JSON object'],
      ['[]\n', 'line 3: not a JSON object'],
      ['{}\n', 'line 3: no "type"'],
      [
        line({ ...frame, length: -1 }),
        'line 3: "length" of a record of type "frame" is not a whole number from 0',
      ],
      [
        line({ ...frame, from: 'server' }),
        'line 3: "from" of a record of type "frame" is not one of client, endpoint, proxy',
      ],
      [line({ ...frame, opcode: 'txt' }), 'line 3: "opcode" of a record of type "frame" is not an opcode'],
      [line({ ...frame, base64: '*' }), 'line 3: "base64" of a record of type "frame" is not base64'],
      [line({ ...frame, at: undefined }), 'line 3: a record of type "frame" needs "at": a number'],
      [line({ type: 'done', at: 1 }), 'line 3: a record of type "done" needs "reason": text'],
      [
        line({ ...RECORDS[1], request: { target: '/', headers: [['a']] } }),
        'line 3: "request" of a record of type "session" is not an object of target and headers',
      ],
      [`{"type":"x","y":"${'y'.repeat(2 ** 20)}"}\n`, /^line 3: more than 1048576 characters/],
      ['y'.repeat(2 ** 20 + 1), /^line 3: more than 1048576 characters/],
      [
        line({ ...HEADER, version: 2 }),
        /^line 3: the recording has version 2, and this sluice reads version 1: /,
      ],
    ] as const) {
      const found = faultOf(`${line(HEADER)}\n${bad}`);
      if (typeof fault === 'string') assert.equal(found, fault);
      else assert.match(found, fault);
    }
    for (const text of ['', '\n', '{"type":"ta', line(RECORDS[8])]) {
      assert.match(faultOf(text), /^line 1: the first line is not the header of a recording/);
    }
  });

  it('throws only its own error, and ignores fields of prototypes', () => {
    const value = fc.oneof(fc.anything(), fc.constantFrom(...RECORDS));
    const mutated = fc
      .tuple(fc.constantFrom(...RECORDS), fc.string(), value)
      .map(([record, name, other]) => ({
        ...record,
        [name in record ? name : Object.keys(record)[name.length % Object.keys(record).length]!]: other,
      }));
    fc.assert(
      fc.property(fc.oneof(mutated, fc.json(), fc.string()), (bad) => {
        let text = '';
        try {
          text = typeof bad === 'string' ? bad : JSON.stringify(bad);
        } catch {
          return;
        }
        faultOf(`${line(HEADER)}${text}\n`);
      }),
      { numRuns: 1000 },
    );
    for (const type of ['__proto__', 'constructor', 'toString']) {
      assert.deepEqual(read(`${line(HEADER)}${line({ type })}`), [HEADER, null]);
    }
  });
});
