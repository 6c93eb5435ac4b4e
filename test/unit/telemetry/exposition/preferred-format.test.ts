import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { preferredFormat } from '../../../../src/telemetry/exposition/preferred-format.ts';

/** The Accept header of Prometheus 2.53. */
const PROMETHEUS =
  'application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,' +
  'text/plain;version=0.0.4;q=0.3,*/*;q=0.2';

describe('an exposition', () => {
  it('is in the format that the Accept header prefers', () => {
    const formats: readonly (readonly [string, string])[] = [
      ['', 'text'],
      ['*/*', 'text'],
      ['text/html,application/xhtml+xml,*/*;q=0.8', 'text'],
      [PROMETHEUS, 'openMetrics'],
      ['Application/OpenMetrics-Text', 'openMetrics'],
      ['application/openmetrics-text;q=0', 'text'],
      ['application/openmetrics-text;q=0.2, text/plain;q=0.9', 'text'],
      ['application/openmetrics-text;q=nonsense', 'text'],
    ];
    for (const [accept, expected] of formats) {
      assert.equal(preferredFormat(accept), expected, accept);
    }
  });
});
