/** Heap snapshots of every thread, before and after reloads of a large configuration. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { eventually } from '../support/deadline.ts';
import { classesOf, grownClasses } from '../support/large/heap-classes.ts';
import { LargeRig } from '../support/large/large-rig.ts';

const RELOADS = 10;
const WRITER = resolve(import.meta.dirname, '../support/large/heap-writer.ts');
/** The primary, and a worker of layer 7: no listener of layer 4 needs one. */
const THREADS = 2;
/** One generation more would double the routes and clusters. */
const FACTOR = 1.2;
/** A generation has 2,000 routes and 1,000 clusters; caches and pools may have a few objects more. */
const SLACK = 300;

describe('a large configuration after reloads', { timeout: 300_000 }, () => {
  let rig: LargeRig;
  const directory = mkdtempSync(join(tmpdir(), 'sluice-test-heap-'));
  const request = join(directory, 'heap');

  before(async () => {
    const env = {
      NODE_OPTIONS: `--import ${WRITER}`,
      HEAP_REQUEST: request,
      SLUICE_WORKERS_STUCK_AFTER: '2m',
    };
    rig = await LargeRig.start({ workers: 1 }, env);
  });
  after(async () => {
    await rig.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  it('is in the heap of each thread once', async (t) => {
    // The first reload allocates memory that later reloads do not.
    await rig.reload();
    const old = await heaps('before');
    for (let count = 0; count < RELOADS; count++) await rig.reload();
    await rig.assertInForce();
    const current = await heaps('after');
    for (const [thread, classes] of current) {
      const objects = [...classes.values()].reduce((sum, count) => sum + count, 0);
      t.diagnostic(`thread ${thread}: ${objects} objects of ${classes.size} classes`);
      assert.deepEqual(grownClasses(old.get(thread)!, classes, FACTOR, SLACK), [], `thread ${thread}`);
    }
  });

  /** Has every thread write its heap, and counts what is in it, by thread. */
  async function heaps(name: string): Promise<Map<string, Map<string, number>>> {
    writeFileSync(request, name);
    const prefix = `heap.${name}.`;
    const files = await eventually(() => {
      const found = readdirSync(directory).filter(
        (file) => file.startsWith(prefix) && !file.endsWith('.part'),
      );
      assert.ok(found.length >= THREADS, `${found.length} of ${THREADS} threads have written their heap`);
      return found;
    });
    return new Map(
      files.map((file) => {
        assert.ok(statSync(join(directory, file)).size > 0);
        return [file.slice(prefix.length), classesOf(join(directory, file))];
      }),
    );
  }
});
