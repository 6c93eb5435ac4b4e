import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ConnectionStats } from '../../../src/telemetry/connection-stats.ts';
import type { ConnectionRefusal } from '../../../src/telemetry/journal/entries.ts';
import type { Logger } from '../../../src/telemetry/logger.ts';
import type { EntryRejection } from '../../../src/transport/entry.ts';
import { RejectedConnections } from '../../../src/transport/rejected-connections.ts';
import { NO_JOURNAL } from '../../support/journals.ts';

const REJECTION: EntryRejection = {
  reason: 'access',
  detail: 'the address is not allowed',
  peer: '192.0.2.1',
  seconds: null,
};

function refusalsOf(rejection: EntryRejection): readonly ConnectionRefusal[] {
  const told: ConnectionRefusal[] = [];
  const stats = { rejected: () => undefined } as unknown as ConnectionStats;
  const log = { isLevelEnabled: () => false } as unknown as Logger;
  const journal = { ...NO_JOURNAL, connectionRefused: (refusal: ConnectionRefusal) => told.push(refusal) };
  new RejectedConnections('web', stats, log, journal).add(rejection);
  return told;
}

describe('the journal records a rejected connection', () => {
  it('with the client of its PROXY header, or its peer', () => {
    const { reason, detail } = REJECTION;
    const refusal = { kind: 'connection', listener: 'web', reason, detail };
    assert.deepEqual(refusalsOf(REJECTION), [{ ...refusal, client: '192.0.2.1' }]);
    const named = { ...REJECTION, address: '198.51.100.7' };
    assert.deepEqual(refusalsOf(named), [{ ...refusal, client: '198.51.100.7' }]);
    assert.deepEqual(refusalsOf({ ...REJECTION, peer: '' }), [{ ...refusal, client: undefined }]);
  });

  it('unless its client simply left', () => {
    assert.deepEqual(refusalsOf({ ...REJECTION, reason: 'hello_ended' }), []);
  });
});
