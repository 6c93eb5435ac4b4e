import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { FairQueue } from '../../../../src/core/collections/fair-queue.ts';

interface Entry {
  readonly source: string;
}

/** A model of the queue with plain lists: sources in the order of their turns. */
class Model {
  lists: { source: string; entries: Entry[] }[] = [];

  push(entry: Entry): void {
    const list = this.lists.find(({ source }) => source === entry.source);
    if (list === undefined) this.lists.push({ source: entry.source, entries: [entry] });
    else list.entries.push(entry);
  }

  delete(entry: Entry): void {
    for (const list of this.lists) list.entries = list.entries.filter((other) => other !== entry);
    this.lists = this.lists.filter(({ entries }) => entries.length > 0);
  }

  shift(): Entry | null {
    const list = this.lists.shift();
    const entry = list?.entries.shift() ?? null;
    if (list !== undefined && list.entries.length > 0) this.lists.push(list);
    return entry;
  }

  countOf(source: string): number {
    return this.lists.find((list) => list.source === source)?.entries.length ?? 0;
  }
}

describe('a fair queue', () => {
  it('gives every source its turn and evicts from the largest, like plain lists', () => {
    const source = fc.constantFrom('a', 'b', 'c', 'd');
    const step = fc.oneof(
      fc.tuple(fc.constant('push' as const), source),
      fc.tuple(fc.constant('shift' as const), source),
      fc.tuple(fc.constant('delete' as const), source),
      fc.tuple(fc.constant('displace' as const), source),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const line = new FairQueue<Entry>();
        const model = new Model();
        for (const [what, name] of steps) {
          if (what === 'push') {
            const entry = { source: name };
            line.push(entry);
            model.push(entry);
          } else if (what === 'shift') {
            assert.equal(line.shift(), model.shift());
          } else if (what === 'delete') {
            const entry = model.lists.find((list) => list.source === name)?.entries.at(-1) ?? {
              source: name,
            };
            line.delete(entry);
            model.delete(entry);
          } else {
            const most = Math.max(0, ...model.lists.map(({ entries }) => entries.length));
            const displaced = line.evictFor(name);
            assert.equal(displaced !== null, most > model.countOf(name) + 1);
            if (displaced !== null) {
              const { entries } = model.lists.find((list) => list.source === displaced.source)!;
              assert.equal(entries.length, most);
              assert.equal(displaced, entries[0]);
              model.delete(displaced);
            }
          }
          assert.equal(
            line.size,
            model.lists.reduce((sum, { entries }) => sum + entries.length, 0),
          );
        }
      }),
    );
  });
});
