import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';
import type {
  RedisConnection,
  RedisDialling,
} from '../../../../../src/primary/access/redis/redis-connection.ts';
import { RedisLink, type RedisCounts } from '../../../../../src/primary/access/redis/redis-link.ts';
import { capture, type LogLine } from '../../fixtures/config.ts';

/** An attempt of the link, which the test decides. */
interface Attempt extends RedisDialling {
  readonly accept: () => Promise<void>;
  readonly refuse: (reason: string) => Promise<void>;
  /** Commands, and how to answer them. */
  readonly commands: { readonly args: readonly string[]; readonly answer: (reply: unknown) => void }[];
}

interface Rig {
  readonly link: RedisLink;
  readonly attempts: Attempt[];
  readonly events: string[];
  readonly lines: readonly LogLine[];
  readonly counts: RedisCounts;
}

const URL_WITH_SECRET = 'redis://user:swordfish@redis.test:6390/2';

function rig(): Rig {
  const { log, lines } = capture();
  const attempts: Attempt[] = [];
  const events: string[] = [];
  const counts = { errors: { connect: 0, lost: 0, timeout: 0, reply: 0 } };
  const link = new RedisLink({
    url: URL_WITH_SECRET,
    owner: { up: () => events.push('up'), down: () => events.push('down') },
    log,
    counts,
    dial: (dialling) => {
      const { promise, resolve, reject } = Promise.withResolvers<RedisConnection>();
      const commands: Attempt['commands'] = [];
      const send = (args: readonly string[]): Promise<unknown> =>
        new Promise((settle, fail) =>
          commands.push({ args, answer: (reply) => (reply instanceof Error ? fail(reply) : settle(reply)) }),
        );
      attempts.push({
        ...dialling,
        commands,
        accept: async () => {
          resolve({ send, subscribe: () => Promise.resolve() });
          await turn();
        },
        refuse: async (reason) => {
          reject(new Error(reason));
          await turn();
        },
      });
      return promise;
    },
  });
  return { link, attempts, events, lines, counts };
}

async function connected(): Promise<Rig & { readonly attempt: Attempt }> {
  const parts = rig();
  parts.link.start();
  const [attempt] = parts.attempts;
  await open(attempt!);
  return { ...parts, attempt: attempt! };
}

/** Lets an attempt succeed. */
async function open(attempt: Attempt): Promise<void> {
  await attempt.accept();
  attempt.commands[0]!.answer('PONG');
  await turn();
}

async function pass(ms: number): Promise<void> {
  mock.timers.tick(ms);
  await turn();
}

beforeEach(() => mock.timers.enable({ apis: ['setTimeout'] }));
afterEach(() => mock.timers.reset());

