import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { l7, routes, warningsOf } from '../load.ts';

/** Address of the listener of {@link l7}. */
const OWN = '127.0.0.1:8080';

describe('a listener that leads to itself', () => {
  it('causes a warning at the endpoints', () => {
    const fault =
      'has the endpoint 127.0.0.1:8080, which is the listener "web" itself, so nothing arrives: write the address of the application';
    const [, warning] = warningsOf(routes(`{ match: /a, to: [3000, '${OWN}'] }`));
    assert.equal(warning, `6:22: the cluster "web-a" ${fault}`);
    assert.deepEqual(warningsOf(l7().replace('127.0.0.1:9001', OWN)), [`5:14: the cluster "app" ${fault}`]);
    const tunnel = `listeners: [{ name: web, mode: l4, address: '${OWN}', passthrough: { serverName: a.b, to: 8080 } }]\n`;
    assert.match(
      warningsOf(tunnel).join('\n'),
      /^1:\d+: the cluster "web-a\.b" has the endpoint 127\.0\.0\.1:8080/,
    );
  });

  it('is not one that leads to another listener, or to the same port of another machine', () => {
    const two = `listeners:
  - { name: a, mode: l4, address: ':8443', passthrough: { serverName: a.b, to: 8080 } }
  - { name: b, address: ':8080', to: '10.0.0.1:8080' }
`;
    assert.deepEqual(warningsOf(two), []);
  });
});
