import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FailureReports } from '../../../../src/upstream/attempts/failure-reports.ts';
import type { Endpoint } from '../../../../src/upstream/endpoint.ts';

/** Only its identity matters. */
const ENDPOINT = {} as unknown as Endpoint;

describe('failure reports', () => {
  it('name nearly every client that fails in a burst, even if one is always first', () => {
    let now = 0;
    const reports = new FailureReports(() => now);
    for (; now < 60_000; now += 1000) {
      const named = new Set<number>();
      for (let wave = 0; wave < 20; wave++) {
        now += 25;
        for (let client = 0; client < 6; client++) {
          if (reports.take(ENDPOINT, '5xx', `192.0.2.${client}`) > 0) named.add(client);
        }
      }
      assert.ok(named.size >= 5, `${named.size} clients at ${now} ms`);
    }
  });

  it('are limited for one client and for many, and count the suppressed failures', () => {
    for (const clients of [1, 250]) {
      let now = 0;
      const reports = new FailureReports(() => now);
      let [sent, counted] = [0, 0];
      for (let failure = 0; failure < 10_000; failure++) {
        now += 1;
        const count = reports.take(ENDPOINT, 'reset', `192.0.2.${failure % clients}`);
        if (count > 0) sent++;
        counted += count;
      }
      assert.ok(sent >= 100 && sent <= 240, `${sent} reports for ${clients} clients`);
      assert.ok(counted > 9700 && counted <= 10_000, `${counted} failures for ${clients} clients`);
    }
  });
});
