import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { secretSourcesOf } from '../../../../src/worker/tap/secret-sources.ts';
import { loadWhole } from '../../config/whole.ts';

describe('the places of credentials', () => {
  it('include all listeners and routes', () => {
    const kinds = Array.from(
      secretSourcesOf(loadWhole().config.listeners),
      ({ kind, name }) => `${kind} ${name}`,
    );
    for (const source of ['header x-token', 'cookie session', 'query token', 'subprotocol bearer']) {
      assert.ok(kinds.includes(source), source);
    }
  });
});
