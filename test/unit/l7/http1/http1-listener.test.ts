import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { L7Listener } from '../../../../src/config/types/listener.ts';
import { TicketKeyRing } from '../../../../src/core/ticket-key-ring.ts';
import type { ListenerOwner } from '../../../../src/l7/contract/engine.ts';
import { Http1Listener, type Http1Terms } from '../../../../src/l7/http1/http1-listener.ts';
import type { ClientTransport } from '../../../../src/transport/client-transport.ts';
import { l7Listener, listenerTls } from '../../primary/fixtures/config.ts';

/** A listener whose transport notes what is made and closed. */
function stage(config: L7Listener): { readonly listener: Http1Listener; readonly log: string[] } {
  const log: string[] = [];
  const transport: ClientTransport = {
    createAcceptor: () => ({
      listen: () => undefined,
      listens: false,
      handOver: () => undefined,
      stop: () => undefined,
      closeArrivals: () => log.push('arrivals closed'),
    }),
    createTls: (listener, { minVersion }) => {
      if (minVersion === '1.3' && log.includes('broken')) throw new Error('bad certificate');
      log.push(`${listener} ${minVersion}`);
      return { close: () => log.push(`closed ${minVersion}`) };
    },
  };
  const terms = { transport, ticketKeys: () => new TicketKeyRing() } as unknown as Http1Terms;
  return { listener: new Http1Listener(config, {} as ListenerOwner, terms), log };
}

const plain: L7Listener = { ...l7Listener, name: 'web', engine: 'raw', tls: null };
const older: L7Listener = { ...plain, tls: listenerTls() };
const newer: L7Listener = { ...plain, tls: { ...listenerTls(), minVersion: '1.3' } };

describe('the TLS of an HTTP/1.x listener', () => {
  it('changes in place, and the old one is closed only then', () => {
    const { listener, log } = stage(older);
    const before = listener.tls;
    assert.equal(listener.fits(newer), true);
    const commit = listener.prepare(newer);
    assert.equal(listener.tls, before);
    assert.deepEqual(log, ['web 1.2', 'web 1.3']);
    commit();
    assert.notEqual(listener.tls, before);
    assert.deepEqual(log.slice(2), ['closed 1.2']);
    listener.prepare(plain)();
    assert.equal(listener.tls, null);
    assert.equal(listener.entry.readsHello, false);
    assert.deepEqual(log.slice(3), ['closed 1.3']);
    listener.prepare(older)();
    assert.equal(listener.entry.readsHello, true);
    assert.deepEqual(log.slice(4), ['web 1.2']);
  });

  it('stays if its settings do not change', () => {
    const { listener, log } = stage(older);
    const before = listener.tls;
    listener.prepare({ ...older, tls: listenerTls(), maxConnections: 7 })();
    assert.equal(listener.tls, before);
    assert.deepEqual(log, ['web 1.2']);
  });

  it('stays if a reload fails, without leftovers', () => {
    const { listener, log } = stage(older);
    listener.prepare(newer);
    // Another listener has failed: nobody calls what was returned.
    listener.prepare(plain);
    assert.deepEqual(log, ['web 1.2', 'web 1.3', 'closed 1.3']);
    log.push('broken');
    assert.throws(() => listener.prepare(newer), /bad certificate/);
    assert.notEqual(listener.tls, null);
  });

  it('is closed with the listener, whether prepared or applied', () => {
    const { listener, log } = stage(older);
    listener.prepare(newer);
    listener.close();
    assert.deepEqual(log.slice(2), ['arrivals closed', 'closed 1.2', 'closed 1.3']);
  });
});
