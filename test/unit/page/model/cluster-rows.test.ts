/** The rows of the cluster table. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { clustersOfFrame, type ClusterFacts } from '../../../../src/page/model/cluster-facts.ts';
import { rowsOf, type Row } from '../../../../src/page/model/cluster-rows.ts';
import { EndpointPaces } from '../../../../src/page/model/endpoint-pace.ts';
import { START_MS, clusterOf, endpointOf, frameOf } from '../../../support/page/frames.ts';

const CHOICE = {
  order: { key: 'attention', isDescending: true },
  filter: '',
  isGrouped: true,
  isOpen: () => undefined,
} as const;

/** Returns two clusters after 20 seconds. Each endpoint has its own mean response time. */
function facts(): readonly ClusterFacts[] {
  const paces = new EndpointPaces();
  const frameAt = (second: number): ReturnType<typeof frameOf> => {
    const endpoint = (address: string, ms: number): ReturnType<typeof endpointOf> =>
      endpointOf(address, { answers: second * 10, answerSeconds: (second * 10 * ms) / 1000 });
    return frameOf({
      at: START_MS + second * 1000,
      uptimeSeconds: second,
      clusters: [
        clusterOf('api', [endpoint('a:1', 10), endpoint('a:2', 12), endpoint('a:3', 90)]),
        clusterOf('chat', [endpoint('c:1', 3), endpointOf('c:2', { state: 'down', reason: 'refused' })]),
      ],
      clusterCount: 2,
    });
  };
  for (let second = 0; second <= 20; second++) paces.add(frameAt(second));
  return clustersOfFrame(frameAt(20), paces);
}

function names(rows: readonly Row[]): string[] {
  return rows.map((row) => (row.kind === 'cluster' ? row.cluster.name : row.endpoint.address));
}

describe("the page's cluster rows", () => {
  it('list each endpoint below its cluster', () => {
    const { rows } = rowsOf(facts(), CHOICE);
    assert.deepEqual(names(rows), ['api', 'a:1', 'a:2', 'a:3', 'chat', 'c:1', 'c:2']);
  });

  it('have the mean time and rate of each endpoint, and mark the slow one', () => {
    const [api, chat] = facts();
    assert.deepEqual(
      api?.endpoints.map(({ mean, rate, isSlow }) => [Math.round(mean! * 1000), rate, isSlow]),
      [
        [10, 10, false],
        [12, 10, false],
        [90, 10, true],
      ],
    );
    assert.deepEqual(
      chat?.endpoints.map(({ mean }) => mean === null),
      [false, true],
    );
  });

  it('mark no endpoint as slow before it has given 30 answers', () => {
    const slowAfter = (answers: number): readonly boolean[] => {
      const endpoints = [3, 3, 90].map((ms, index) =>
        endpointOf(`a:${index}`, { answers, answerSeconds: (answers * ms) / 1000 }),
      );
      const frame = frameOf({ clusters: [clusterOf('api', endpoints)], clusterCount: 1 });
      return clustersOfFrame(frame, new EndpointPaces())[0]!.endpoints.map(({ isSlow }) => isSlow);
    };
    assert.deepEqual(slowAfter(29), [false, false, false]);
    assert.deepEqual(slowAfter(30), [false, false, true]);
  });

  it('compare an endpoint by its recent answers, if there are enough', () => {
    const frameAt = (second: number, recentMs: number): ReturnType<typeof frameOf> => {
      const endpoint = (address: string, ms: number): ReturnType<typeof endpointOf> => {
        const [older, recent] = [1000, second * 10];
        return endpointOf(address, {
          answers: older + recent,
          answerSeconds: (older * 90 + recent * ms) / 1000,
        });
      };
      const endpoints = [endpoint('a:1', 3), endpoint('a:2', 3), endpoint('a:3', recentMs)];
      return frameOf({
        at: START_MS + second * 1000,
        uptimeSeconds: second,
        clusters: [clusterOf('api', endpoints)],
        clusterCount: 1,
      });
    };
    const slow = (seconds: number, recentMs: number): boolean | undefined => {
      const paces = new EndpointPaces();
      for (let second = 0; second <= seconds; second++) paces.add(frameAt(second, recentMs));
      return clustersOfFrame(frameAt(seconds, recentMs), paces)[0]?.endpoints[2]?.isSlow;
    };
    assert.deepEqual([slow(2, 90), slow(3, 90), slow(3, 3)], [false, true, false]);
    // Slow since the start, but fast in the few recent answers, whose mean the page shows.
    const paces = new EndpointPaces();
    const mixed = (second: number): ReturnType<typeof frameOf> => {
      const facts = [3, 3, 90].map((ms, index) =>
        endpointOf(`a:${index}`, {
          answers: 1000 + second,
          answerSeconds: (1000 * ms + second * 3) / 1000,
        }),
      );
      return frameOf({
        at: START_MS + second * 1000,
        uptimeSeconds: second,
        clusters: [clusterOf('api', facts)],
        clusterCount: 1,
      });
    };
    for (let second = 0; second <= 3; second++) paces.add(mixed(second));
    const last = clustersOfFrame(mixed(3), paces)[0]?.endpoints[2];
    assert.deepEqual([last?.isRecent, last?.isSlow], [true, false]);
  });

  it('sort the endpoints of all clusters in either direction, unknown values last', () => {
    const order = { key: 'mean', isDescending: true } as const;
    const { rows } = rowsOf(facts(), { ...CHOICE, order, isGrouped: false });
    assert.deepEqual(names(rows), ['a:3', 'a:2', 'a:1', 'c:1', 'c:2']);
    const rising = rowsOf(facts(), {
      ...CHOICE,
      order: { key: 'mean', isDescending: false },
      isGrouped: false,
    });
    assert.deepEqual(names(rising.rows), ['c:1', 'a:1', 'a:2', 'a:3', 'c:2']);
  });

  it('match all words of the filter, ignoring case', () => {
    const find = (filter: string): string[] => names(rowsOf(facts(), { ...CHOICE, filter }).rows);
    assert.deepEqual(find('DOWN'), ['chat', 'c:2']);
    assert.deepEqual(find('api slow'), ['api', 'a:3']);
    assert.deepEqual(find('chat'), ['chat', 'c:1', 'c:2']);
    assert.deepEqual(find('nothing'), []);
  });

  it('open only clusters that need attention by default, if there are many endpoints', () => {
    const many = Array.from({ length: 60 }, (_, index) => endpointOf(`m:${index}`));
    const bad = clusterOf('bad', [endpointOf('b:1', { state: 'ejected' })]);
    const frame = frameOf({ clusters: [clusterOf('many', many), bad], clusterCount: 2 });
    const clusters = clustersOfFrame(frame, new EndpointPaces());
    assert.deepEqual(names(rowsOf(clusters, CHOICE).rows), ['many', 'bad', 'b:1']);
    const opened = rowsOf(clusters, { ...CHOICE, isOpen: (name) => name === 'many' });
    assert.equal(opened.rows.length, 62);
  });

  it('are limited in number', () => {
    const many = Array.from({ length: 600 }, (_, index) => endpointOf(`m:${index}`));
    const clusters = clustersOfFrame(frameOf({ clusters: [clusterOf('many', many)] }), new EndpointPaces());
    const { rows, omitted } = rowsOf(clusters, { ...CHOICE, isGrouped: false });
    assert.deepEqual([rows.length, rows.length + omitted], [250, 600]);
  });
});
