import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { UnderscoreHeaders } from '../../../../src/config/types/listener.ts';
import type { Route } from '../../../../src/config/types/route.ts';
import { HeaderFilter } from '../../../../src/l7/dispatch/header-filter.ts';
import type { RequestHead } from '../../../../src/wire/http/request-head.ts';

const changes = { set: new Map([['x-set', '1']]), add: new Map([['x-add', '1']]), remove: ['x-remove'] };

function names(policy: UnderscoreHeaders): HeaderFilter {
  const route = {
    match: { headers: new Map([['x-match', '1']]) },
    action: { kind: 'cluster', cluster: 'hashed' },
    headers: { request: changes, response: changes },
    access: null,
    limits: [],
  } as unknown as Route;
  const hashHeader = (cluster: string): string | null => (cluster === 'hashed' ? 'x-hash' : null);
  const filter = new HeaderFilter({ access: null, underscoreHeaders: policy }, { hashHeader }, false);
  filter.add(route);
  return filter;
}

function head(...list: string[]): RequestHead {
  return { method: 'GET', path: '/', query: '', headers: list.flatMap((name) => [name, `of ${name}`]) };
}

const kept = (policy: UnderscoreHeaders, ...list: string[]): readonly string[] | undefined =>
  names(policy)
    .filter(head(...list))
    ?.headers.filter((_, index) => index % 2 === 0);

describe('names with an underscore', () => {
  it('change nothing if there are none', () => {
    const request = head('host', 'x-a', 'x-b');
    for (const policy of ['drop', 'pass', 'refuse'] as const) {
      assert.equal(names(policy).filter(request), request);
    }
  });

  it('are removed with their values, or cause a refusal', () => {
    const list = ['_a', 'host', 'x_a', 'x-b', 'c_'];
    assert.deepEqual(names('drop').filter(head(...list)), head('host', 'x-b'));
    assert.equal(names('refuse').filter(head(...list)), null);
    assert.deepEqual(names('pass').filter(head(...list)), head(...list));
  });

  it('are removed from the spelled names, too', () => {
    const spelled = { ...head('host', 'x_a', 'x-b', 'c_'), names: ['HOST', 'X_A', 'X-B', 'C_'] };
    assert.deepEqual(names('drop').filter(spelled), { ...head('host', 'x-b'), names: ['HOST', 'X-B'] });
    assert.deepEqual(names('pass').filter(spelled), spelled);
  });

  it('pass unless sluice writes the same name with hyphens', () => {
    const twins = [
      ...['x_forwarded_for', 'x-forwarded_for', 'x_forwarded-proto', 'x_forwarded_user', 'x_real_ip'],
      ...['x_request_id', 'content_length', 'transfer_encoding', 'keep_alive', 'proxy_connection'],
      ...['proxy_authorization', 'http2_settings', 'sec_websocket_key', 'sec-websocket_version'],
    ];
    for (const twin of twins) assert.deepEqual(kept('pass', 'host', twin), ['host'], twin);
  });

  it('pass unless they resemble a WebSocket handshake header', () => {
    for (const twin of ['sec_websocket_protocol', 'sec-websocket_protocol', 'sec_websocket_new']) {
      for (const policy of ['drop', 'pass'] as const) {
        assert.deepEqual(kept(policy, 'sec-websocket-protocol', twin), ['sec-websocket-protocol'], twin);
      }
    }
  });

  it('pass unless routes and clusters rely on the same name with hyphens', () => {
    for (const twin of ['x_match', 'x_set', 'x_add', 'x_remove', 'x_hash']) {
      assert.deepEqual(kept('pass', twin, 'x_other'), ['x_other'], twin);
    }
  });
});

describe('X-Forwarded-Client-Cert', () => {
  it('is removed under any policy for underscores', () => {
    const request = {
      ...head('host', 'x-forwarded-client-cert', 'x-b'),
      names: ['Host', 'X-Forwarded-Client-CERT', 'X-B'],
    };
    for (const policy of ['drop', 'pass', 'refuse'] as const) {
      assert.deepEqual(names(policy).filter(request), { ...head('host', 'x-b'), names: ['Host', 'X-B'] });
    }
  });

  it('is removed in its underscore spellings, too', () => {
    for (const twin of ['x_forwarded_client_cert', 'x-forwarded-client_cert', 'x_forwarded-client-cert']) {
      const list = ['x-forwarded-client-cert', twin, 'x-forwarded-client-cert'];
      assert.deepEqual(kept('pass', 'host', ...list), ['host']);
      assert.deepEqual(kept('drop', 'host', ...list), ['host']);
      assert.equal(kept('refuse', 'host', ...list), undefined);
    }
  });
});
