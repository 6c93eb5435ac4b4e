import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TicketKeyRing, allocateTicketKeys } from '../../../src/core/ticket-key-ring.ts';
import { TicketKeyRings } from '../../../src/worker/ticket-key-rings.ts';

/** The memories of these listeners as a message brings them: each time another object on the same memory. */
function memories(of: Readonly<Record<string, SharedArrayBuffer>>): Map<string, SharedArrayBuffer> {
  return structuredClone(new Map(Object.entries(of)));
}

describe("the rings of a worker's listeners", () => {
  it('are the same in all generations, and show the keys that the primary sets later', () => {
    const web = allocateTicketKeys();
    const rings = new TicketKeyRings(memories({ web }));
    const ring = rings.of('web');
    rings.prepare(memories({ web, new: allocateTicketKeys() }));
    assert.equal(rings.of('web'), ring);
    rings.commit();
    assert.equal(rings.of('web'), ring);
    new TicketKeyRing(web).replace([Buffer.alloc(80, 1)]);
    assert.deepEqual(ring.keys, [Buffer.alloc(80, 1)]);
  });

  it('are found for a prepared generation before its commit', () => {
    const rings = new TicketKeyRings(memories({ web: allocateTicketKeys() }));
    assert.throws(() => rings.of('new'), /listener "new" has no ticket keys/);
    rings.prepare(memories({ new: allocateTicketKeys() }));
    assert.deepEqual(rings.of('new').keys, []);
    assert.deepEqual(rings.of('web').keys, []);
    rings.commit();
    assert.throws(() => rings.of('web'), /listener "web" has no ticket keys/);
  });

  it('are dropped for an abandoned generation by the next one', () => {
    const rings = new TicketKeyRings(memories({}));
    rings.prepare(memories({ new: allocateTicketKeys() }));
    const given = allocateTicketKeys();
    new TicketKeyRing(given).replace([Buffer.alloc(80, 2)]);
    rings.prepare(memories({ new: given }));
    assert.deepEqual(rings.of('new').keys, [Buffer.alloc(80, 2)]);
  });
});
