import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SessionService } from '../../../../../src/primary/access/sessions/session-service.ts';
import type { SessionAnswer, SessionQuestion, SessionRow } from '../../../../../src/protocol/access.ts';

function row(id: string): SessionRow {
  return {
    id,
    principal: 'jwt:alice',
    client: '192.0.2.1',
    listener: 'web',
    cluster: 'app',
    endpoint: '127.0.0.1:9000',
    openedAt: '2030-01-01T00:00:00.000Z',
    endsAt: null,
  };
}

/** A service whose workers give these answers to every question. */
function deskOf(
  answers: readonly Partial<SessionAnswer>[],
  incomplete: readonly string[] = [],
): { service: SessionService; asked: SessionQuestion[] } {
  const asked: SessionQuestion[] = [];
  const ask = (question: SessionQuestion): ReturnType<Parameters<typeof deskWith>[0]> => {
    asked.push(question);
    const whole = answers.map((answer) => ({ count: 0, rows: [], at: null, ...answer }));
    return Promise.resolve({ answers: whole, incomplete });
  };
  return { service: deskWith(ask), asked };
}

function deskWith(ask: ConstructorParameters<typeof SessionService>[0]['ask']): SessionService {
  return new SessionService({ ask });
}

describe('the list of all workers', () => {
  it('merges pages in the order of runs and numbers', async () => {
    const { service } = deskOf([
      { count: 2, rows: [row('b-2'), row('b-10')] },
      { count: 1, rows: [row('a-30')] },
    ]);
    const page = await service.list({}, null, 3);
    assert.deepEqual(
      [page.sessions.map(({ id }) => id), page.total, page.next],
      [['a-30', 'b-2', 'b-10'], 3, null],
    );
  });

  it('says where the next page begins, if there is one', async () => {
    const { service, asked } = deskOf([{ count: 5, rows: [row('a-1'), row('a-2'), row('a-3')] }]);
    const page = await service.list({ cluster: 'app' }, 'a-0', 2);
    assert.deepEqual([page.sessions.length, page.next], [2, 'a-2']);
    assert.deepEqual(asked, [{ kind: 'list', filter: { cluster: 'app' }, after: 'a-0', limit: 3 }]);
  });

  it('names the workers whose sessions are missing', async () => {
    const { service } = deskOf([], ['l7-1']);
    assert.deepEqual((await service.list({}, null, 2)).incomplete, ['l7-1']);
  });
});

describe('sessions closed by operators', () => {
  it('are counted over all workers and commands', async () => {
    const { service } = deskOf([{ count: 2 }, { count: 1 }]);
    assert.deepEqual(await service.closeAll({ principal: 'alice' }, 1008, 'x'), {
      closed: 3,
      incomplete: [],
    });
    await service.close('a-1', 4000, 'y');
    assert.equal(service.kicked, 6);
  });
});

describe('an extension over all workers', () => {
  it('finds the session in the worker that has it', async () => {
    const { service } = deskOf([{}, { count: 1, at: 5 }]);
    assert.deepEqual(await service.extend('a-1', 1), { found: true, at: 5, incomplete: [] });
  });

  it('distinguishes an unknown session from one without an end', async () => {
    assert.equal((await deskOf([{}]).service.extend('a-1', 1)).found, false);
    assert.deepEqual(await deskOf([{ count: 1 }]).service.extend('a-1', 1), {
      found: true,
      at: null,
      incomplete: [],
    });
  });
});
