import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { compileRedaction } from '../../../../../src/wire/redaction/redaction.ts';
import {
  EventLog,
  EventLogWriter,
  REPLY_BINARY,
  REPLY_TEXT,
} from '../../../../../bench/recorded/event-log.ts';
import { ReplyCheck, describeClose } from '../../../../../bench/scenarios/replay/reply-check.ts';

function compare(
  expected: string | Buffer,
  come: string | Buffer,
  length?: number,
  rules: readonly string[] = [],
): string | null {
  const writer = new EventLogWriter();
  const payload = Buffer.from(expected as string);
  const kind = typeof expected === 'string' ? REPLY_TEXT : REPLY_BINARY;
  const event = writer.add({ kind, time: 0, size: payload.length, payload }, -1);
  const bytes = Buffer.from(come as string);
  const check = new ReplyCheck(new EventLog(writer.memory()), compileRedaction(rules));
  return check.compare(event, length ?? bytes.length, bytes, typeof come === 'string');
}

describe('the reply check', () => {
  it('accepts equal bytes of the same message type', () => {
    assert.equal(compare('', ''), null);
    assert.equal(compare('ä', 'ä'), null);
    assert.equal(compare(Buffer.from([0, 255]), Buffer.from([0, 255])), null);
    assert.match(compare('', Buffer.alloc(0))!, /expected text "" \(0 bytes\), came binary {2}\(0 bytes\)/);
  });

  it('shows both sides around the first difference', () => {
    const [a, b] = [`${'x'.repeat(100)}one${'y'.repeat(100)}`, `${'x'.repeat(100)}two${'y'.repeat(100)}`];
    assert.equal(
      compare(a, b),
      `expected text …"${'x'.repeat(16)}one${'y'.repeat(21)}"… (203 bytes), ` +
        `came text …"${'x'.repeat(16)}two${'y'.repeat(21)}"… (203 bytes)`,
    );
  });

  it('shows only printable ASCII', () => {
    const text = compare('\u001b[2J', '\u009b2J\u202e\u007f\n')!;
    assert.match(text, /^[\x20-\x7e]*$/);
  });

  it('rejects a message that is too long to compare', () => {
    assert.match(compare('abc', 'abc', 1000)!, /1000 bytes came, which are too many to be compared/);
  });

  it('compares replies after redaction', () => {
    const rules = ['$..id', '/[0-9]{4}/'];
    assert.equal(compare('{"id":"[redacted]","a":1}', '{"id":77,"a":1}', undefined, rules), null);
    assert.equal(compare('at [redacted]', 'at 1234', undefined, rules), null);
    assert.equal(compare(Buffer.from('at [redacted]'), Buffer.from('at 1234'), undefined, rules), null);
    assert.match(
      compare('{"id":"[redacted]","a":1}', '{"id":77,"a":2}', undefined, rules)!,
      /came text …?".*redacted.*2\}" /,
    );
  });

  it('describes the expected and the actual close', () => {
    assert.equal(
      describeClose(1005, 1006),
      'expected a close without a code, came an end without a close frame',
    );
    assert.equal(describeClose(1000, 4000), 'expected close 1000, came close 4000');
  });
});
