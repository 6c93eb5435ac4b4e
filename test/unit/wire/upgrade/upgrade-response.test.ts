import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ResponseHead } from '../../../../src/wire/http/response-head.ts';
import { checkUpgradeResponse, endToEndHeaders } from '../../../../src/wire/upgrade/upgrade-response.ts';

const ACCEPT = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=';
const OFFERED = ['chat.v2', 'chat.v1'];

const RIGHT: readonly (readonly [name: string, value: string])[] = [
  ['upgrade', 'websocket'],
  ['connection', 'Upgrade'],
  ['sec-websocket-accept', ACCEPT],
];

function head(lines: readonly (readonly [name: string, value: string])[], status = 101): ResponseHead {
  return { status, headers: lines.flat() };
}

/** Returns the valid answer with one header replaced in its place; null removes the header. */
function changed(name: string, value: string | null): ResponseHead {
  return head(
    RIGHT.flatMap((line): (readonly [string, string])[] =>
      line[0] !== name ? [line] : value === null ? [] : [[name, value]],
    ),
  );
}

/** Returns the valid answer with more headers. */
function extended(...more: readonly (readonly [name: string, value: string])[]): ResponseHead {
  return head([...RIGHT, ...more]);
}

function problemOf(answer: ResponseHead, offered: readonly string[] = OFFERED): string {
  const checked = checkUpgradeResponse(answer, ACCEPT, offered);
  return typeof checked === 'string' ? checked : 'none';
}

describe("an endpoint's 101", () => {
  it('is accepted without a subprotocol', () => {
    assert.deepEqual(checkUpgradeResponse(head(RIGHT), ACCEPT, OFFERED), {
      subprotocol: '',
      extensions: '',
      headers: [],
    });
  });

  it('is accepted with any of the subprotocols that were offered', () => {
    for (const subprotocol of OFFERED) {
      const checked = checkUpgradeResponse(
        extended(['sec-websocket-protocol', subprotocol]),
        ACCEPT,
        OFFERED,
      );
      assert.deepEqual(checked, { subprotocol, extensions: '', headers: [] });
    }
  });

  it('is accepted for any spelling of its tokens', () => {
    for (const upgrade of ['WebSocket', 'WEBSOCKET'])
      assert.equal(problemOf(changed('upgrade', upgrade)), 'none');
    for (const connection of ['upgrade', 'keep-alive, UPGRADE', 'Upgrade,x']) {
      assert.equal(problemOf(changed('connection', connection)), 'none', connection);
    }
    assert.equal(problemOf(extended(['connection', 'keep-alive'], ['sec-websocket-extensions', ''])), 'none');
  });

  it('is refused in HTTP/1.0', () => {
    assert.equal(problemOf({ ...head(RIGHT), isHttp10: true }), 'HTTP/1.0 has no upgrade');
  });

  it('is refused without the one right accept value', () => {
    const problem = 'wrong sec-websocket-accept';
    for (const accept of [null, '', `${ACCEPT}=`, ACCEPT.toLowerCase(), `${ACCEPT}, ${ACCEPT}`]) {
      assert.equal(problemOf(changed('sec-websocket-accept', accept)), problem, String(accept));
    }
    assert.equal(problemOf(extended(['sec-websocket-accept', ACCEPT])), problem);
  });

  it('is refused unless it upgrades to websocket alone', () => {
    for (const upgrade of [null, '', 'h2c', 'websocket, h2c', 'websocket/13']) {
      assert.equal(problemOf(changed('upgrade', upgrade)), 'upgrade is not websocket', String(upgrade));
    }
    assert.equal(problemOf(extended(['upgrade', 'websocket'])), 'upgrade is not websocket');
  });

  it('is refused if its connection header lacks upgrade', () => {
    for (const connection of [null, '', 'keep-alive', 'upgraded', 'close']) {
      assert.equal(problemOf(changed('connection', connection)), 'connection does not hold upgrade');
    }
  });

  it('is refused with an extension if none was offered', () => {
    for (const extension of ['permessage-deflate', 'x; a=b', ',']) {
      assert.equal(
        problemOf(extended(['sec-websocket-extensions', extension])),
        'extension that was not offered',
      );
    }
  });

  it('is accepted with extensions that were offered, in one line or several', () => {
    const offered = 'x-a; p=1, permessage-deflate; client_max_window_bits, permessage-deflate';
    for (const [lines, extensions] of [
      [['permessage-deflate'], 'permessage-deflate'],
      [['permessage-deflate; server_no_context_takeover'], 'permessage-deflate; server_no_context_takeover'],
      [['', 'permessage-deflate', 'x-a;p="1"'], 'permessage-deflate, x-a;p="1"'],
    ] as const) {
      const lined = lines.map((line) => ['sec-websocket-extensions', line] as const);
      const checked = checkUpgradeResponse(extended(...lined), ACCEPT, [], offered);
      assert.deepEqual(checked, { subprotocol: '', extensions, headers: [] });
    }
  });

  it('is refused with a subprotocol that was not offered', () => {
    for (const subprotocol of ['', 'chat', 'CHAT.v1', 'chat.v2, chat.v1', 'chat.v2,']) {
      assert.equal(
        problemOf(extended(['sec-websocket-protocol', subprotocol])),
        'subprotocol that was not offered',
        subprotocol,
      );
    }
    assert.equal(
      problemOf(extended(['sec-websocket-protocol', 'chat.v1']), []),
      'subprotocol that was not offered',
    );
    const two = extended(['sec-websocket-protocol', 'chat.v1'], ['sec-websocket-protocol', 'chat.v1']);
    assert.equal(problemOf(two), 'subprotocol that was not offered');
  });
});

