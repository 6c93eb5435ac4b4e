import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RemoteKeySet } from '../../../../../src/primary/access/key-sets/remote-key-set.ts';
import { FakeHome } from './fake-home.ts';

const URL = 'https://id.example.com/keys?secret=1';
const LABEL = 'https://id.example.com/keys';
const DOWN = new Error('status 500');

async function started(first: string | Error = 'one'): Promise<{ home: FakeHome; set: RemoteKeySet }> {
  const home = new FakeHome();
  const set = new RemoteKeySet(URL, home);
  void set.start();
  await home.answer(first);
  return { home, set };
}

describe('the key set of a URL', () => {
  it('is fetched at the start, and sent to the workers', async () => {
    const { home, set } = await started();
    assert.equal(set.jwks, 'one');
    assert.deepEqual(home.changes, [`${URL} one`]);
    const [line] = home.linesOf('key set fetched');
    assert.deepEqual([line?.url, line?.keys], [LABEL, 1]);
  });

  it('is fetched every 10 minutes, and sent only after a change', async () => {
    const { home, set } = await started();
    home.pass(599_999);
    assert.equal(home.fetches.length, 0);
    home.pass(1);
    await home.answer('one');
    home.pass(600_000);
    await home.answer('two');
    assert.equal(set.jwks, 'two');
    assert.deepEqual(home.changes, [`${URL} one`, `${URL} two`]);
    assert.equal(home.linesOf('key set fetched').length, 2);
    assert.deepEqual(set.results, { success: 3, failure: 0 });
  });

  it('is fetched when the last answer expires, after 1 to 60 minutes', async () => {
    for (const [maxAgeMs, wait] of [
      [0, 60_000],
      [120_000, 120_000],
      [1e12, 3_600_000],
    ] as const) {
      const home = new FakeHome();
      const set = new RemoteKeySet(URL, home);
      void set.start();
      await home.answer('one', maxAgeMs);
      assert.equal(home.nextAt, wait);
      set.stop();
      assert.equal(home.nextAt, Infinity);
    }
  });

  it('stays while the URL is down, and is requested at growing intervals', async () => {
    const { home, set } = await started();
    home.pass(600_000);
    await home.answer(DOWN);
    const waits: number[] = [];
    for (let failure = 0; failure < 10; failure++) {
      waits.push(home.nextAt - home.time);
      home.pass(waits.at(-1)!);
      await home.answer(DOWN);
    }
    assert.equal(set.jwks, 'one');
    assert.ok(waits[0]! <= 1000, `${waits[0]}`);
    assert.ok(waits.every((wait) => wait >= 500 && wait <= 60_000));
    assert.ok(waits.at(-1)! >= 30_000);
    assert.equal(set.ageMs, home.time);
    home.pass(home.nextAt - home.time);
    await home.answer('two');
    assert.equal(set.jwks, 'two');
    assert.ok(Math.abs(home.nextAt - home.time - 600_000) < 1);
  });

  it('logs failures within a rate limit', async () => {
    const { home } = await started(DOWN);
    for (let failure = 0; failure < 20; failure++) {
      home.pass(Math.min(home.nextAt - home.time, 100));
      if (home.fetches.length > 0) await home.answer(DOWN);
    }
    for (let failure = 0; failure < 100; failure++) {
      home.pass(home.nextAt - home.time);
      await home.answer(DOWN);
    }
    const lines = home.linesOf('key set not fetched');
    assert.ok(lines.length <= 3 + home.time / 60_000, `${lines.length}`);
    assert.equal(lines[0]!.reason, 'status 500');
    assert.doesNotMatch(JSON.stringify(lines), /secret/);
  });

  it('is fetched for a token with an unknown key, once for all that wait', async () => {
    const { home, set } = await started();
    let called = 0;
    for (let index = 0; index < 100; index++) set.refresh(() => (called += 1));
    assert.equal(home.fetches.length, 1);
    assert.equal(called, 0);
    await home.answer('two');
    assert.equal(called, 100);
    assert.deepEqual(home.changes.at(-1), `${URL} two`);
  });

  it('is fetched at most once in 5 seconds on average, for any number of tokens', async () => {
    const { home, set } = await started();
    let fetches = 0;
    let answered = 0;
    for (let tick = 0; tick < 600; tick++) {
      home.pass(100);
      set.refresh(() => (answered += 1));
      if (home.fetches.length > 0) {
        fetches++;
        await home.answer('one');
      }
    }
    assert.ok(fetches <= 3 + 60 / 5 + 1, `${fetches}`);
    assert.equal(answered, 600);
  });

  it('is fetched for every token whose key has appeared since', async () => {
    const { home, set } = await started();
    for (let rotation = 0; rotation < 20; rotation++) {
      set.refresh(() => undefined);
      await home.answer(`set ${rotation}`);
      assert.equal(set.jwks, `set ${rotation}`);
    }
  });

  it('answers waiting requests when the fetch fails or is aborted', async () => {
    const { home, set } = await started();
    let called = 0;
    set.refresh(() => (called += 1));
    await home.answer(DOWN);
    assert.equal(called, 1);
    set.refresh(() => (called += 1));
    set.stop();
    assert.equal(called, 2);
    assert.equal(home.fetches[0]!.signal.aborted, true);
    await home.answer('late');
    assert.equal(set.jwks, 'one');
    set.refresh(() => (called += 1));
    assert.equal(called, 3);
    assert.equal(home.nextAt, Infinity);
  });
});
