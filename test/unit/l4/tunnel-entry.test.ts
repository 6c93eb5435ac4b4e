import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { openEntry } from '../../../src/l4/tunnel-entry.ts';
import type { TunnelContext } from '../../../src/l4/tunnel.ts';
import { ACCESS, EVENT } from '../../../src/telemetry/journal/journal.ts';
import { entryFactsOf } from '../../../src/transport/entry.ts';
import { NO_JOURNAL, journalOf } from '../../support/journals.ts';

const END = { reason: 'reset', seconds: 1, bytesUpstream: 2, bytesDownstream: 3 };

/** Opens and closes a tunnel while a journal has some sinks in use, and returns what the journal was told. */
function toldWith(sinks: number, reason = END.reason): readonly unknown[] {
  const told: { msg: string }[] = [];
  const journal = sinks === 0 ? NO_JOURNAL : journalOf(told, sinks);
  const context = { journal, config: { name: 'tcp' }, cluster: { name: 'db' } } as unknown as TunnelContext;
  openEntry(context, entryFactsOf('192.0.2.1'), '127.0.0.1:5432', 0)?.closed({ ...END, reason });
  return told.map((line) => ({ ...line, tunnelId: undefined }));
}

const PLACE = { listener: 'tcp', cluster: 'db', endpoint: '127.0.0.1:5432', client: '192.0.2.1' };
const UNKNOWN = { peer: undefined, serverName: undefined, vpcEndpointId: undefined, tunnelId: undefined };

describe('the journal records a tunnel', () => {
  it('at its start and its end with an access log', () => {
    assert.deepEqual(toldWith(ACCESS), [
      { ...PLACE, ...UNKNOWN, msg: 'tunnel opened' },
      { ...PLACE, ...UNKNOWN, ...END, msg: 'tunnel closed' },
    ]);
  });

  it('only at its end without an access log', () => {
    assert.deepEqual(toldWith(EVENT), [{ ...PLACE, ...UNKNOWN, ...END, msg: 'tunnel closed' }]);
  });

  it('never without a sink', () => {
    assert.deepEqual(toldWith(0), []);
  });
});
