import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { HeaderList } from '../../../../../src/l7/contract/http-reply.ts';
import { createBodyFraming } from '../../../../../src/l7/http1/request/body-framing.ts';
import { Http1RequestBody } from '../../../../../src/l7/http1/request/http1-request-body.ts';

/** A body whose bytes a test sends, and what becomes of its client. */
function bodyOf(framing: number | 'chunked'): {
  readonly body: Http1RequestBody;
  readonly told: string[];
  readonly come: (text: string) => number;
} {
  const told: string[] = [];
  const connection = {
    bodyWanted: () => told.push('wanted'),
    pause: () => told.push('paused'),
    resume: () => told.push('resumed'),
  };
  const body = new Http1RequestBody(connection, createBodyFraming(framing));
  const come = (text: string): number => {
    const input = Buffer.from(text, 'latin1');
    const used = body.push(input, 0, input.length);
    // The memory is used again.
    input.fill('#');
    return used;
  };
  return { body, told, come };
}

/** A sink that notes what it gets. */
function sink(got: (string | HeaderList)[]): Parameters<Http1RequestBody['read']>[0] {
  return {
    requestData: (bytes) => got.push(Buffer.from(bytes).toString('latin1')),
    requestEnd: (trailers) => got.push(trailers ?? 'end'),
  };
}

describe('the body of an HTTP/1.x request', () => {
  it('buffers bytes until it is read', () => {
    const { body, told, come } = bodyOf(6);
    body.onWaiting(() => told.push(`waits ${body.waiting} of ${body.received}`));
    come('ab');
    come('cd');
    const got: string[] = [];
    body.read(sink(got));
    come('ef');
    assert.equal(got.pop(), 'end');
    assert.equal(got.join(''), 'abcdef');
    assert.deepEqual(told, ['wanted', 'waits 2 of 2', 'waits 4 of 4', 'wanted']);
    assert.deepEqual([body.ended, body.waiting, body.left], [true, 0, 0]);
  });

  it('takes no byte of the next request', () => {
    const sized = bodyOf(3);
    assert.equal(sized.come('abcGET /'), 3);
    assert.equal(sized.body.ended, true);
    const chunked = bodyOf('chunked');
    assert.equal(chunked.come('1\r\na\r\n0\r\n\r\nGET /'), 11);
    assert.equal(chunked.body.ended, true);
    assert.equal(chunked.body.received, 1);
  });

  it('passes on the bytes of one read in one piece, even if its chunks are small', () => {
    const { body, come } = bodyOf('chunked');
    const got: (string | HeaderList)[] = [];
    body.read(sink(got));
    come('1\r\na\r\n'.repeat(300));
    come('1\r\nb\r\n'.repeat(300));
    come('1\r\nc\r\n0\r\n\r\n');
    assert.deepEqual(got, ['a'.repeat(300), 'b'.repeat(300), 'c', 'end']);
  });

  it('passes on trailers that may be forwarded', () => {
    const { body, come } = bodyOf('chunked');
    const got: (string | HeaderList)[] = [];
    body.read(sink(got));
    come('1\r\na\r\n0\r\nX-Sum: 1\r\nContent-Length: 7\r\n');
    come('\r\n');
    assert.deepEqual(got, ['a', [['X-Sum', '1']]]);
  });

  it('reports faults in its chunks', () => {
    const { body, come } = bodyOf('chunked');
    come('1\r\nab\r\n');
    assert.equal(body.problem, 'chunk longer than its size');
    assert.equal(body.ended, false);
  });

  it('pauses the client with its reader, and passes on the rest in order', () => {
    const { body, told, come } = bodyOf('chunked');
    const got: string[] = [];
    body.read(sink(got));
    body.pause();
    come(`c000\r\n${'x'.repeat(0xc000)}\r\n`);
    assert.deepEqual(told, ['wanted', 'paused']);
    come('1\r\ny\r\n0\r\n\r\n');
    body.resume();
    assert.equal(got.pop(), 'end');
    assert.equal(got.join(''), `${'x'.repeat(0xc000)}y`);
    assert.equal(body.waiting, 0);
  });

  it('resumes the client after the buffered bytes were read', () => {
    const { body, told, come } = bodyOf(100_000);
    come('x'.repeat(40_000));
    const got: string[] = [];
    body.read({ ...sink(got), requestData: () => body.pause() });
    assert.deepEqual(told, ['paused', 'wanted']);
    body.resume();
    assert.deepEqual(told.at(-1), 'resumed');
  });

  it('is read to its end after it was dropped', () => {
    const { body, told, come } = bodyOf(100_000);
    come('x'.repeat(40_000));
    const got: string[] = [];
    body.drop();
    assert.deepEqual([body.waiting, told.at(-1)], [0, 'resumed']);
    body.read(sink(got));
    come('x'.repeat(60_000));
    assert.equal(body.ended, true);
    body.read(sink(got));
    assert.deepEqual(got, []);
  });
});
