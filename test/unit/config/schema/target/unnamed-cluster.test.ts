import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { unnamedCluster } from '../../../../../src/config/schema/target/unnamed-cluster.ts';
import { BaseDirectory } from '../../../../../src/config/syntax/files.ts';
import type { Cluster } from '../../../../../src/config/types/cluster.ts';
import { formatAddress, parseAddress } from '../../../../../src/core/address.ts';

/** A valid metric label. */
const LABEL = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,62}$/;
const BASE = new BaseDirectory('/');

function clusterOf(addresses: readonly string[]): Cluster {
  return unnamedCluster(
    addresses.map((address) => parseAddress(address)!),
    BASE,
  );
}

const host = fc.oneof(
  fc.domain(),
  fc.ipV4(),
  fc.ipV6().map((address) => `[${address}]`),
  fc.stringMatching(/^[a-z][a-z_-]{0,60}$/),
);
const address = fc
  .oneof(
    fc.tuple(host, fc.integer({ min: 1, max: 65_535 })).map(([name, port]) => `${name}:${port}`),
    fc.stringMatching(/^[a-z./ -]{1,60}$/).map((path) => `unix:/x${path}`),
  )
  .filter((text) => parseAddress(text) !== undefined && !/^(?:0\.0\.0\.0|\[::\]):/.test(text));
const addresses = fc.uniqueArray(address, { minLength: 1, maxLength: 4 });

describe('the name of an unnamed cluster', () => {
  it('is readable', () => {
    const names = [['10.0.0.1:80'], ['app.internal:8080'], ['10.0.0.2:80', '10.0.0.1:80'], ['[::1]:80']];
    assert.deepEqual(
      names.map((list) => clusterOf(list).name.replace(/[\da-f]{12}$/, 'DIGEST')),
      ['10.0.0.1-80', 'app.internal-8080', '10.0.0.1-80-and-1-more-DIGEST', '1-80-DIGEST'],
    );
  });

  it('is a label of metrics, the same for the same addresses and different for others', () => {
    fc.assert(
      fc.property(addresses, addresses, (one, other) => {
        const [first, second] = [clusterOf(one), clusterOf(other)];
        assert.match(first.name, LABEL);
        assert.deepEqual(clusterOf(one.toReversed()), first);
        const texts = [first, second].map(({ endpoints }) =>
          endpoints.map((endpoint) => formatAddress(endpoint.address)).join(),
        );
        assert.equal(first.name === second.name, texts[0] === texts[1]);
      }),
      { numRuns: 100 },
    );
  });

  it('fits the longest addresses', () => {
    const long = (letter: string): string => `${letter.repeat(60)}.${letter.repeat(60)}:65535`;
    const many = Array.from({ length: 1000 }, (_, index) => `${long('a').slice(0, -5)}${index + 1}`);
    for (const list of [[long('a')], [long('a'), long('b')], many]) assert.match(clusterOf(list).name, LABEL);
  });
});
