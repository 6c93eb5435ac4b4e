import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { UpstreamSocket } from '../../../../src/l7/contract/upstream-socket.ts';
import { UpstreamRequest, type UpstreamRequestOwner } from '../../../../src/l7/upstream/upstream-request.ts';
import { bufferWork, drip, headOf } from '../../../support/buffer-work.ts';

/** A socket that only notes its end, and what the request tells its owner. */
function request(): { request: UpstreamRequest; log: string[]; receive: (bytes: Buffer) => void } {
  const log: string[] = [];
  const socket: UpstreamSocket = {
    owner: null,
    writableLength: 0,
    destroyed: false,
    writableEnded: false,
    write: () => true,
    writeCopy: () => true,
    sendFrom: () => 0,
    forward: () => true,
    splice: () => false,
    pause: () => undefined,
    resume: () => undefined,
    end: () => undefined,
    destroy: () => log.push('destroyed'),
    resetAndDestroy: () => log.push('reset'),
  };
  const owner: UpstreamRequestOwner = {
    requestConnected: () => undefined,
    requestDrained: () => undefined,
    responseInterim: ({ status }) => {
      log.push(`informed ${status}`);
      if (status === 199) made.destroy();
    },
    responseHead: ({ status }) => log.push(`head ${status}`),
    bodyData: (bytes) => log.push(`body ${bytes.toString()}`),
    readDone: () => undefined,
    responseEnd: (trailers) =>
      log.push(['end', ...trailers.map(([name, value]) => `${name}: ${value}`)].join(', ')),
    requestFailed: (reason, detail) => log.push(`failed ${reason}: ${detail}`),
  };
  const made = new UpstreamRequest(socket, owner, false);
  return { request: made, log, receive: (bytes) => made.channelData(bytes, 0, bytes.length) };
}

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const HINTS = 'HTTP/1.1 103 Early Hints\r\n\r\n';

describe('a request on a connection to an endpoint', () => {
  it('accepts up to 16 interim responses before the answer', () => {
    const { log, receive } = request();
    receive(Buffer.from(HINTS.repeat(16) + OK));
    assert.deepEqual(log, [...Array<string>(16).fill('informed 103'), 'head 200', 'body ok', 'end']);
  });

  it('fails at the 17th interim response', () => {
    const { log, receive } = request();
    for (let count = 0; count < 16; count++) receive(Buffer.from(HINTS));
    assert.equal(log.length, 16);
    receive(Buffer.from(HINTS));
    assert.deepEqual(log.slice(16), ['destroyed', 'failed handshake: too many interim responses']);
  });

  it('fails at an unexpected 101', () => {
    const { log, receive } = request();
    receive(Buffer.from('HTTP/1.1 101 Switching Protocols\r\n\r\n'));
    assert.deepEqual(log, ['destroyed', 'failed handshake: the endpoint switches protocols unasked']);
  });

  it('does not forward 100 (Continue)', () => {
    const { log, receive } = request();
    receive(Buffer.from(`HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n${OK}`));
    assert.deepEqual(log, ['informed 102', 'head 200', 'body ok', 'end']);
  });

  it('may be destroyed by its owner at an interim response', () => {
    const { log, receive } = request();
    receive(Buffer.from(`HTTP/1.1 199 Odd\r\n\r\n${HINTS}${OK}`));
    assert.deepEqual(log, ['informed 199', 'destroyed']);
  });

  it('ends with the trailers that may be forwarded', () => {
    const { log, receive } = request();
    const chunked = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';
    receive(Buffer.from(`${chunked}2\r\nok\r\n0\r\nX-Sum: 1\r\nSet-Cookie: a=1\r\nETag: "a"\r\n\r\n`));
    assert.deepEqual(log, ['head 200', 'body ok', 'end, X-Sum: 1, ETag: "a"']);
  });

  it('forwards the bytes of one read in one piece, even if its chunks are small', () => {
    const { log, receive } = request();
    const head = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';
    receive(Buffer.from(head + '1\r\na\r\n'.repeat(300)));
    receive(Buffer.from(`${'1\r\nb\r\n'.repeat(300)}0\r\n\r\n`));
    assert.deepEqual(log, ['head 200', `body ${'a'.repeat(300)}`, `body ${'b'.repeat(300)}`, 'end']);
  });

  it('fails at a head that never ends', () => {
    const { log, receive } = request();
    receive(headOf(70_000).subarray(0, -1));
    assert.deepEqual(log, ['destroyed', 'failed handshake: response head too large']);
  });

  it('takes linear time for a head that arrives byte by byte', () => {
    const { log, receive } = request();
    const head = headOf(60_000);
    const work = bufferWork(() => drip(head, receive));
    assert.deepEqual(log, ['head 200', 'end']);
    assert.ok(work < 6 * head.length, `${work} bytes of work for ${head.length}`);
  });
});
