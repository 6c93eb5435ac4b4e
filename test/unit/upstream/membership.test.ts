import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { membershipOf } from '../../../src/upstream/membership.ts';

describe('the eligible endpoints of a cluster', () => {
  const member = (
    health: 'up' | 'down' | 'ejected' | 'draining',
    priority = 0,
  ): { health: typeof health; priority: number } => ({
    health,
    priority,
  });

  it('are the endpoints that are up, or all that do not drain if too many are down', () => {
    const [up, down, ejected, draining] = [
      member('up'),
      member('down'),
      member('ejected'),
      member('draining'),
    ];
    assert.deepEqual(membershipOf([up, down, draining], 50), { eligible: [up], panic: false });
    assert.deepEqual(membershipOf([up, down, ejected, draining], 50), {
      eligible: [up, down, ejected],
      panic: true,
    });
    assert.deepEqual(membershipOf([up, down, ejected], 0), { eligible: [up], panic: false });
    assert.deepEqual(membershipOf([down], 0), { eligible: [], panic: false });
    assert.deepEqual(membershipOf([draining], 50), { eligible: [], panic: false });
  });

  it('have the lowest priority value of the endpoints that are up', () => {
    const [first, second, third] = [member('down', 1), member('up', 5), member('up', 9)];
    assert.deepEqual(membershipOf([third, first, second], 50), { eligible: [second], panic: false });
  });
});
