import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { LimitSettings } from '../../../../../src/config/types/limits.ts';
import { errorsOf, l7, l7Of, load } from '../../load.ts';

function read(rates: string): LimitSettings {
  return l7Of(load(l7(`limits: [{ key: address, ${rates} }]`))).limits[0]!;
}

function error(rates: string): string {
  return (errorsOf(l7(`limits: [{ key: address, ${rates} }]`))[0] ?? '').replace(/^5:\d+: /, '');
}

describe('the rates of a limit', () => {
  it('are events and bytes per second', () => {
    const { handshakes, requests, messages, bytes } = read(
      'handshakes: 600/m, requests: 36/h, messages: 7.5/s, bytes: 1MiB/s',
    );
    assert.deepEqual(handshakes, { perSecond: 10, burst: 10 });
    assert.deepEqual(requests, { perSecond: 0.01, burst: 1 });
    assert.deepEqual(messages, { perSecond: 7.5, burst: 8 });
    assert.deepEqual(bytes, { perSecond: 1_048_576, burst: 1_048_576 });
  });

  it('have a common burst if there is one rate', () => {
    assert.deepEqual(read('handshakes: 10/s, burst: 50').handshakes, { perSecond: 10, burst: 50 });
    assert.deepEqual(read('bytes: 1KiB/s, burst: 1MiB').bytes, { perSecond: 1024, burst: 1_048_576 });
    assert.deepEqual(read('connections: 5, requests: { rate: 1/s }, burst: 3').requests, {
      perSecond: 1,
      burst: 3,
    });
    assert.equal(
      error('handshakes: 1/s, requests: 1/s, burst: 5'),
      'burst: a burst belongs to one rate, and there are handshakes, requests: write each as { rate, burst }',
    );
    assert.match(
      error('connections: 1, burst: 5'),
      /burst: a burst belongs to a rate, and there is none: write handshakes/,
    );
    assert.match(
      error('requests: { rate: 1/s, burst: 2 }, burst: 5'),
      /burst: the burst is given twice: keep this one, or the one of requests/,
    );
  });

  it('have their own bursts', () => {
    const { handshakes, bytes } = read(
      'handshakes: { rate: 10/s, burst: 50 }, bytes: { rate: 1MiB/s, burst: 4MiB }',
    );
    assert.deepEqual(handshakes, { perSecond: 10, burst: 50 });
    assert.deepEqual(bytes, { perSecond: 1_048_576, burst: 4_194_304 });
    assert.match(error('requests: { burst: 5 }'), /"requests" needs "rate"/);
    assert.match(
      error('requests: { rat: 1/s, rate: 1/s }'),
      /unknown key "rat" in "requests": did you mean "rate"/,
    );
  });

  it('have bounds', () => {
    assert.match(error('requests: 0/s'), /requests: 0\/s is out of range: write 1\/h to 1000000\/s/);
    assert.match(error('requests: 1000001/s'), /is out of range/);
    assert.match(error('requests: 10'), /10 is not a rate: write a number and a unit, such as 100\/s/);
    assert.match(
      error('bytes: 0'),
      /bytes: 0 is not a rate of bytes: write a size and "\/s", such as 1MiB\/s/,
    );
    assert.match(error('bytes: 0B/s'), /0B\/s is out of range: write 1B\/s to/);
    assert.match(error('bytes: 1MiB'), /"1MiB" is not a rate of bytes/);
    assert.match(error('requests: 1/s, burst: 0'), /burst: 0 is out of range/);
    assert.match(error('requests: 1/s, burst: 1.5'), /burst: 1.5 is not a whole number/);
    assert.match(error('requests: 1/s, burst: 1MiB'), /burst: "1MiB" is not a whole number/);
  });

  it('refill a burst within 8 hours', () => {
    assert.deepEqual(read('requests: 1/h, burst: 8').requests?.burst, 8);
    assert.equal(
      error('requests: 1/h, burst: 9'),
      'burst: a used burst would take 9h to refill, and at most 8h is counted: lower it, or raise the rate',
    );
    assert.match(error('bytes: { rate: 1KiB/s, burst: 1GiB }'), /burst: a used burst would take/);
  });
});
