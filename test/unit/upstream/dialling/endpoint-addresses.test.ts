import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Address } from '../../../../src/core/address.ts';
import { EndpointAddresses } from '../../../../src/upstream/dialling/endpoint-addresses.ts';

describe('the socket addresses of endpoints', () => {
  it('are made once, for UNIX sockets too', () => {
    const addresses = new EndpointAddresses();
    const known: Address[] = [
      { kind: 'tcp', host: '127.0.0.1', port: 80 },
      { kind: 'tcp', host: '::1', port: 80 },
      { kind: 'unix', path: '/run/app' },
    ];
    assert.deepEqual(
      known.map((address) => addresses.of(address).text),
      ['127.0.0.1:80', '[::1]:80', 'unix:/run/app'],
    );
    for (const address of known) assert.equal(addresses.of(address), addresses.of(address));
  });

  it('are never made from host names, which must be resolved first', () => {
    const address: Address = { kind: 'tcp', host: 'app.internal', port: 80 };
    assert.throws(() => new EndpointAddresses().of(address), RangeError);
  });
});
