import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { warnOfSeries } from '../../../src/cli/series-warning.ts';
import type { Config } from '../../../src/config/types/config.ts';
import { load } from '../config/load.ts';

function configOf(endpoints: number, routes = 1, settings = ''): Config {
  const addresses = Array.from({ length: endpoints }, (_, index) => `{ address: '192.0.2.1:${index + 1}' }`);
  const list = Array.from(
    { length: routes },
    (_, index) => `{ name: r${index}, match: { path: /${index} }, cluster: app }`,
  );
  return load(`${settings}
listeners: [{ name: web, mode: l7, address: ':0', routes: [${list.join(', ')}] }]
clusters: [{ name: app, endpoints: [${addresses.join(', ')}] }]
`).config;
}

describe('the warning about too many series', () => {
  it('is not given for 9,000 endpoints', () => {
    assert.deepEqual(warnOfSeries(configOf(9000)), []);
  });

  it('states the number of series, their sources and the remedy', () => {
    const [warning, ...others] = warnOfSeries(configOf(10_000));
    assert.deepEqual(others, []);
    assert.equal(warning?.place, 'metrics');
    assert.match(
      warning.message,
      /^\/metrics will have up to 110,\d{3} series \(110,000 of endpoints, \d+ of \w+, .*\): set metrics: \{ endpoints: false \} for \d{3}$/,
    );
  });

  it('is not given if endpoint series are off', () => {
    assert.deepEqual(warnOfSeries(configOf(10_000, 1, 'metrics: { endpoints: false }')), []);
  });

  it('suggests fewer routes and clusters if routes cause the series', () => {
    const [warning] = warnOfSeries(configOf(1, 4000, 'metrics: { endpoints: false }'));
    assert.match(
      warning?.message ?? '',
      /\(112,0\d\d of routes, .*\): use fewer routes and clusters, or raise/,
    );
    assert.doesNotMatch(warning?.message ?? '', /of endpoints/);
  });
});
