import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { LiveSet } from '../../../../src/core/collections/live-set.ts';

class Member {
  liveIndex = -1;
  readonly payload = new Array<number>(32).fill(0.5);
}

describe('a live set', () => {
  it('contains what was added and not deleted, like a Set', () => {
    const set = new LiveSet<Member>();
    const model = new Set<Member>();
    const members = Array.from({ length: 40 }, () => new Member());
    // A linear congruential generator, so that a failure can be repeated.
    let seed = 1;
    const random = (below: number): number => {
      seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
      return Math.floor((seed / 2 ** 32) * below);
    };
    for (let step = 0; step < 10_000; step++) {
      const member = members[random(members.length)]!;
      if (random(2) === 0) {
        set.add(member);
        model.add(member);
      } else {
        assert.equal(set.delete(member), model.delete(member));
      }
      assert.equal(set.size, model.size);
      assert.equal(set.has(member), model.has(member));
      if (step % 100 === 0) assert.deepEqual(new Set(set), model);
    }
  });

  it('neither contains nor deletes a member of another set', () => {
    const [one, other] = [new LiveSet<Member>(), new LiveSet<Member>()];
    const [mine, yours] = [new Member(), new Member()];
    one.add(mine);
    other.add(yours);
    assert.deepEqual([one.has(yours), one.delete(yours)], [false, false]);
    assert.deepEqual([[...one], [...other]], [[mine], [yours]]);
  });

  it('visits each member once, even if all are deleted during the iteration', () => {
    const set = new LiveSet<Member>();
    const members = Array.from({ length: 5 }, () => new Member());
    for (const member of members) set.add(member);
    const passed: Member[] = [];
    for (const member of set) {
      passed.push(member);
      for (const each of members) set.delete(each);
    }
    assert.deepEqual(passed, members);
    assert.equal(set.size, 0);
  });

  it('lets the garbage collector free short-lived members early, however old the set is', () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const set = new LiveSet<Member>();
    const live = Array.from({ length: 50 }, () => new Member());
    for (const member of live) set.add(member);
    collect();
    collect();
    const before = oldBytes();
    for (let count = 0; count < 100_000; count++) {
      const place = count % live.length;
      set.delete(live[place]!);
      set.add((live[place] = new Member()));
    }
    // A JavaScript Set makes it grow by 16 MB.
    const growth = oldBytes() - before;
    assert.ok(growth < 1024 * 1024, `the old generation grew by ${growth} bytes`);
  });
});

function oldBytes(): number {
  return getHeapSpaceStatistics().find(({ space_name: name }) => name === 'old_space')!.space_used_size;
}
