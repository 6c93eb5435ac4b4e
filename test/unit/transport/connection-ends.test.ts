import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { endsOfDescriptor, endsOfSocket, forwardedEnds } from '../../../src/transport/connection-ends.ts';

const SOURCE = { address: '192.0.2.7', port: 40_000 };
const DESTINATION = { address: '198.51.100.1', port: 443 };
const OWN = { source: SOURCE, destination: DESTINATION };
const NOBODY = { source: null, destination: null };
const TOLD = {
  source: { address: '2001:db8::7', port: 1 },
  destination: { address: '2001:db8::1', port: 2 },
  serverName: 'told.example',
  vpcEndpointId: null,
};

describe('the forwarded ends of a connection', () => {
  it('come from a PROXY header without asking the socket', () => {
    const ends = forwardedEnds({ address: '2001:db8::7', proxy: TOLD }, null, () => assert.fail('asked'));
    assert.deepEqual(ends, {
      source: TOLD.source,
      destination: TOLD.destination,
      serverName: 'told.example',
    });
  });

  it("prefer TLS's server name to a PROXY header's", () => {
    const facts = { address: '2001:db8::7', proxy: TOLD };
    assert.equal(forwardedEnds(facts, 'own.example', () => OWN).serverName, 'own.example');
  });

  it('are the connection’s own without a header, or after one without addresses', () => {
    const nameless = { ...TOLD, source: null, destination: null };
    for (const proxy of [null, nameless]) {
      const { source, destination } = forwardedEnds({ address: '192.0.2.7', proxy }, null, () => OWN);
      assert.deepEqual({ source, destination }, OWN);
    }
  });

  it('keep the client’s address after it left', () => {
    const ends = forwardedEnds({ address: '192.0.2.7', proxy: null }, null, () => NOBODY);
    assert.deepEqual(ends.source, { address: '192.0.2.7', port: 0 });
    assert.deepEqual(ends.destination, { address: '', port: 0 });
  });
});

describe('the ends of a socket', () => {
  it('are plain IPv4 addresses on a dual-stack socket', () => {
    const ends = endsOfDescriptor(
      {
        remoteEnd: () => ({ address: '::ffff:192.0.2.7', port: 40_000 }),
        localEnd: () => ({ address: '198.51.100.1', port: 443 }),
      },
      7,
    );
    assert.deepEqual(ends, OWN);
    const socket = {
      remoteAddress: '::ffff:192.0.2.7',
      remotePort: 40_000,
      localAddress: '::ffff:198.51.100.1',
      localPort: 443,
    };
    assert.deepEqual(endsOfSocket(socket), OWN);
  });

  it('are unknown after the socket closed', () => {
    assert.deepEqual(endsOfDescriptor({ remoteEnd: () => null, localEnd: () => null }, 7), NOBODY);
    assert.deepEqual(endsOfSocket({}), NOBODY);
  });
});
