import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MINIMAL, errorsOf, l7, routes, warningsOf } from '../load.ts';

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
