/** Families of stats pages whose blocks come and go while a scrape reads them. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FamilyText } from '../../../../src/telemetry/exposition/family-text.ts';
import { ExemplarStore } from '../../../../src/telemetry/exposition/exemplar-store.ts';
import { pageFamilies } from '../../../../src/telemetry/exposition/page-families.ts';
import { pageMetrics } from '../../../../src/telemetry/metrics/page-metrics.ts';
import { pageShapes } from '../../../../src/telemetry/metrics/page-shapes.ts';
import { PageSums } from '../../../../src/telemetry/page-sums.ts';
import { SeriesDirectory } from '../../../../src/telemetry/series-directory.ts';
import { StatsPage, allocatePage } from '../../../../src/telemetry/stats-page.ts';

const DIALS = pageMetrics.endpointDials;

class Rig {
  readonly directory: SeriesDirectory;
  readonly page: Float64Array;
  readonly sums: PageSums;

  constructor(...endpoints: string[]) {
    this.directory = new SeriesDirectory(this.blocks(endpoints));
    const buffer = allocatePage({ size: this.directory.capacity });
    this.page = new Float64Array(buffer);
    this.sums = new PageSums(this.directory, [buffer]);
  }

  blocks(
    endpoints: readonly string[],
  ): { shape: typeof pageShapes.endpoint; labels: Record<string, string> }[] {
    return endpoints.map((endpoint) => ({ shape: pageShapes.endpoint, labels: { cluster: 'c', endpoint } }));
  }

  set(endpoint: string, dials: number): void {
    this.page[this.directory.slot(DIALS, { cluster: 'c', endpoint })] = dials;
  }

  scrape(): Iterator<string> {
    const family = pageFamilies(this.sums, new ExemplarStore()).find(({ metric }) => metric === DIALS)!;
    const text = new FamilyText({ name: 'd', help: 'd', kind: 'counter' }, 'text');
    return family.write(text)[Symbol.iterator]();
  }
}

function rest(lines: Iterator<string>): string[] {
  const all: string[] = [];
  for (let next = lines.next(); next.done !== true; next = lines.next()) all.push(next.value);
  return all;
}

describe('a scrape during which blocks change', () => {
  it('shows blocks that existed at its start and still exist', () => {
    const rig = new Rig('a', 'b', 'c');
    for (const [index, endpoint] of ['a', 'b', 'c'].entries()) rig.set(endpoint, index + 1);
    const lines = rig.scrape();
    assert.equal(lines.next().value, 'd{cluster="c",endpoint="a"} 1\n');
    const [added, removed] = [rig.blocks(['new']), rig.blocks(['a', 'b'])];
    rig.directory.plan({ added, removed }, 1)!.commit();
    rig.directory.release(1);
    assert.deepEqual(rest(lines), ['d{cluster="c",endpoint="c"} 3\n']);
    assert.deepEqual(rest(rig.scrape()).length, 2);
  });

  it('sorts many blocks in steps, and shows those that still exist afterwards', () => {
    const rig = new Rig(...Array.from({ length: 2500 }, (_, index) => `e${index}`));
    rig.set('e1', 1);
    rig.set('e2', 2);
    const lines = rig.scrape();
    assert.deepEqual([lines.next().value, lines.next().value], ['', '']);
    rig.directory.plan({ added: [], removed: rig.blocks(['e1']) }, 1)!.commit();
    rig.directory.release(1);
    assert.deepEqual(
      rest(lines).filter((line) => line !== '' && !line.endsWith(' 0\n')),
      ['d{cluster="c",endpoint="e2"} 2\n'],
    );
  });

  it('never shows a reassigned block under its former owner', () => {
    const rig = new Rig();
    const endpoints = Array.from({ length: 600 }, (_, index) => `e${index}`);
    const labelsOf = (endpoint: string): Record<string, string> => ({ cluster: 'c', endpoint });
    for (const endpoint of endpoints) {
      rig.directory.lend(labelsOf(endpoint), rig.sums);
      rig.set(endpoint, 1);
    }
    const slots = new Map(
      endpoints.map((endpoint) => [rig.directory.slot(DIALS, labelsOf(endpoint)), endpoint]),
    );
    const lines = rig.scrape();
    lines.next();
    for (const endpoint of endpoints) rig.directory.returnBlock(labelsOf(endpoint));
    rig.directory.lend(labelsOf('new'), rig.sums);
    rig.set('new', 77);
    const loser = slots.get(rig.directory.slot(DIALS, labelsOf('new')))!;
    assert.equal(loser, 'e0');
    const second = 'e1';
    rig.directory.lend(labelsOf('newer'), rig.sums);
    assert.equal(slots.get(rig.directory.slot(DIALS, labelsOf('newer'))), second);
    const text = rest(lines).join('');
    assert.ok(!/ 77\n|"e1"/.test(text));
    assert.ok(text.includes(`"e599"`));
  });
});

describe('the exemplars of histograms', () => {
  const METRIC = pageMetrics.handshakeDuration;
  const shape = pageShapes.handshakes;
  const kept = { listener: 'web', cluster: 'kept' };
  const gone = { listener: 'web', cluster: 'gone' };

  function lines(format: 'text' | 'openMetrics', sums: PageSums, exemplarStore: ExemplarStore): string {
    const family = pageFamilies(sums, exemplarStore).find(({ metric }) => metric === METRIC)!;
    return rest(family.write(new FamilyText(METRIC, format))[Symbol.iterator]()).join('');
  }

  function observed(): { directory: SeriesDirectory; sums: PageSums; exemplarStore: ExemplarStore } {
    const directory = new SeriesDirectory([kept, gone].map((labels) => ({ shape, labels })));
    const buffer = allocatePage({ size: directory.capacity });
    const page = new StatsPage(buffer, directory);
    const exemplarStore = new ExemplarStore();
    for (const labels of [kept, gone]) {
      page.histogram(METRIC, labels).observe(0.3);
      exemplarStore.record(METRIC, labels, 0.3, 'c'.repeat(32), 5000);
    }
    return { directory, sums: new PageSums(directory, [buffer]), exemplarStore };
  }

  it('appear only in OpenMetrics, after the bucket of their value', () => {
    const { sums, exemplarStore } = observed();
    const [line] = /^.*cluster="kept",le="0.5"} .*$/m.exec(lines('openMetrics', sums, exemplarStore)) ?? [];
    assert.match(line ?? '', /"} 1 # \{trace_id="c{32}"\} 0\.3 5\.000$/);
    assert.equal(lines('openMetrics', sums, exemplarStore).match(/trace_id/g)?.length, 2);
    assert.doesNotMatch(lines('text', sums, exemplarStore), /trace_id/);
  });

  it('are removed with their series', () => {
    const { directory, sums, exemplarStore } = observed();
    directory.plan({ added: [], removed: [{ shape, labels: gone }] }, 1)!.commit();
    assert.match(lines('openMetrics', sums, exemplarStore), /gone/);
    directory.release(1);
    lines('openMetrics', sums, exemplarStore);
    assert.equal(exemplarStore.of(METRIC, shape.keyOf(gone)), undefined);
    assert.notEqual(exemplarStore.of(METRIC, shape.keyOf(kept)), undefined);
  });
});
