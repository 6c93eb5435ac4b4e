import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseTicketKeys, formatTicketKeys } from '../../../../src/primary/tickets/handover-keys.ts';

const KEY = Buffer.alloc(80, 7).toString('base64');

describe('ticket keys for another process', () => {
  it('are parsed as they were formatted', () => {
    const bequest = new Map([
      ['web', { keys: [Buffer.alloc(80, 1), Buffer.alloc(80, 2)], ageMs: 12.5 }],
      ['__proto__', { keys: [Buffer.alloc(80, 3)], ageMs: 0 }],
    ]);
    assert.deepEqual(parseTicketKeys(formatTicketKeys(bequest)), bequest);
  });

  it('are skipped for each listener with unusable keys', () => {
    const entries = [
      null,
      7,
      {},
      { listener: 1, ageMs: 1, keys: [KEY] },
      { listener: 'age', ageMs: -1, keys: [KEY] },
      { listener: 'no-age', ageMs: null, keys: [KEY] },
      { listener: 'none', ageMs: 1, keys: [] },
      { listener: 'text', ageMs: 1, keys: KEY },
      { listener: 'short', ageMs: 1, keys: [KEY, KEY.slice(4)] },
      { listener: 'nothing', ageMs: 1, keys: [null] },
      { listener: 'good', ageMs: 1, keys: [KEY, KEY, KEY], new: true },
    ];
    const read = parseTicketKeys(JSON.stringify(entries));
    assert.deepEqual([...read.keys()], ['good']);
    assert.deepEqual(read.get('good')!.keys, [Buffer.alloc(80, 7), Buffer.alloc(80, 7)]);
  });

  it('are rejected without quoting them if they are no list', () => {
    for (const text of ['', 'secret', '{"secret":1}', '[{"listener":"secret', '7']) {
      assert.throws(
        () => parseTicketKeys(text),
        (error) => error instanceof Error && !error.message.includes('secret'),
      );
    }
  });
});
