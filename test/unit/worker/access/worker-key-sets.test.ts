import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { FromWorker } from '../../../../src/protocol/from-worker.ts';
import { WorkerKeySets } from '../../../../src/worker/access/worker-key-sets.ts';

const URL = 'https://id.example.com/keys';

function setup(known: ReadonlyMap<string, string> = new Map()): { sets: WorkerKeySets; said: FromWorker[] } {
  const said: FromWorker[] = [];
  return { sets: new WorkerKeySets(known, (message) => void said.push(message)), said };
}
const hear = (sets: WorkerKeySets, jwks: string | null): void =>
  sets.handle({ type: 'key_set', url: URL, jwks });

describe('the key sets of a worker', () => {
  it('are those known at its start, and those received later', () => {
    const { sets } = setup(new Map([[URL, 'one']]));
    assert.equal(sets.of(URL)?.jwks, 'one');
    assert.equal(sets.of('https://other/'), null);
    hear(sets, 'two');
    assert.equal(sets.of(URL)?.jwks, 'two');
  });

  it('stay the same objects while their texts are the same', () => {
    const { sets } = setup(new Map([[URL, 'one']]));
    const first = sets.of(URL);
    hear(sets, 'one');
    hear(sets, null);
    assert.equal(sets.of(URL), first);
    hear(sets, 'two');
    assert.notEqual(sets.of(URL), first);
  });

  it('are requested once for all waiting callers, and each gets the answer once', () => {
    const { sets, said } = setup();
    const calls: string[] = [];
    sets.refresh(URL, () => void calls.push('a'));
    sets.refresh(URL, () => void calls.push('b'));
    assert.deepEqual(said, [{ type: 'key_set_wanted', url: URL }]);
    hear(sets, 'one');
    hear(sets, 'two');
    assert.deepEqual(calls, ['a', 'b']);
    sets.refresh(URL, () => void calls.push('c'));
    assert.equal(said.length, 2);
  });

  it('are not reported to callers that cancelled', () => {
    const { sets } = setup();
    const calls: string[] = [];
    const giveUp = sets.refresh(URL, () => void calls.push('a'));
    sets.refresh(URL, () => {
      calls.push('b');
      giveUpLast();
    });
    const giveUpLast = sets.refresh(URL, () => void calls.push('c'));
    giveUp();
    hear(sets, null);
    assert.deepEqual(calls, ['b']);
  });
});
