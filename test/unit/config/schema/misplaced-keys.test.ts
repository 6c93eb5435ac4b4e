/** A key at the wrong place gets an error that shows the right one. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MINIMAL, cluster, errorsOf, l7, routes } from '../load.ts';

/** Checks the remedy of each unknown key. */
function check(textOf: (key: string) => string, remedies: Readonly<Record<string, string>>): void {
  for (const [key, remedy] of Object.entries(remedies)) {
    const errors = errorsOf(textOf(key)).filter((error) => error.includes(`unknown key "${key}"`));
    assert.equal(errors.length, 1, key);
    assert.ok(errors[0]!.endsWith(`: ${remedy}`), errors[0]);
  }
}

describe('a misplaced key', () => {
  it('in a listener of mode l7 is one of a section or a route', () => {
    check((key) => l7(`${key}: 1`), {
      forwardAuth: 'write access: { forwardAuth: ... }',
      jwt: 'write access: { jwt: ... }',
      basic: 'write access: { basic: ... }',
      origins: 'write access: { origins: ... }',
      clientCertificates: 'write tls: { clientCertificates: ... }',
      maxMessageSize: 'write websocket: { maxMessageSize: ... }',
      maxBodySize: 'write http: { maxBodySize: ... }',
      handshakeTimeout: 'write tls: { handshakeTimeout: ... }, or websocket: { handshakeTimeout: ... }',
      static: 'write routes: [{ static: ... }]',
      match: 'write routes: [{ match: ... }]',
      respond: 'write routes: [{ respond: ... }]',
      redirect: 'write routes: [{ redirect: ... }]',
      rewrite: 'write routes: [{ rewrite: ... }]',
      pathPrefix: 'write routes: [{ match: { pathPrefix: ... } }]',
      sticky: 'write to: { sticky: ..., endpoints: ... }',
      balancer: 'write to: { balancer: ..., endpoints: ... }',
      healthCheck: 'write to: { healthCheck: ..., endpoints: ... }',
      endpoints: 'write to: { endpoints: ... }',
    });
  });

  it('in a listener of mode l4 is one of access or a cluster', () => {
    check((key) => MINIMAL.replace('mode: l4', `mode: l4, ${key}: 1`), {
      deny: 'write access: { deny: ... }',
      balancer: 'write to: { balancer: ..., endpoints: ... }',
    });
  });

  it('in a route is one of a section, the listener or a cluster', () => {
    check((key) => routes(`{ match: {}, cluster: app, ${key}: 1 }`), {
      pathPrefix: 'write match: { pathPrefix: ... }',
      path: 'write match: { path: ... }, or rewrite: { path: ... }',
      jwt: 'write access: { jwt: ... }',
      body: 'write respond: { body: ... }',
      status: 'write respond: { status: ... }, or redirect: { status: ... }',
      websocket: 'write websocket: ... in the listener, beside "routes"',
      tls: 'write tls: ... in the listener, beside "routes", or to: { tls: ..., endpoints: ... }',
      sticky: 'write to: { sticky: ..., endpoints: ... }',
      endpoints: 'write to: { endpoints: ... }',
    });
  });

  it('in a cluster is one of a section or an endpoint', () => {
    check((key) => cluster(`${key}: 1`), {
      interval: 'write healthCheck: { interval: ... }',
      cookie: 'write sticky: { cookie: ... }',
      verify: 'write tls: { verify: ... }',
      address: 'write endpoints: [{ address: ... }]',
    });
  });

  it('of access is one of a method', () => {
    check((key) => l7(`access: { ${key}: 1 }`), {
      issuer: 'write jwt: { issuer: ... }',
      url: 'write forwardAuth: { url: ... }',
    });
  });

  it('in the root is one of a group, a listener, a route or a cluster', () => {
    check((key) => `${MINIMAL}${key}: 1\n`, {
      accessLog: 'write log: { access: ... }',
      level: 'write log: { level: ... }',
      routes: 'write listeners: [{ routes: ... }]',
      to: 'write listeners: [{ to: ... }]',
      tls: 'write listeners: [{ tls: ... }], or clusters: [{ tls: ... }]',
      static: 'write listeners: [{ routes: [{ static: ... }] }]',
      healthCheck: 'write clusters: [{ healthCheck: ... }]',
    });
  });
});
