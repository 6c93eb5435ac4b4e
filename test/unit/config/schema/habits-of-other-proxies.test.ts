import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MINIMAL, cluster, errorsOf, l7, routes, warningsOf } from '../load.ts';

/** Values that other proxies accept. */
describe('a configuration with habits of other proxies', () => {
  it('is warned of stars in paths, which match nothing else', () => {
    for (const key of ['path', 'pathPrefix']) {
      const warnings = warningsOf(
        routes(`{ match: { ${key}: '/api/*' }, cluster: app }`, '{ match: {}, cluster: app }'),
      );
      assert.equal(warnings.length, 1, key);
      assert.match(warnings[0]!, /a star is an ordinary character here: .*, write pathPrefix: \/api$/);
    }
  });

  it('is refused for braces in a redirect', () => {
    const [error = ''] = errorsOf(routes(`{ match: {}, redirect: { to: 'https://example.com{uri}' } }`));
    assert.match(error, /without spaces and braces; \$host, \$path and \$query are placeholders$/);
  });

  it('gets the remedy for values that stand for a mapping or a word', () => {
    const pair = '{ cert: a.pem, key: a.key }';
    for (const [text, fault] of [
      [
        l7(`tls: [${pair}]`),
        'tls: a list is not a mapping: write a list of certificates as { certificates: LIST }',
      ],
      ...['auto', 'true'].map(
        (value) =>
          [
            l7(`tls: ${value}`),
            /^5:10: tls: .* requests no certificates itself: docs\/guides\/tls\.md#lets-encrypt shows how certbot does$/,
          ] as const,
      ),
      [l7('errorPages: ./x.html'), 'errorPages: "./x.html" is not a mapping: write { default: ./x.html }'],
      [
        routes('{ respond: { file: ./x.html } }'),
        'unknown key "file" in "respond": write body: { file: ... }',
      ],
      [
        routes('{ match: [/api], cluster: app }'),
        'match: "/api" has a path, and a list has hosts only: write a route for each path, or { pathRegex: EXPRESSION }',
      ],
      [
        cluster('balancer: cookie'),
        'balancer: "cookie" is not a value of this key: write sticky: COOKIE, which works with every balancer, and leave balancer out',
      ],
      [
        cluster('healthCheck: /health'),
        'healthCheck: "/health" is not a mapping: write { type: http, path: /health }',
      ],
      [l7('limits: { key: ip, connections: 1 }'), 'key: "ip" is not a value of this key: write address'],
    ] as const) {
      const errors = errorsOf(text);
      assert.equal(errors.length, 1, errors.join('\n'));
      if (typeof fault === 'string') assert.equal(errors[0]!.replace(/^\d+:\d+: /, ''), fault);
      else assert.match(errors[0]!, fault);
    }
  });

  it('gets the form of a log file', () => {
    const [error = ''] = errorsOf(`${MINIMAL}log: { access: ./access.log }\n`);
    assert.match(
      error,
      /"\.\/access\.log" is neither true nor false: for a file, write { file: \.\/access\.log }$/,
    );
  });

  it('gets the mode of a listener that only tunnels', () => {
    const text = l7('passthrough: [{ serverName: a.example, cluster: app }]').replace(/^ +routes:.*\n/mu, '');
    assert.ok(
      errorsOf(text).some((error) =>
        error.endsWith('redirectToHttps, or mode: l4 if it only tunnels by server name'),
      ),
      errorsOf(text).join('\n'),
    );
  });
});
