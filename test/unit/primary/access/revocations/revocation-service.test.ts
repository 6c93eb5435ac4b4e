import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { StartError } from '../../../../../src/core/errors.ts';
import { RevocationService } from '../../../../../src/primary/access/revocations/revocation-service.ts';
import type { Revocation, SessionQuestion } from '../../../../../src/protocol/access.ts';
import { capture } from '../../fixtures/config.ts';

const NOW = 1_893_456_000_000;
const DAY_MS = 86_400_000;
const KEEP = { keepMs: DAY_MS, file: null };

/** A service with a fake clock, fake workers and a fake disk. */
class Rig {
  readonly told: { changed: readonly Revocation[]; ended: readonly string[] }[] = [];
  readonly asked: SessionQuestion[] = [];
  /** By path: what files have. A missing one cannot be read. */
  readonly disk = new Map<string, readonly Revocation[]>();
  readonly writes: string[] = [];
  readonly capture = capture();
  now = NOW;
  /** The answer of the only worker to a revocation. */
  answer: { count: number; at: number | null } = { count: 2, at: null };

  service(settings: { keepMs: number; file: string | null } = KEEP): RevocationService {
    return new RevocationService(settings, {
      questions: {
        ask: (question) => {
          this.asked.push(question);
          return Promise.resolve({ answers: [{ rows: [], ...this.answer }], incomplete: [] });
        },
      },
      send: ({ changed, ended }) => void this.told.push({ changed, ended }),
      log: this.capture.log,
      environment: {
        now: () => this.now,
        read: (path) => {
          const found = this.disk.get(path);
          if (found === undefined) throw new StartError(`${path} is broken`);
          return found;
        },
        open: (path, all) => {
          const write = (): Promise<void> => {
            this.writes.push(path);
            this.disk.set(path, all());
            return Promise.resolve();
          };
          return { path, save: write, close: () => Promise.resolve() };
        },
      },
    });
  }
}

function revocation(principal: string, at = NOW, until = NOW + DAY_MS): Revocation {
  return { principal, at, until };
}

describe('a revocation', () => {
  it('reaches the workers before their sessions end', async () => {
    const rig = new Rig();
    const service = rig.service();
    const revoked = service.revoke('jwt:alice');
    assert.deepEqual(rig.told, [{ changed: [revocation('jwt:alice')], ended: [] }]);
    assert.deepEqual(rig.asked, [{ kind: 'revoke', principals: ['jwt:alice'] }]);
    assert.deepEqual(await revoked, { revocation: revocation('jwt:alice'), closed: 2, incomplete: [] });
    assert.deepEqual([service.size, service.closedSessions], [1, 2]);
    await service.close();
  });

  it('is kept until the last credential of a session has expired', async () => {
    const rig = new Rig();
    rig.answer = { count: 1, at: NOW + 9 * DAY_MS };
    const service = rig.service();
    const {
      revocation: { until },
    } = await service.revoke('jwt:alice');
    assert.equal(until, NOW + 9 * DAY_MS);
    assert.equal(rig.told.at(-1)?.changed[0]?.until, until);
    await service.close();
  });

  it('is extended by a token that is shown later, but never shortened', async () => {
    const rig = new Rig();
    const service = rig.service();
    await service.revoke('jwt:alice');
    service.receive({ type: 'revoked_token', principal: 'jwt:alice', neededUntil: NOW + 2 * DAY_MS });
    service.receive({ type: 'revoked_token', principal: 'jwt:alice', neededUntil: NOW + DAY_MS });
    service.receive({ type: 'revoked_token', principal: 'jwt:bob', neededUntil: NOW + DAY_MS });
    assert.deepEqual(service.all, [revocation('jwt:alice', NOW, NOW + 2 * DAY_MS)]);
    await service.close();
  });

  it('ends when it expires', async () => {
    const rig = new Rig();
    const service = rig.service();
    await service.revoke('jwt:alice');
    rig.now += DAY_MS;
    service.expire();
    assert.deepEqual([service.all, rig.told.at(-1)], [[], { changed: [], ended: ['jwt:alice'] }]);
    await service.close();
  });

  it('can be undone once', async () => {
    const rig = new Rig();
    const service = rig.service();
    await service.revoke('jwt:alice');
    assert.deepEqual([await service.undo('jwt:alice'), await service.undo('jwt:alice')], [true, false]);
    assert.deepEqual(rig.told.at(-1), { changed: [], ended: ['jwt:alice'] });
    await service.close();
  });
});