describe("the headers forwarded from an endpoint's response", () => {
  it('are all except headers of one connection and of the handshake, in order and with repetitions', () => {
    const kept = [
      ['set-cookie', 'a=1; Path=/'],
      ['x-a', ''],
      ['set-cookie', 'b=2'],
      ['content-type', 'text/html'],
      ['www-authenticate', 'Basic'],
      ['location', '/elsewhere'],
      ['date', 'Sat, 28 Nov 2026 23:00:00 GMT'],
    ] as const;
    const dropped = [
      'connection',
      'keep-alive',
      'proxy-connection',
      'upgrade',
      'te',
      'trailer',
      'transfer-encoding',
      'content-length',
      'x-request-id',
      'sec-websocket-accept',
      'sec-websocket-protocol',
      'sec-websocket-extensions',
    ].map((name) => [name, 'x'] as const);
    const mixed = kept.flatMap((line, index) => [...dropped.slice(index * 2, index * 2 + 2), line]);
    assert.equal(mixed.length, kept.length + dropped.length);
    assert.deepEqual(endToEndHeaders(head(mixed, 403)), kept);
  });

  it('keep the spelling of the endpoint', () => {
    const answer = {
      ...head([
        ['connection', 'close'],
        ['x-a', '1'],
        ['etag', '2'],
      ]),
      names: ['Connection', 'X-A', 'ETag'],
    };
    assert.deepEqual(endToEndHeaders(answer), [
      ['X-A', '1'],
      ['ETag', '2'],
    ]);
  });

  it('exclude those that the Connection header names, in any line and case', () => {
    const answer = head([
      ['x-hop', '1'],
      ['connection', 'close, X-Hop'],
      ['x-kept', '2'],
      ['x-request-id', 'theirs'],
      ['x-other', '3'],
      ['connection', 'x-OTHER ,'],
      ['x-hop', '4'],
    ]);
    assert.deepEqual(endToEndHeaders(answer), [['x-kept', '2']]);
  });

  it('keep the Upgrade of a 426, with its connection option', () => {
    const names = { upgrade: 'websocket', 'sec-websocket-version': '13, 8', 'x-kept': '1' };
    const lines = Object.entries(names);
    for (const connection of ['Upgrade', 'close, upgrade', 'keep-alive']) {
      const answer = head([['connection', connection], ...lines], 426);
      assert.deepEqual(endToEndHeaders(answer), [...lines, ['Connection', 'Upgrade']], connection);
    }
    // Any other refusal may tell the versions (RFC 6455 section 4.4), but not what its own connection could become.
    assert.deepEqual(endToEndHeaders(head(lines, 400)), lines.slice(1));
  });

  it('come with an accepted 101', () => {
    const answer = extended(['set-cookie', 'a=1'], ['sec-websocket-version', '13'], ['server', 's']);
    const checked = checkUpgradeResponse(answer, ACCEPT, []);
    assert.ok(typeof checked === 'object');
    assert.deepEqual(checked.headers, [
      ['set-cookie', 'a=1'],
      ['server', 's'],
    ]);
  });
});
