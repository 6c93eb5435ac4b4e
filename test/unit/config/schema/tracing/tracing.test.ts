import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { TracingSettings } from '../../../../../src/config/types/config.ts';
import { errorsOf, l7, load, routes, warningsOf } from '../../load.ts';

const URL = 'http://127.0.0.1:4318/v1/traces';
const ROUTES = routes(
  '{ name: chat, match: { path: /a }, cluster: app }',
  '{ name: api, match: {}, cluster: app }',
);

function textOf(tracing: string): string {
  return `${ROUTES}tracing: ${tracing}\n`;
}

function read(tracing: string): TracingSettings | null {
  return load(textOf(tracing)).config.tracing;
}

/** Returns the errors without their places. */
function errors(tracing: string): readonly string[] {
  return errorsOf(textOf(tracing)).map((error) => error.replace(/^\d+:\d+: /, ''));
}

describe('tracing', () => {
  it('needs a URL, and samples a tenth by default', () => {
    assert.equal(read(''), null);
    assert.deepEqual(read(`{ url: '${URL}' }`), { url: URL, sample: 0.1, headers: {}, routes: {} });
    assert.deepEqual(read(`{ url: '${URL}', sample: 0, headers: { X-Key: 'a b' }, routes: { chat: 1 } }`), {
      url: URL,
      sample: 0,
      headers: { 'X-Key': 'a b' },
      routes: { chat: 1 },
    });
    assert.deepEqual(errors('{ sample: 1, headers: { a: b }, routes: { chat: 1 } }'), [
      'sample does nothing without tracing.url: set that too, or leave sample out',
      'headers does nothing without tracing.url: set that too, or leave headers out',
      'routes does nothing without tracing.url: set that too, or leave routes out',
    ]);
  });

  it('refuses invalid collector URLs', () => {
    assert.match(errors('{ url: 4318 }')[0] ?? '', /^url: 4318 is not text/);
    assert.match(errors('{ url: "grpc://a:4317" }')[0] ?? '', /^url: .* is not the URL of a collector/);
    assert.match(errors('{ url: "http://u:geheim@a/v1/traces" }')[0] ?? '', /^url: the URL contains a user/);
    assert.deepEqual(errors('{ url: "http://a:4318" }'), [
      'url: "http://a:4318" has no path: collectors take traces at http://a:4318/v1/traces',
    ]);
  });

  it('refuses fractions outside 0 to 1, and names the route', () => {
    for (const part of ['-0.1', '1.01', '"0.5"', '.nan', '10%']) {
      assert.match(errors(`{ url: '${URL}', sample: ${part} }`)[0] ?? '', /^sample: .*write 0 \(none\) to 1/);
    }
    assert.match(
      errors(`{ url: '${URL}', routes: { chat: 2 } }`)[0] ?? '',
      /^routes: "chat": 2 is not a part/,
    );
    assert.match(errors(`{ url: '${URL}', routes: chat }`)[0] ?? '', /^routes: "chat" is not a mapping/);
  });

  it('refuses an unknown route at its place', () => {
    assert.deepEqual(errorsOf(`tracing:\n  url: '${URL}'\n  routes:\n    chta: 1\n    x: 1\n${ROUTES}`), [
      '4:5: there is no route "chta": did you mean "chat"?',
      '5:5: there is no route "x": routes are chat, api',
    ]);
  });

  it('never shows the value of a header', () => {
    const found = [
      ...errors(`{ url: '${URL}', headers: geheim }`),
      ...errors(`{ url: '${URL}', headers: { "a b": geheim } }`),
      ...errors(`{ url: '${URL}', headers: { a: "gehe\\nim" } }`),
      ...errors(`{ url: '${URL}', headers: { a: [geheim] } }`),
      ...errors(`{ url: '${URL}', headers: { a: "" } }`),
      ...errors(`{ url: '${URL}', headers: { Host: geheim } }`),
      ...errors(`{ url: '${URL}', headers: { a: geheim, A: geheim } }`),
    ];
    assert.deepEqual(found, [
      'headers: text is not a mapping: write names of headers and their values',
      'headers: "a b" is not the name of a header',
      'a: the value is not text in one line: put it in quotes',
      'a: the value is not text in one line: put it in quotes',
      'a: the value is not text in one line: put it in quotes',
      'headers: sluice sets the header "Host" itself: leave it out',
      'headers: the header "A" is listed twice',
    ]);
  });

  it("refuses print-config's placeholders unless the environment has the secrets", () => {
    const text = `tracing:\n  url: ${URL}?(hidden)\n  headers: { x-key: (hidden) }\n${ROUTES}`;
    assert.deepEqual(errorsOf(text), [
      '2:8: url: "(hidden)" is the placeholder of print-config for a secret: write the secret, ${NAME} or { file: PATH }',
      '3:21: x-key: "(hidden)" is the placeholder of print-config for a secret: write the secret, ${NAME} or { file: PATH }',
    ]);
    const env = { SLUICE_TRACING_URL: `${URL}?key=a`, SLUICE_TRACING_HEADERS: '{x-key: b}' };
    assert.deepEqual(load(text, { env }).config.tracing?.headers, { 'x-key': 'b' });
  });

  it('reads the headers from the environment, and warns of unencrypted ones', () => {
    const env = {
      SLUICE_TRACING_URL: 'http://collector.example/v1/traces',
      SLUICE_TRACING_HEADERS: '{x-key: a}',
    };
    assert.deepEqual(load(l7(), { env }).config.tracing?.headers, { 'x-key': 'a' });
    assert.deepEqual(warningsOf(l7(), { env }), [
      'environment SLUICE_TRACING_URL: the headers cross the network unencrypted: use https, or a collector on this machine',
    ]);
    assert.deepEqual(warningsOf(l7(), { env: { ...env, SLUICE_TRACING_URL: URL } }), []);
  });
});
