/** docs/reference/metrics.md has every metric, as the source defines it. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, it } from 'node:test';
import { metricsPage } from '../../../scripts/metrics-page.ts';

const PAGE = join(resolve(import.meta.dirname, '../../..'), 'docs/reference/metrics.md');

describe('the page of metrics', () => {
  it('is current: npm run docs:metrics writes it', async () => {
    const page = readFileSync(PAGE, 'utf8');
    assert.equal(page, await metricsPage());
    assert.match(page, /sluice_endpoint_answer_seconds_total/);
  });
});
