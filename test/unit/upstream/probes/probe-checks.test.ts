import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { HealthCheck } from '../../../../src/config/types/cluster.ts';
import { HttpCheck } from '../../../../src/upstream/probes/http-check.ts';
import type { ProbeCheck } from '../../../../src/upstream/probes/probe-check.ts';
import { WebSocketCheck } from '../../../../src/upstream/probes/websocket-check.ts';
import { acceptKey } from '../../../../src/wire/upgrade/accept-key.ts';
import { bufferWork, drip, headOf } from '../../../support/buffer-work.ts';

const CHECK: HealthCheck = {
  type: 'http',
  path: '/health',
  host: null,
  status: { min: 200, max: 299 },
  intervalMs: 1000,
  timeoutMs: 1000,
  rise: 1,
  fall: 1,
};
const SERVER = { kind: 'tcp', host: '127.0.0.1', port: 1 } as const;
const HINTS = 'HTTP/1.1 103 Early Hints\r\n\r\n';

/** Connects a check. Returns its request, the log of its verdicts, and a function that feeds it bytes. */
function begin(check: ProbeCheck): {
  request: string;
  log: string[];
  receive: (bytes: Buffer) => void;
} {
  const log: string[] = [];
  const end = { passed: () => log.push('passed'), failed: (reason: string) => log.push(reason) };
  const request = Buffer.from(check.connected(end) ?? '').toString();
  return { request, log, receive: (bytes) => void check.received(bytes, end) };
}

const kinds = [
  ['HTTP', () => new HttpCheck(CHECK, SERVER), 'HTTP/1.1 200 OK'],
  ['WebSocket', () => new WebSocketCheck(CHECK, SERVER), 'HTTP/1.1 404 Not Found'],
] as const;

for (const [what, make, statusLine] of kinds) {
  describe(`a probe by ${what}`, () => {
    it('checks the status of an HTTP/1.0 response, also after interim responses', () => {
      for (const before of ['', HINTS]) {
        const { log, receive } = begin(make());
        receive(Buffer.from(`${before}HTTP/1.0 404 Not Found\r\n\r\n`));
        assert.deepEqual(log, ['answered 404']);
      }
    });

    it('fails on the 17th interim response', () => {
      const { log, receive } = begin(make());
      receive(Buffer.from(HINTS.repeat(16)));
      assert.deepEqual(log, []);
      receive(Buffer.from(HINTS));
      assert.deepEqual(log, ['too many interim responses']);
    });

    it('fails on a response head that does not end', () => {
      const { log, receive } = begin(make());
      receive(headOf(70_000).subarray(0, -1));
      assert.deepEqual(log, ['response head too large']);
    });

    it('does linear work for a head that arrives byte by byte', () => {
      const { log, receive } = begin(make());
      const head = headOf(60_000, statusLine);
      const work = bufferWork(() => drip(head, receive));
      assert.equal(log.length, 1);
      assert.ok(work < 6 * head.length, `${work} bytes of work for ${head.length}`);
    });
  });
}

describe('a probe by HTTP', () => {
  it('checks a 101 by its status, like any other response', () => {
    const { log, receive } = begin(new HttpCheck(CHECK, SERVER));
    receive(Buffer.from('HTTP/1.1 101 Switching Protocols\r\n\r\n'));
    assert.deepEqual(log, ['answered 101']);
  });
});

describe('a probe by WebSocket', () => {
  it('fails on a 101 in HTTP/1.0', () => {
    const { log, receive } = begin(new WebSocketCheck(CHECK, SERVER));
    receive(Buffer.from('HTTP/1.0 101 Switching Protocols\r\n\r\n'));
    assert.deepEqual(log, ['HTTP/1.0 has no upgrade']);
  });

  it('passes after interim responses', () => {
    const { request, log, receive } = begin(new WebSocketCheck(CHECK, SERVER));
    const key = /sec-websocket-key: (\S+)/i.exec(request)?.[1] ?? '';
    const lines = ['Upgrade: websocket', 'Connection: Upgrade', `Sec-WebSocket-Accept: ${acceptKey(key)}`];
    receive(Buffer.from(`${HINTS}HTTP/1.1 101 Switching Protocols\r\n${lines.join('\r\n')}\r\n\r\n`));
    assert.deepEqual(log, []);
    receive(Buffer.from([0x8a, 0]));
    assert.deepEqual(log, ['passed']);
  });
});
