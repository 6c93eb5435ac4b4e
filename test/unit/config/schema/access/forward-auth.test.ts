import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ForwardAuthSettings } from '../../../../../src/config/types/access.ts';
import { errorsOf, l7, l7Of, load } from '../../load.ts';

function read(settings: string): ForwardAuthSettings | null {
  return l7Of(load(l7(`access: { forwardAuth: ${settings} }`))).access?.forwardAuth ?? null;
}

function errors(settings: string): string[] {
  return errorsOf(l7(`access: { forwardAuth: ${settings} }`));
}

describe('forward authentication', () => {
  it('needs only a URL', () => {
    assert.deepEqual(read('{ url: "http://auth:9000/check?a=b" }'), {
      url: 'http://auth:9000/check?a=b',
      headers: [],
      timeoutMs: 2000,
      maxConcurrent: 100,
      onFailure: 'refuse',
    });
    assert.deepEqual(errors('{}'), ['5:15: "forwardAuth" needs "url"']);
  });

  it('reads every key, and headers once and in lower case', () => {
    assert.deepEqual(
      read(
        '{ url: "https://a.example", headers: [X-User, x-user, X-Group], timeout: 1s, maxConcurrent: 7, onFailure: admit }',
      ),
      {
        url: 'https://a.example/',
        headers: ['x-user', 'x-group'],
        timeoutMs: 1000,
        maxConcurrent: 7,
        onFailure: 'admit',
      },
    );
  });

  it('refuses invalid URLs and URLs with secrets', () => {
    for (const bad of ['a.example/check', '/check', 'ftp://a.example', 'unix:/x']) {
      assert.match(
        errors(`{ url: "${bad}" }`)[0] ?? '',
        /is not the URL of an authentication server: write one such as https:/,
      );
    }
    assert.deepEqual(errors('{ url: "https://u:secret@a.example" }'), [
      '5:35: url: the URL contains a user or password, which would appear in logs: remove it',
    ]);
    assert.match(errors('{ url: "https://a.example/#x" }')[0] ?? '', /has a fragment/);
  });

  it('refuses headers that only the proxy writes, or that carry credentials', () => {
    for (const name of [
      ...[
        'Connection',
        'keep-alive',
        'TE',
        'Transfer-Encoding',
        'Content-Length',
        'Upgrade',
        'Host',
        'Cookie',
        'Authorization',
      ],
      ...[
        'Sec-WebSocket-Protocol',
        'X-Forwarded-For',
        'x-forwarded-client-cert',
        'Forwarded',
        'X-Real-IP',
        'Proxy-Authorization',
      ],
      ...['Origin', 'Expect', 'Trailer', 'X-Request-Id', 'Via'],
    ]) {
      assert.deepEqual(errors(`{ url: "http://a", headers: [${name}] }`), [
        `5:57: headers: "${name.toLowerCase()}" is set by clients or the proxy itself, and cannot carry a credential's ` +
          'data: choose a name such as x-user',
      ]);
    }
    assert.match(
      errors('{ url: "http://a", headers: [x_user] }')[0] ?? '',
      /has an underscore.*write "x-user"/,
    );
    assert.match(errors('{ url: "http://a", headers: ["a b"] }')[0] ?? '', /is not a header's name/);
  });

  it('has bounds', () => {
    assert.match(
      errors('{ url: "http://a", timeout: 0s }')[0] ?? '',
      /timeout: 0s is out of range: write 10ms to 1m/,
    );
    assert.match(errors('{ url: "http://a", maxConcurrent: 0 }')[0] ?? '', /write 1 to 10000/);
    assert.match(errors('{ url: "http://a", onFailure: deny }')[0] ?? '', /is not one of refuse, admit/);
  });
});
