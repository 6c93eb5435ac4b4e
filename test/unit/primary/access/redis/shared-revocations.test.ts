import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, it } from 'node:test';
import { SharedRevocations } from '../../../../../src/primary/access/redis/shared-revocations.ts';
import type { Revocation } from '../../../../../src/protocol/access.ts';
import { capture } from '../../fixtures/config.ts';

interface Change {
  readonly changed: readonly Revocation[];
  readonly ended: readonly string[];
}

/** One hash and one channel. */
class FakeRedis {
  readonly hash = new Map<string, string>();
  readonly #listeners: ((message: string) => void)[] = [];

  readonly isUp = true;

  send(args: readonly string[]): Promise<unknown> {
    const [name, , ...rest] = args;
    if (name === 'HSET') for (let at = 0; at < rest.length; at += 2) this.hash.set(rest[at]!, rest[at + 1]!);
    if (name === 'HDEL') for (const field of rest) this.hash.delete(field);
    if (name === 'PUBLISH') for (const hear of this.#listeners) hear(rest[0]!);
    return Promise.resolve(name === 'HSCAN' ? ['0', [...this.hash].flat()] : 1);
  }

  subscribe(_channel: string, hear: (message: string) => void): Promise<void> {
    this.#listeners.push(hear);
    return Promise.resolve();
  }

  say(message: string): void {
    for (const hear of this.#listeners) hear(message);
  }
}

/** The revocations of one process. */
class FakeRevocations {
  readonly kept = new Map<string, Revocation>();
  #listener: (change: Change) => void = () => undefined;

  get all(): readonly Revocation[] {
    return [...this.kept.values()];
  }

  onChange(listener: (change: Change) => void): () => void {
    this.#listener = listener;
    return () => undefined;
  }

  merge({ changed, ended }: Change): void {
    for (const principal of ended) this.kept.delete(principal);
    for (const revocation of changed) this.kept.set(revocation.principal, revocation);
  }

  revoke(principal: string, at = Date.now()): void {
    const revocation = { principal, at, until: at + 3_600_000 };
    this.kept.set(principal, revocation);
    this.#listener({ changed: [revocation], ended: [] });
  }

  undo(principal: string): void {
    this.kept.delete(principal);
    this.#listener({ changed: [], ended: [principal] });
  }
}

async function machine(redis: FakeRedis): Promise<FakeRevocations> {
  const local = new FakeRevocations();
  const shared = new SharedRevocations('test', redis, local, capture().log);
  shared.read();
  for (let turns = 0; turns < 5; turns++) await turn();
  return local;
}

async function settle(): Promise<void> {
  for (let turns = 0; turns < 5; turns++) await turn();
}

describe('revocations of several machines', () => {
  it('reach the other machines at once, and can be undone there', async () => {
    const redis = new FakeRedis();
    const [one, other] = [await machine(redis), await machine(redis)];
    one.revoke('jwt:alice');
    await settle();
    assert.deepEqual([...other.kept.keys()], ['jwt:alice']);
    other.undo('jwt:alice');
    await settle();
    assert.equal(one.kept.size, 0);
  });

  it('reach a machine that connects later', async () => {
    const redis = new FakeRedis();
    const one = await machine(redis);
    one.revoke('jwt:alice');
    await settle();
    assert.deepEqual([...(await machine(redis)).kept.keys()], ['jwt:alice']);
  });

  it('are written again to a server that has lost them', async () => {
    const redis = new FakeRedis();
    const local = new FakeRevocations();
    local.revoke('jwt:alice');
    new SharedRevocations('test', redis, local, capture().log).read();
    await settle();
    assert.deepEqual([...redis.hash.keys()], ['jwt:alice']);
  });

  it('do not return from a machine that missed their end', async () => {
    const redis = new FakeRedis();
    const one = await machine(redis);
    const late = new FakeRevocations();
    late.revoke('jwt:alice', Date.now() - 1000);
    one.revoke('jwt:alice', Date.now() - 1000);
    one.undo('jwt:alice');
    await settle();
    new SharedRevocations('test', redis, late, capture().log).read();
    await settle();
    assert.equal(late.kept.size, 0);
    assert.equal(one.kept.size, 0);
  });

  it('ignore unrelated values in Redis', async () => {
    const redis = new FakeRedis();
    redis.hash.set('a', 'no JSON');
    redis.hash.set('b', '{"principal":7,"at":1,"until":2}');
    const local = await machine(redis);
    for (const message of ['', 'null', '[]', '{"entries":[null,{"principal":"x"}]}', '{"entries":{}}'])
      redis.say(message);
    await settle();
    assert.equal(local.kept.size, 0);
    assert.equal(redis.hash.size, 0);
  });

  it('are ignored if the principal is too long for the revocations file', async () => {
    const redis = new FakeRedis();
    const local = await machine(redis);
    const until = Date.now() + 60_000;
    const entry = (principal: string): string => JSON.stringify({ principal, at: 1, until });
    redis.say(`{"entries":[${entry('é'.repeat(513))},${entry('é'.repeat(512))}]}`);
    await settle();
    assert.deepEqual([...local.kept.keys()], ['é'.repeat(512)]);
  });
});
