import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RecordRedactor } from '../../../../src/cli/tap/record-redactor.ts';
import { UsageError } from '../../../../src/core/errors.ts';
import type { FrameRecord, TapRecord } from '../../../../src/wire/recording/records.ts';

const FRAME: FrameRecord = { type: 'frame', at: 1, session: 'a', from: 'client', opcode: 'text', length: 5 };

function redact(record: TapRecord, ...rules: readonly string[]): unknown {
  const line = new RecordRedactor(rules).redact({ text: JSON.stringify(record), record });
  assert.ok(line !== null);
  assert.deepEqual(JSON.parse(line.text), line.record);
  return line.record;
}

describe('redaction rules for a recording', () => {
  it('redact matches in text and binary payloads, and mark the frame', () => {
    assert.deepEqual(redact({ ...FRAME, text: '{"a":1,"b":2}' }, '$.a'), {
      ...FRAME,
      text: '{"a":"[redacted]","b":2}',
      redacted: true,
    });
    const base64 = Buffer.from([1, 0x61, 0x62, 255]).toString('base64');
    assert.deepEqual(redact({ ...FRAME, base64 }, '/ab/'), {
      ...FRAME,
      base64: Buffer.concat([Buffer.from([1]), Buffer.from('[redacted]'), Buffer.from([255])]).toString(
        'base64',
      ),
      redacted: true,
    });
  });

  it('redact matches in handshakes and close reasons', () => {
    const place = { at: 1, openedAt: 1, listener: 'a', cluster: 'a', endpoint: 'a', client: 'a' };
    const request = { target: '/bot123', headers: [['x', 'bot123'] as const] };
    const opened = { type: 'session', session: 'a', route: 'a', principal: 'a', ...place } as const;
    assert.deepEqual(redact({ ...opened, attached: true, subprotocol: 'bot123' }, '/[0-9]+/'), {
      ...opened,
      attached: true,
      subprotocol: 'bot[redacted]',
    });
    assert.deepEqual(redact({ ...opened, request }, '/[0-9]+/'), {
      ...opened,
      request: { target: '/bot[redacted]', headers: [['x', 'bot[redacted]']] },
    });
    const end = {
      type: 'end',
      at: 1,
      session: 'a',
      seconds: 1,
      bytesUpstream: 0,
      bytesDownstream: 0,
    } as const;
    assert.deepEqual(redact({ ...end, reason: 'no 7' }, '/[0-9]/'), { ...end, reason: 'no [redacted]' });
  });

  it('leave a line without matches unchanged', () => {
    const text = '{"type":"frame", "new": 1}';
    const record = { ...FRAME, text: 'abc' };
    assert.equal(new RecordRedactor(['/x/']).redact({ text, record })?.text, text);
    assert.equal(new RecordRedactor([]).redact({ text, record: null })?.text, text);
  });

  it('withhold truncated payloads, and lines of unknown types', () => {
    assert.deepEqual(redact({ ...FRAME, text: '{"a":', cut: true }, '$.a'), {
      ...FRAME,
      withheld: 'too_long',
    });
    assert.equal(new RecordRedactor(['$.a']).redact({ text: '{"type":"new"}', record: null }), null);
  });

  it('are listed in the header of the output', () => {
    const header = { type: 'tap', version: 1, at: 1, sluice: '1', filter: {}, sample: 1 } as const;
    assert.deepEqual(redact({ ...header, payload: true, maxPayload: 1, redact: ['$.b'] }, '$.a'), {
      ...header,
      payload: true,
      maxPayload: 1,
      redact: ['$.b', '$.a'],
    });
  });

  it('are named in the error if they are invalid', () => {
    assert.throws(
      () => new RecordRedactor(['$.a', 'password']),
      (error) =>
        error instanceof UsageError && error.message.startsWith('--redact password: write a JSON path'),
    );
  });
});
