import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { banner } from '../../../src/cli/banner.ts';
import { loadConfig } from '../../../src/config/loader.ts';
import type { TcpAddress } from '../../../src/core/address.ts';

const ADMIN: TcpAddress = { kind: 'tcp', host: '0.0.0.0', port: 9480 };

function bannerOf(listeners: number, more = ''): string {
  const text = [
    'listeners:',
    "  - { name: tunnel, mode: l4, address: '127.0.0.1:9000', cluster: app }",
    ...Array.from(
      { length: listeners },
      (_, index) => `  - { name: web-${index}, mode: l7, address: ':${8000 + index}', cluster: app }`,
    ),
    'clusters:',
    "  - { name: app, endpoints: ['127.0.0.1:9001'] }",
    more,
  ].join('\n');
  return banner(loadConfig({ file: 'sluice.yaml', text, overrides: [], env: {} }).config, ADMIN);
}

/** Returns the banner of listeners with these routes, in YAML, and a demo. */
function bannerWith(routes: readonly string[]): string {
  const text = [
    'listeners:',
    ...routes.map(
      (list, index) => `  - { name: web-${index}, mode: l7, address: ':${8000 + index}', routes: ${list} }`,
    ),
    "clusters: [{ name: app, endpoints: ['127.0.0.1:9001'] }]",
    'demo: { echo: app }',
  ].join('\n');
  return banner(loadConfig({ file: 'sluice.yaml', text, overrides: [], env: {} }).config, ADMIN);
}

describe('the banner', () => {
  it('has an address of each listener, and the status page', () => {
    const text = bannerOf(2);
    assert.match(text, /^ {4}tunnel +127\.0\.0\.1:9000 \(TCP to app\)$/m);
    assert.match(text, /^ {4}web-1 +http:\/\/localhost:8001\/$/m);
    assert.match(text, /^ {4}status page +http:\/\/localhost:9480\/$/m);
    assert.doesNotMatch(text, /demo/);
  });

  it('fits on a screen, whatever number of listeners there is', () => {
    const text = bannerOf(500);
    assert.ok(text.split('\n').length < 20, text);
    assert.match(text, /^ {4}\.\.\. +and 489 more listeners$/m);
    assert.match(bannerOf(12), /^ {4}\.\.\. +and 1 more listener$/m);
  });

  it('names the page of the demo, on the listener that has it', () => {
    const files = `{ static: { root: ${import.meta.dirname} } }`;
    const text = bannerWith([`[${files}]`, '[{ cluster: app }]', `[{ match: /ws, cluster: app }, ${files}]`]);
    assert.match(text, /^ {2}The demo: http:\/\/localhost:8002\/$/m);
    assert.doesNotMatch(bannerWith(['[{ cluster: app }]', `[${files}]`]), /The demo/);
    assert.doesNotMatch(bannerOf(0, 'demo: { echo: app }'), /The demo/);
  });

  it('names the host that every route of a listener needs', () => {
    const text = bannerWith([
      "[{ match: '*.example.com', cluster: app }, { match: chat.example.com, cluster: app }]",
      '[{ match: chat.example.com, cluster: app }, { cluster: app }]',
      "[{ match: '*.example.com', cluster: app }]",
    ]);
    assert.match(text, /web-0 +http:\/\/chat\.example\.com:8000\/$/m);
    assert.match(text, /web-1 +http:\/\/localhost:8001\/$/m);
    assert.match(text, /web-2 +http:\/\/localhost:8002\/$/m);
  });
});