describe('the link to Redis', () => {
  it('is up when the server has answered, not when it accepts the connection', async () => {
    const { link, attempts, events } = rig();
    link.start();
    await attempts[0]!.accept();
    assert.equal(link.isUp, false);
    assert.deepEqual(attempts[0]!.commands[0]!.args, ['PING']);
    attempts[0]!.commands[0]!.answer('PONG');
    await turn();
    assert.equal(link.isUp, true);
    assert.deepEqual(events, ['up']);
  });

  it('passes on answers and error replies, and counts the errors', async () => {
    const { link, attempt, counts, events } = await connected();
    const good = link.send(['GET', 'a']);
    const bad = link.send(['EVALSHA', 'x']);
    attempt.commands[1]!.answer('1');
    attempt.commands[2]!.answer(new Error('OOM command not allowed'));
    assert.equal(await good, '1');
    await assert.rejects(bad, /OOM/);
    assert.equal(counts.errors.reply, 1);
    assert.equal(link.isUp, true);
    assert.deepEqual(events, ['up']);
  });

  it('sends nothing while it is down', async () => {
    const { link, attempts } = rig();
    link.start();
    await assert.rejects(link.send(['GET', 'a']), /unreachable/);
    await assert.rejects(
      link.subscribe('c', () => undefined),
      /unreachable/,
    );
    assert.equal(attempts[0]!.commands.length, 0);
  });

  it('gives up on an attempt after 2 s', async () => {
    const { link, attempts, counts } = rig();
    link.start();
    await pass(2000);
    assert.equal(attempts[0]!.signal.aborted, true);
    assert.equal(counts.errors.connect, 1);
    await pass(100);
    assert.equal(attempts.length, 2);
  });

  it('gives up on a server that accepts but does not answer', async () => {
    const { link, attempts, events } = rig();
    link.start();
    await attempts[0]!.accept();
    await pass(1000);
    assert.equal(attempts[0]!.signal.aborted, true);
    assert.deepEqual(events, []);
  });

  it('closes the connection after a late answer, and reconnects', async () => {
    const { link, attempt, attempts, events, counts } = await connected();
    const late = link.send(['GET', 'a']);
    const rejected = assert.rejects(late, /no answer within 1000 ms/);
    await pass(1000);
    await rejected;
    assert.equal(attempt.signal.aborted, true);
    assert.deepEqual({ ...counts.errors }, { connect: 0, lost: 0, timeout: 1, reply: 0 });
    assert.deepEqual(events, ['up', 'down']);
    await pass(100);
    await open(attempts[1]!);
    assert.deepEqual(events, ['up', 'down', 'up']);
  });

  it('waits longer after each failure, at most 2 s', async () => {
    const { link, attempts } = rig();
    link.start();
    for (let tries = 0; tries < 8; tries++) {
      await attempts.at(-1)!.refuse('connect ECONNREFUSED');
      await pass(Math.min(2000, 100 * 2 ** tries));
    }
    assert.equal(attempts.length, 9);
    await attempts.at(-1)!.refuse('connect ECONNREFUSED');
    await pass(999);
    assert.equal(attempts.length, 9);
  });

  it('logs each reason once until the server is back, within a limit', async () => {
    const { link, attempts, lines } = rig();
    link.start();
    const told = (): readonly unknown[] =>
      lines.filter(({ msg }) => msg === 'Redis is unreachable').map(({ reason }) => reason);
    for (const reason of ['late', 'no trust', 'late', 'no trust']) {
      await attempts.at(-1)!.refuse(reason);
      await pass(2000);
    }
    assert.deepEqual(told(), ['late', 'no trust']);
    await open(attempts.at(-1)!);
    assert.equal(lines.at(-1)!.msg, 'Redis is reachable again');
    attempts.at(-1)!.onEnd('late');
    assert.deepEqual(told(), ['late', 'no trust', 'late']);
    for (let tries = 0; tries < 20; tries++) {
      await pass(2000);
      await attempts.at(-1)!.refuse(`reason ${tries}`);
    }
    assert.equal(told().length, 2 + 8);
  });

  it('backs off even if connections succeed but end at once', async () => {
    const { attempt, attempts } = await connected();
    attempt.onEnd('reset');
    for (let tries = 0; tries < 6; tries++) {
      await pass(100 * 2 ** tries);
      await open(attempts.at(-1)!);
      attempts.at(-1)!.onEnd('reset');
    }
    const { length } = attempts;
    await pass(900);
    assert.equal(attempts.length, length);
  });

  it('logs each change and reason once, and never the password', async () => {
    const { attempt, attempts, lines } = await connected();
    attempt.onEnd('read ECONNRESET');
    attempt.onEnd('read ECONNRESET');
    for (let tries = 0; tries < 3; tries++) {
      await pass(100 * 2 ** tries);
      await attempts.at(-1)!.refuse('connect ECONNREFUSED 127.0.0.1:6390');
    }
    await pass(2000);
    await open(attempts.at(-1)!);
    assert.deepEqual(
      lines.map(({ msg }) => msg),
      ['connected to Redis', 'Redis is unreachable', 'Redis is unreachable', 'Redis is reachable again'],
    );
    assert.doesNotMatch(JSON.stringify(lines), /swordfish/);
  });

  it('logs nothing after its end', async () => {
    const { link, attempt, attempts, events } = await connected();
    link.stop();
    assert.equal(attempt.signal.aborted, true);
    attempt.onEnd('closed');
    await pass(10_000);
    assert.equal(attempts.length, 1);
    assert.deepEqual(events, ['up']);
    await assert.rejects(link.send(['GET', 'a']), /unreachable/);
  });

  it('can be ended during an attempt', async () => {
    const { link, attempts, events } = rig();
    link.start();
    link.stop();
    await open(attempts[0]!).catch(() => undefined);
    await pass(10_000);
    assert.equal(attempts.length, 1);
    assert.equal(link.isUp, false);
    assert.deepEqual(events, []);
  });
});
