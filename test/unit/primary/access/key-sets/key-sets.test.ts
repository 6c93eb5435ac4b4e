import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Config } from '../../../../../src/config/types/config.ts';
import { keySetFamilies } from '../../../../../src/primary/access/key-sets/key-set-metrics.ts';
import { KeySets } from '../../../../../src/primary/access/key-sets/key-sets.ts';
import type { KeySetCommand } from '../../../../../src/protocol/access.ts';
import { config as plain } from '../../fixtures/config.ts';
import { FakeKeySetContext } from './fake-key-set-context.ts';

type Listeners = Pick<Config, 'listeners'>;

/** A configuration whose listener and routes have their keys at some URLs. */
function configOf(ofListener: string | null, ...ofRoutes: readonly string[]): Listeners {
  const accessOf = (url: string | null): NonNullable<Config['listeners'][number]['access']> | null => {
    if (url === null) return null;
    const jwt = {
      keys: { kind: 'url' as const, url },
      algorithms: ['ES256'],
      issuers: [],
      audiences: [],
      from: [],
      requiredClaims: new Map(),
      forward: new Map(),
      atExpiry: 'close' as const,
      graceMs: 0,
      leewayMs: 0,
    };
    return { deny: [], allow: null, origins: null, basic: null, jwt, forwardAuth: null };
  };
  const web = plain.listeners.find((listener) => listener.mode === 'l7')!;
  const routes = ofRoutes.map((url) => ({ ...web.routes[0]!, access: accessOf(url) }));
  return { listeners: [{ ...web, access: accessOf(ofListener), routes }] };
}

const A = 'https://a.example.com/keys';
const B = 'https://b.example.com/keys';

describe('the key sets of a configuration', () => {
  it('come from all listeners and routes, without duplicates', () => {
    const sets = new KeySets(configOf(A, B, A), new FakeKeySetContext());
    assert.deepEqual(
      sets.all.map(({ url }) => url),
      [A, B],
    );
    assert.deepEqual(new KeySets(plain, new FakeKeySetContext()).all, []);
  });

  it('are fetched before the start ends, and sent to new workers', async () => {
    const context = new FakeKeySetContext();
    const sets = new KeySets(configOf(A, B), context);
    const start = sets.start();
    await context.answer('of a');
    await context.answer(new Error('down'));
    await start;
    assert.deepEqual([...sets.texts], [[A, 'of a']]);
    sets.stop();
  });

  it('answer a worker with the known set, or with null for another URL', async () => {
    const context = new FakeKeySetContext();
    const sets = new KeySets(configOf(A), context);
    const answers: KeySetCommand[] = [];
    sets.receive({ url: B }, (command) => void answers.push(command));
    assert.deepEqual(answers, [{ type: 'key_set', url: B, jwks: null }]);
    sets.receive({ url: A }, (command) => void answers.push(command));
    assert.equal(answers.length, 1);
    await context.answer('of a');
    assert.deepEqual(answers[1], { type: 'key_set', url: A, jwks: 'of a' });
    sets.stop();
  });

  it('follow the configuration: unchanged sets are kept, and removed sets are not fetched again', async () => {
    const context = new FakeKeySetContext();
    const sets = new KeySets(configOf(A), context);
    void sets.start();
    await context.answer('of a');
    const change = sets.prepare(configOf(B, A));
    const ready = change.ready();
    await context.answer('of b');
    await ready;
    assert.deepEqual([...sets.texts], [[A, 'of a']]);
    change.commit();
    assert.deepEqual(
      [...sets.texts],
      [
        [B, 'of b'],
        [A, 'of a'],
      ],
    );
    sets.prepare(configOf(null, B)).commit();
    context.pass(600_000);
    assert.deepEqual(
      context.fetches.map(({ url }) => url),
      [B],
    );
    sets.stop();
    assert.equal(context.nextAt, Infinity);
  });

  it('end if their configuration is dropped', async () => {
    const context = new FakeKeySetContext();
    const sets = new KeySets(configOf(A), context);
    const change = sets.prepare(configOf(A, B));
    const ready = change.ready();
    change.abort();
    assert.equal(context.fetches[0]!.signal.aborted, true);
    await context.answer(new Error('aborted'));
    await ready;
    assert.deepEqual(
      sets.all.map(({ url }) => url),
      [A],
    );
  });

  it('have metrics without queries: one series per label', async () => {
    const context = new FakeKeySetContext();
    const sets = new KeySets(configOf(`${A}?tenant=1`, `${A}?tenant=2`), context);
    const start = sets.start();
    await context.answer('one');
    await context.answer(new Error('down'));
    await start;
    context.pass(500);
    assert.deepEqual(
      keySetFamilies(sets).flatMap(({ read }) => [...read()]),
      [
        { labels: { url: A, result: 'success' }, value: 1 },
        { labels: { url: A, result: 'failure' }, value: 1 },
        { labels: { url: A }, value: 0.5 },
      ],
    );
    sets.stop();
  });
});
