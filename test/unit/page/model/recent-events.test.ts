import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RecentEvents } from '../../../../src/page/model/recent-events.ts';
import type { EventRow } from '../../../../src/protocol/admin/events.ts';

const AT = '2026-01-01T00:00:00.000Z';

function row(number: number, changes: Partial<EventRow> = {}): EventRow {
  return { number, at: AT, firstAt: AT, count: 1, kind: 'handshake', reason: 'access', ...changes };
}

function shown(recent: RecentEvents): string[] {
  return recent.find({ kind: '', filter: '' }).map(({ number, count }) => `${number} x${count}`);
}

describe("the page's events", () => {
  it('replace a row when it arrives again, even with other ids and another detail', () => {
    const recent = new RecentEvents();
    const first = row(1, { client: '192.0.2.1', requestId: 'a', traceId: 'b', detail: 'one' });
    recent.add({ events: [first], last: 1, suppressed: 0 });
    const again = { ...first, number: 5, count: 3, requestId: 'c', traceId: 'd', detail: 'two' };
    recent.add({ events: [again], last: 5, suppressed: 0 });
    assert.deepEqual(shown(recent), ['5 x3']);
  });

  it('distinguish events of the primary by their details', () => {
    const recent = new RecentEvents();
    const ends = (number: number, detail: string): EventRow =>
      row(number, { kind: 'process', reason: 'certificate_ends', listener: 'web', detail });
    recent.add({ events: [ends(1, 'a.example'), ends(2, 'b.example')], last: 2, suppressed: 0 });
    recent.add({ events: [{ ...ends(3, 'a.example'), count: 2 }], last: 3, suppressed: 0 });
    assert.deepEqual(shown(recent), ['3 x2', '2 x1']);
  });

  it('are at most 200, and start over when a new process numbers from the start', () => {
    const recent = new RecentEvents();
    const many = Array.from({ length: 201 }, (_, index) => row(1000 + index, { client: String(index) }));
    recent.add({ events: many, last: 1200, suppressed: 7 });
    assert.equal(recent.size, 200);
    recent.add({ events: [row(3)], last: 3, suppressed: 0 });
    assert.deepEqual(shown(recent), ['3 x1']);
    assert.equal(recent.last, 3);
  });

  it('are found by kind and by words, newest first', () => {
    const recent = new RecentEvents();
    const rows = [row(1, { path: '/Chat' }), row(2, { kind: 'request' }), row(3, { path: '/chat' })];
    recent.add({ events: rows, last: 3, suppressed: 0 });
    const find = (kind: string, filter: string): number[] =>
      recent.find({ kind, filter }).map(({ number }) => number);
    assert.deepEqual(find('', 'chat access'), [3, 1]);
    assert.deepEqual(find('request', ''), [2]);
    assert.deepEqual(recent.kinds, ['handshake', 'request']);
  });
});
