import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FoundSessions } from '../../../../src/page/model/found-sessions.ts';
import type { SessionsAnswer } from '../../../../src/protocol/admin/answers.ts';

const ROW = {
  principal: 'jwt:zoe',
  client: '192.0.2.1',
  listener: 'web',
  cluster: 'app',
  endpoint: '192.0.2.2:80',
  openedAt: '2026-01-01T00:00:00.000Z',
  endsAt: null,
};

function answerOf(...ids: readonly string[]): SessionsAnswer {
  const sessions = ids.map((id) => ({ id, ...ROW }));
  return { status: 200, message: '', total: 5, sessions, next: null, incomplete: ['l7-1'] };
}

describe('found sessions', () => {
  it('are marked as ended until the next search', () => {
    const found = new FoundSessions();
    found.set(answerOf('a', 'b'));
    assert.equal(found.note, '2 of 5 sessions. No answer from l7-1.');
    assert.deepEqual([found.end('b'), found.end('from an older search')], [true, false]);
    assert.deepEqual(
      found.rows.map(({ id, hasEnded }) => [id, hasEnded]),
      [
        ['a', false],
        ['b', true],
      ],
    );
    assert.equal(found.note, '2 of 5 sessions. 1 session ended since. No answer from l7-1.');
    found.set(answerOf('b'));
    assert.equal(found.rows[0]!.hasEnded, false);
    found.set(null);
    assert.deepEqual([found.rows, found.note], [[], '']);
  });

  it('recognize a restart by another pid or a shorter uptime', () => {
    const found = new FoundSessions();
    const turns = [
      [7, 100],
      [7, 101],
      [8, 102],
      [8, 103],
      [8, 1],
      [8, 1],
    ] as const;
    assert.deepEqual(
      turns.map(([pid, uptimeSeconds]) => found.isRestart({ pid, uptimeSeconds })),
      [false, false, true, false, true, false],
    );
  });
});
