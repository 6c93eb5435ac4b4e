import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RemoteKeySet } from '../../../../../src/primary/access/key-sets/remote-key-set.ts';
import { FakeKeySetContext } from './fake-key-set-context.ts';

const URL = 'https://id.example.com/keys?secret=1';
const LABEL = 'https://id.example.com/keys';
const DOWN = new Error('status 500');

async function started(
  first: string | Error = 'one',
): Promise<{ context: FakeKeySetContext; set: RemoteKeySet }> {
  const context = new FakeKeySetContext();
  const set = new RemoteKeySet(URL, context);
  void set.start();
  await context.answer(first);
  return { context, set };
}

describe('the key set of a URL', () => {
  it('is fetched at the start, and sent to the workers', async () => {
    const { context, set } = await started();
    assert.equal(set.jwks, 'one');
    assert.deepEqual(context.changes, [`${URL} one`]);
    const [line] = context.linesOf('key set fetched');
    assert.deepEqual([line?.url, line?.keys], [LABEL, 1]);
  });

  it('is fetched every 10 minutes, and sent only after a change', async () => {
    const { context, set } = await started();
    context.pass(599_999);
    assert.equal(context.fetches.length, 0);
    context.pass(1);
    await context.answer('one');
    context.pass(600_000);
    await context.answer('two');
    assert.equal(set.jwks, 'two');
    assert.deepEqual(context.changes, [`${URL} one`, `${URL} two`]);
    assert.equal(context.linesOf('key set fetched').length, 2);
    assert.deepEqual(set.results, { success: 3, failure: 0 });
  });

  it('is fetched when the last answer expires, after 1 to 60 minutes', async () => {
    for (const [maxAgeMs, wait] of [
      [0, 60_000],
      [120_000, 120_000],
      [1e12, 3_600_000],
    ] as const) {
      const context = new FakeKeySetContext();
      const set = new RemoteKeySet(URL, context);
      void set.start();
      await context.answer('one', maxAgeMs);
      assert.equal(context.nextAt, wait);
      set.stop();
      assert.equal(context.nextAt, Infinity);
    }
  });

  it('stays while the URL is down, and is requested at growing intervals', async () => {
    const { context, set } = await started();
    context.pass(600_000);
    await context.answer(DOWN);
    const waits: number[] = [];
    for (let failure = 0; failure < 10; failure++) {
      waits.push(context.nextAt - context.time);
      context.pass(waits.at(-1)!);
      await context.answer(DOWN);
    }
    assert.equal(set.jwks, 'one');
    assert.ok(waits[0]! <= 1000, `${waits[0]}`);
    assert.ok(waits.every((wait) => wait >= 500 && wait <= 60_000));
    assert.ok(waits.at(-1)! >= 30_000);
    assert.equal(set.ageMs, context.time);
    context.pass(context.nextAt - context.time);
    await context.answer('two');
    assert.equal(set.jwks, 'two');
    assert.ok(Math.abs(context.nextAt - context.time - 600_000) < 1);
  });

  it('logs failures within a rate limit', async () => {
    const { context } = await started(DOWN);
    for (let failure = 0; failure < 20; failure++) {
      context.pass(Math.min(context.nextAt - context.time, 100));
      if (context.fetches.length > 0) await context.answer(DOWN);
    }
    for (let failure = 0; failure < 100; failure++) {
      context.pass(context.nextAt - context.time);
      await context.answer(DOWN);
    }
    const lines = context.linesOf('key set not fetched');
    assert.ok(lines.length <= 3 + context.time / 60_000, `${lines.length}`);
    assert.equal(lines[0]!.reason, 'status 500');
    assert.doesNotMatch(JSON.stringify(lines), /secret/);
  });

  it('is fetched for a token with an unknown key, once for all that wait', async () => {
    const { context, set } = await started();
    let called = 0;
    for (let index = 0; index < 100; index++) set.refresh(() => (called += 1));
    assert.equal(context.fetches.length, 1);
    assert.equal(called, 0);
    await context.answer('two');
    assert.equal(called, 100);
    assert.deepEqual(context.changes.at(-1), `${URL} two`);
  });

  it('is fetched at most once in 5 seconds on average, for any number of tokens', async () => {
    const { context, set } = await started();
    let fetches = 0;
    let answered = 0;
    for (let tick = 0; tick < 600; tick++) {
      context.pass(100);
      set.refresh(() => (answered += 1));
      if (context.fetches.length > 0) {
        fetches++;
        await context.answer('one');
      }
    }
    assert.ok(fetches <= 3 + 60 / 5 + 1, `${fetches}`);
    assert.equal(answered, 600);
  });

  it('is fetched for every token whose key has appeared since', async () => {
    const { context, set } = await started();
    for (let rotation = 0; rotation < 20; rotation++) {
      set.refresh(() => undefined);
      await context.answer(`set ${rotation}`);
      assert.equal(set.jwks, `set ${rotation}`);
    }
  });

  it('answers waiting requests when the fetch fails or is aborted', async () => {
    const { context, set } = await started();
    let called = 0;
    set.refresh(() => (called += 1));
    await context.answer(DOWN);
    assert.equal(called, 1);
    set.refresh(() => (called += 1));
    set.stop();
    assert.equal(called, 2);
    assert.equal(context.fetches[0]!.signal.aborted, true);
    await context.answer('late');
    assert.equal(set.jwks, 'one');
    set.refresh(() => (called += 1));
    assert.equal(called, 3);
    assert.equal(context.nextAt, Infinity);
  });
});
