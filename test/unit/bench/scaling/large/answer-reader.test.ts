import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AnswerReader } from '../../../../../bench/scaling/large/answer-reader.ts';

const ANSWER = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello';

describe('a reader of short answers', () => {
  it('returns an answer at its last byte, wherever it is split', () => {
    for (let cut = 1; cut < ANSWER.length; cut++) {
      const reader = new AnswerReader();
      assert.equal(reader.take(Buffer.from(ANSWER.slice(0, cut))), null);
      assert.deepEqual(reader.take(Buffer.from(ANSWER.slice(cut))), {
        status: 200,
        body: 'hello',
        last: false,
      });
    }
  });

  it('reads one answer after another', () => {
    const reader = new AnswerReader();
    assert.equal(reader.take(Buffer.from(ANSWER))?.body, 'hello');
    const closing = 'HTTP/1.1 404 Not Found\r\nConnection: close\r\ncontent-length: 0\r\n\r\n';
    assert.deepEqual(reader.take(Buffer.from(closing)), { status: 404, body: '', last: true });
  });

  it('refuses answers that are invalid, too long or without a length', () => {
    for (const text of [
      'HTTP/2 200\r\ncontent-length: 0\r\n\r\n',
      'HTTP/1.1 200 OK\r\n\r\n',
      'HTTP/1.1 200 OK\r\ncontent-length: 99999999\r\n\r\n',
      'x'.repeat(20_000),
    ]) {
      assert.throws(() => new AnswerReader().take(Buffer.from(text)), /unexpected answer|too long/);
    }
  });
});
