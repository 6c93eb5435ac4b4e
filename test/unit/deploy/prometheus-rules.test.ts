/** The rules for Prometheus ask for what the source has, and each alert says what to do and is tested. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, it } from 'node:test';
import { KnownMetrics } from '../../support/prometheus/known-metrics.ts';
import { readQuery } from '../../support/prometheus/promql.ts';
import { readRuleTests, readRules } from '../../support/prometheus/rules.ts';

const recording = readRules('recording.yaml');
const alerts = readRules('alerts.yaml');
const tests = readRuleTests();

async function knownMetrics(): Promise<KnownMetrics> {
  const known = await KnownMetrics.read();
  for (const { record, expr } of recording) known.record(record!, expr);
  return known;
}

describe('a query', () => {
  it('is refused if it uses a metric that the source does not have', async () => {
    const known = await knownMetrics();
    for (const [query, complaint] of [
      ['rate(sluice_nothing_total[5m])', /no metric sluice_nothing_total/],
      ['sum(sluice_worker_up{listener="a"})', /no label listener/],
      ['sum by (route) (sluice_worker_up)', /has route/],
      ['rate(sluice_ws_sessions_shed_total{reason=~"downstream|nothing"}[5m])', /no reason nothing/],
      ['rate(sluice_ws_sessions_shed_total{reason=~"x.*"}[5m])', /no reason like x/],
      ['sluice:nothing:rate5m', /no metric sluice:nothing:rate5m/],
    ] as const) {
      assert.throws(() => known.check(query), complaint);
    }
  });

  it('is read with all its metrics and labels', () => {
    const query = `histogram_quantile(0.99, sum by (le, job) (rate(a_bucket{b=~"c|d", e!="{}"}[5m])))
      / on (job) group_left (f) (g unless h{i="by"} offset 5m > bool 1e3) # of j`;
    const { selectors, labels } = readQuery(query);
    assert.deepEqual(
      selectors.map(({ metric }) => metric),
      ['a_bucket', 'g', 'h'],
    );
    assert.deepEqual(
      selectors.flatMap(({ matchers }) =>
        matchers.map(({ label, operator, value }) => label + operator + value),
      ),
      ['b=~c|d', 'e!={}', 'i=by'],
    );
    assert.deepEqual(labels, ['le', 'job', 'job', 'f']);
  });
});

describe('the rules for Prometheus', () => {
  it('ask for metrics, labels and values that the source has', async () => {
    const known = await knownMetrics();
    for (const { expr } of alerts) known.check(expr);
  });

  it('have unique names', () => {
    for (const { record } of recording) assert.match(record!, /^sluice:[a-z0-9_]+:[a-z0-9_]+$/);
    for (const { alert } of alerts) assert.match(alert!, /^Sluice[A-Z][A-Za-z]+$/);
    const names = [...recording, ...alerts].map(({ record, alert }) => record ?? alert);
    assert.equal(new Set(names).size, names.length);
  });

  it('give each alert a severity, a summary and a remedy, also in docs/operations/alerts.md', () => {
    const page = readFileSync(
      join(resolve(import.meta.dirname, '../../..'), 'docs/operations/alerts.md'),
      'utf8',
    );
    const headings = [...page.matchAll(/^### (\w+)$/gm)].map(([, name]) => name!);
    for (const { alert, labels, annotations } of alerts) {
      assert.ok(['info', 'warning', 'critical'].includes(labels!.severity!), alert);
      const { summary, description, runbook, ...others } = annotations!;
      assert.deepEqual(others, {}, alert);
      assert.ok(summary!.length > 20 && summary!.length <= 160, alert);
      assert.ok(description!.length > 30, alert);
      assert.equal(runbook, `docs/operations/alerts.md#${alert!.toLowerCase()}`);
    }
    assert.deepEqual(
      headings,
      alerts.map(({ alert }) => alert),
    );
  });

  it('have a test of each alert, with one instance that fires and one that does not', () => {
    assert.deepEqual(tests.map(({ name }) => name).toSorted(), alerts.map(({ alert }) => alert).toSorted());
    for (const { name, input_series: series, promql_expr_test: expectations } of tests) {
      for (const { expr } of expectations) {
        assert.equal(expr, `ALERTS{alertname="${name}",alertstate="firing"}`);
      }
      const expected = expectations.map(({ exp_samples: samples }) => samples);
      if (name === 'SluiceAbsent') {
        assert.deepEqual(
          expected.map(({ length }) => length),
          [0, 1],
        );
        continue;
      }
      assert.equal(expected.length, 1, name);
      assert.deepEqual(
        expected[0]!.map(({ labels }) => /instance="(\w+)"/.exec(labels)?.[1]),
        ['bad'],
        name,
      );
      assert.ok(
        series.some((one) => one.series.includes('instance="good"')),
        name,
      );
    }
  });
});
