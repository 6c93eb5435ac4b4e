import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { PrettyLines } from '../../../../src/telemetry/output/pretty-lines.ts';

const TIME = '2026-01-02T03:04:05.678Z';

function pretty(fields: object, columns = 120, colours = false): string[] {
  const lines = new PrettyLines({ columns: () => columns, colours });
  const text = lines.format(`${JSON.stringify({ level: 'info', time: TIME, ...fields })}\n`);
  assert.ok(text.endsWith('\n'));
  return text
    .slice(0, -1)
    .replaceAll(/^\d\d:\d\d:\d\d\.678/gm, 'TIME')
    .split('\n');
}

const REQUEST = {
  worker: 'l7-0',
  listener: 'web',
  route: 'all',
  cluster: 'app',
  endpoint: '127.0.0.1:9001',
  client: '127.0.0.1',
  requestId: 'a1b2c3d4-e5f6-7890-abcd-ef0123456789',
  host: 'example.org',
  path: '/items',
  method: 'GET',
  userAgent: 'x'.repeat(200),
  status: 200,
  received: 0,
  sent: 1234,
  seconds: 0.012345,
  msg: 'request',
};

describe('a pretty line', () => {
  it('has time, level, worker and message, then the fields, most important first', () => {
    assert.deepEqual(
      pretty({ worker: 'l7-0', cluster: 'app', reason: 'no route', a: 1, msg: 'endpoint changed' }),
      ['TIME INFO  l7-0 endpoint changed reason="no route" cluster=app a=1'],
    );
  });

  it('continues on indented lines without losing fields', () => {
    const fields = Object.fromEntries(
      Array.from({ length: 20 }, (_, index) => [`field${index}`, 'x'.repeat(20)]),
    );
    const lines = pretty({ ...fields, msg: 'many' });
    assert.ok(lines.length > 4);
    for (const line of lines.slice(1)) assert.match(line, /^ {4}field/);
    for (const key in fields) assert.ok(lines.join(' ').includes(` ${key}=${'x'.repeat(20)}`));
  });

  it('truncates a value longer than a line', () => {
    assert.deepEqual(pretty({ text: 'x'.repeat(500), msg: 'long' }, 50), [
      'TIME INFO  long',
      `    text=${'x'.repeat(38)}...`,
    ]);
  });

  it("has an error's stack on separate lines", () => {
    const err = {
      type: 'TypeError',
      message: 'bad',
      code: 'E',
      stack: 'TypeError: bad\n    at f (file.ts:1:2)',
    };
    assert.deepEqual(pretty({ level: 'error', err, worker: 'l4-0', msg: 'worker failed' }), [
      'TIME ERROR l4-0 worker failed',
      '    TypeError: bad',
      '        at f (file.ts:1:2)',
      '    code=E',
    ]);
  });

  it('has the main fields of a request on one line, and others on a second if they fit', () => {
    assert.deepEqual(pretty(REQUEST), [
      'TIME INFO  l7-0 request 200 GET /items client=127.0.0.1 endpoint=127.0.0.1:9001 seconds=0.0123 sent=1234',
      '    received=0 listener=web route=all cluster=app host=example.org requestId=a1b2c3d4-e5f6-7890-abcd-ef0123456789',
    ]);
    const [first] = pretty({ ...REQUEST, path: `/${'p'.repeat(300)}` });
    assert.match(first!, /^TIME INFO {2}l7-0 request 200 GET \/p{20}\.\.\. client=127\.0\.0\.1 endpoint=/);
  });

  it('has colours on a terminal, which do not count towards its width', () => {
    const plain = pretty(REQUEST, 80);
    const coloured = pretty(REQUEST, 80, true).map((line) => line.replaceAll(/\u001b\[\d+m/g, ''));
    assert.deepEqual(
      coloured.map((line) => line.replace(/^\S+/, 'TIME')),
      plain,
    );
  });

  it('is unchanged if it is not JSON', () => {
    const lines = new PrettyLines({ columns: () => 80, colours: true });
    const text = '127.0.0.1 - - [02/Jan/2026:03:04:05 +0000] "GET / HTTP/1.1" 200 3\n{"a\n';
    assert.equal(lines.format(text), text);
  });

  it('never exceeds its columns, and only its first line starts without a space', () => {
    fc.assert(
      fc.property(
        fc.record({ msg: fc.string({ minLength: 1 }), worker: fc.string(), err: fc.anything() }),
        fc.dictionary(fc.string(), fc.anything()),
        fc.integer({ min: 1, max: 200 }),
        fc.boolean(),
        (known, others, columns, isAccess) => {
          const fields = {
            ...others,
            ...known,
            ...(isAccess && { msg: 'request' }),
            level: 'info',
            time: TIME,
          };
          const entry = new PrettyLines({ columns: () => columns, colours: false });
          let line: string;
          try {
            line = JSON.stringify(fields);
          } catch {
            return;
          }
          const rows = entry.format(`${line}\n`).split('\n');
          assert.equal(rows.pop(), '');
          for (const [index, row] of rows.entries()) {
            assert.ok(row.length <= Math.min(Math.max(columns, 40), 120), row);
            assert.match(row, index === 0 ? /^\d/ : /^ {4}|^$/);
            assert.match(row, /^[\x20-\x7e]*$/);
          }
        },
      ),
    );
  });
});
