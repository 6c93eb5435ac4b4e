import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { errorsOf, warningsOf } from './load.ts';

/** A configuration with three clusters that share a block. */
const clusters = (outlier: string): string => `listeners:
  - { name: t, mode: l4, address: ':1', cluster: a }
clusters:
  - name: a
    endpoints: [{ address: '127.0.0.1:9001' }]
    outlier: &shared ${outlier}
  - { name: b, endpoints: [{ address: '127.0.0.1:2' }], outlier: *shared }
  - { name: c, endpoints: [{ address: '127.0.0.1:3' }], outlier: { <<: *shared } }
`;

/** Two listeners with the same list of routes. */
const listeners = (first: string, second: string): string => `clusters:
  - { name: app, endpoints: [{ address: '127.0.0.1:9001' }] }
listeners:
  - name: web
    mode: l7
    address: ':1'
    routes: &routes
      - { match: { path: '/a' }, cluster: app }
      - name: chat
${first}
  - { name: api, mode: l7, address: ':2', routes: *routes${second} }
`;

describe('a problem in a block with aliases', () => {
  it('is reported once, at its own place, with all users of the block', () => {
    const errors = errorsOf(clusters('{ ejection: 5 sec, consecutiveFailure: 1 }'));
    assert.deepEqual(
      errors.map((error) => error.replace(/: .* \(/, ' (')),
      [
        '6:34 (in cluster "a", cluster "b" and cluster "c")',
        '6:41 (in cluster "a", cluster "b" and cluster "c")',
      ],
    );
  });

  it('names only the users that have the problem', () => {
    const text = listeners(
      "        match: { path: '/b', headers: { a_b: x } }\n        cluster: app",
      ', underscoreHeaders: pass',
    );
    const [own = '', ...rest] = warningsOf(text);
    assert.match(own, /^10:\d+: no request has "a_b": .* or another name here$/);
    assert.deepEqual(rest, []);
    const [other = ''] = warningsOf(
      text.replace(', underscoreHeaders: pass', '').replace("':1'\n", "':1'\n    underscoreHeaders: pass\n"),
    );
    assert.match(other, /^11:\d+: no request has "a_b": .* \(in route "chat" of listener "api"\)$/);
  });

  it('names the routes of both listeners', () => {
    const text = listeners("        match: { path: 'b' }\n        cluster: app", '');
    const [error = '', ...rest] = errorsOf(text);
    assert.match(
      error,
      /^10:24: .* \(in route "chat" of listener "web" and route "chat" of listener "api"\)$/,
    );
    assert.deepEqual(rest, []);
  });

  it('does not hide other problems, however many use the block', () => {
    const more = Array.from(
      { length: 200 },
      (_, index) => `  - { name: x${index}, endpoints: [{ address: 'h:1' }], outlier: *shared }\n`,
    );
    const errors = errorsOf(`${clusters('{ ejection: 5 sec }')}${more.join('')}admin: 1\n`);
    assert.equal(errors.length, 2);
    assert.match(
      errors[0] ?? '',
      /^6:34: ejection: .* \(in cluster "a", cluster "b", cluster "c" and 200 more\)$/,
    );
    assert.match(errors[1] ?? '', /^209:8: admin: [^(]*$/);
  });

  it('names the place of an alias that is itself the wrong value', () => {
    const errors = errorsOf(`${clusters('{ ejection: &time 5 sec }')}log: { level: *time }\n`);
    assert.match(errors[0] ?? '', /^6:\d+: ejection: .* \(in cluster "a", cluster "b" and cluster "c"\)$/);
    assert.match(errors[1] ?? '', /^9:15: level: [^(]*$/);
    assert.equal(errors.length, 2);
  });

  it('identifies an entry whose name is merged from another by its number', () => {
    const text = `clusters: [{ name: app, endpoints: [{ address: '127.0.0.1:1' }] }]
listeners:
  - &first { name: t, mode: l4, address: ':1', cluster: app }
  - { <<: *first, address: ':2' }
`;
    assert.deepEqual(errorsOf(text), [
      '3:20: two listeners have the name "t": rename one (in listener number 2)',
    ]);
  });

  it('names no users if the value does not come from the file', () => {
    const errors = errorsOf(clusters('{ ejection: 5s }'), {
      overrides: ['clusters.1.outlier.ejection=5 sec'],
    });
    assert.equal(errors.length, 1);
    assert.match(errors[0] ?? '', /^--set clusters\.1\.outlier\.ejection: [^(]*$/);
  });
});
