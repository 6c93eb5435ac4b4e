/** The dashboard is what the script makes, Grafana can show it, and its queries ask for what the source has. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { dashboardText } from '../../../scripts/dashboard.ts';
import { filled, panelsOf, readDashboard } from '../../support/prometheus/dashboard.ts';
import { KnownMetrics } from '../../support/prometheus/known-metrics.ts';

const { text, dashboard } = readDashboard();
const panels = panelsOf(dashboard);

describe('the dashboard for Grafana', () => {
  it('is current: npm run docs:dashboard writes it', async () => {
    assert.equal(text, await dashboardText());
  });

  it('has panels with unique ids, a title and a description', () => {
    assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length);
    for (const { type, title, description, targets } of panels) {
      assert.ok(title.length > 0);
      if (type === 'row') continue;
      assert.ok((description ?? '').length > 0, title);
      const ids = (targets ?? []).map(({ refId }) => refId);
      assert.ok(ids.length > 0 && new Set(ids).size === ids.length, title);
    }
    const titles = panels.map(({ title }) => title);
    assert.equal(new Set(titles).size, titles.length);
  });

  it('has no overlapping panels, and none outside the grid', () => {
    for (const { title, gridPos: a } of panels) {
      assert.ok(a.x >= 0 && a.x + a.w <= 24 && a.h > 0, title);
      for (const { title: other, gridPos: b } of panels) {
        if (other === title) continue;
        const isApart = a.x + a.w <= b.x || b.x + b.w <= a.x || a.y + a.h <= b.y || b.y + b.h <= a.y;
        assert.ok(isApart, `${title} and ${other} overlap`);
      }
    }
  });

  it('can be turned to a data source, an instance, a listener and a cluster', () => {
    assert.ok(dashboard.schemaVersion >= 39, 'Grafana 11');
    assert.deepEqual(
      dashboard.templating.list.map(({ name, type }) => `${name} ${type}`),
      ['datasource datasource', ...['job', 'instance', 'listener', 'cluster'].map((name) => `${name} query`)],
    );
  });

  it('asks for metrics, labels and values that the source has', async () => {
    const known = await KnownMetrics.read();
    const queries = [
      ...panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)),
      ...dashboard.annotations.list.map(({ expr }) => expr),
      ...dashboard.templating.list.flatMap(({ definition }) => {
        const [, series] = /^label_values\((.*), \w+\)$/.exec(definition ?? '') ?? [];
        return series === undefined ? [] : [series];
      }),
    ];
    assert.ok(queries.length > 60);
    for (const query of queries) known.check(filled(query, '5m'));
  });
});