describe('revocations of another process', () => {
  it('end the sessions of new principals with one question, and are not sent back', async () => {
    const rig = new Rig();
    const service = rig.service();
    await service.revoke('jwt:alice');
    const heard: unknown[] = [];
    service.onChange((change) => heard.push(change));
    rig.asked.length = 0;
    service.merge({ changed: [revocation('jwt:alice'), revocation('jwt:bob'), revocation('jwt:carol')] });
    assert.deepEqual(rig.asked, [{ kind: 'revoke', principals: ['jwt:bob', 'jwt:carol'] }]);
    service.merge({ ended: ['jwt:bob'] });
    assert.deepEqual([heard, service.size], [[], 2]);
    await service.close();
  });

  it('report every change here to subscribers', async () => {
    const service = new Rig().service();
    const heard: unknown[] = [];
    const stop = service.onChange(({ changed, ended }) => heard.push([changed.length, ended]));
    await service.revoke('jwt:alice');
    await service.undo('jwt:alice');
    stop();
    await service.revoke('jwt:alice');
    assert.deepEqual(heard, [
      [1, []],
      [0, ['jwt:alice']],
    ]);
    await service.close();
  });

  it('keep revocations that this process evicts', async () => {
    const rig = new Rig();
    const service = rig.service();
    const soon = Array.from({ length: 100_000 }, (_, number) => revocation(`jwt:${number}`, NOW, NOW + 1000));
    service.merge({ changed: soon });
    const heard: unknown[] = [];
    service.onChange(({ changed, ended }) => heard.push([changed.map(({ principal }) => principal), ended]));
    await service.revoke('jwt:alice');
    assert.deepEqual(rig.told.at(-1)!.ended, ['jwt:0']);
    assert.deepEqual(heard, [[['jwt:alice'], []]]);
    await service.close();
  });

  it('are inherited from the previous process', async () => {
    const rig = new Rig();
    const service = rig.service();
    service.inherit([
      { principal: 'jwt:alice', at: '2030-01-01T00:00:00.000Z', until: '2030-01-02T00:00:00.000Z' },
    ]);
    assert.deepEqual(service.all, [revocation('jwt:alice')]);
    service.inherit(undefined);
    assert.equal(rig.capture.lines.length, 0);
    service.inherit({ principal: 'x' });
    assert.equal(rig.capture.lines[0]?.msg, 'revocations not taken over');
    await service.close();
  });
});

describe('the file of the settings', () => {
  it('is read at the start, before any question, and written after each change', async () => {
    const rig = new Rig();
    rig.disk.set('a', [revocation('jwt:alice')]);
    const service = rig.service({ ...KEEP, file: 'a' });
    assert.deepEqual([service.size, rig.asked, rig.writes], [1, [], []]);
    await service.revoke('jwt:bob');
    assert.equal(rig.disk.get('a')?.length, 2);
    await service.close();
  });

  it('stops the start, or the reload, if it is broken', async () => {
    const rig = new Rig();
    assert.throws(() => rig.service({ ...KEEP, file: 'a' }), StartError);
    const service = rig.service();
    assert.throws(() => service.prepare({ ...KEEP, file: 'a' }), StartError);
    await service.close();
  });

  it('can change in a reload, which merges both files', async () => {
    const rig = new Rig();
    rig.disk.set('a', [revocation('jwt:alice')]).set('b', [revocation('jwt:bob')]);
    const service = rig.service({ ...KEEP, file: 'a' });
    const commit = service.prepare({ ...KEEP, file: 'b' });
    assert.equal(service.size, 1);
    commit();
    await turn();
    assert.deepEqual(
      rig.disk.get('b')?.map(({ principal }) => principal),
      ['jwt:alice', 'jwt:bob'],
    );
    assert.deepEqual(rig.asked, [{ kind: 'revoke', principals: ['jwt:bob'] }]);
    await service.close();
  });

  it('is released to another process at a takeover', async () => {
    const rig = new Rig();
    rig.disk.set('a', []);
    const service = rig.service({ ...KEEP, file: 'a' });
    await service.release();
    await service.revoke('jwt:alice');
    assert.deepEqual(rig.writes, []);
    await service.close();
  });

  it('keeps later revocations for a new duration after a reload', async () => {
    const rig = new Rig();
    const service = rig.service();
    service.prepare({ keepMs: 1000, file: null })();
    assert.equal((await service.revoke('a')).revocation.until, NOW + 1000);
    await service.close();
  });
});
