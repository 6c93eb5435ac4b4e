import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { post, KIB, type Rig } from './request-rig.ts';

describe('a response that breaks', () => {
  const LENGTH = 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n';
  const CHUNKED = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';

  /** A POST that its endpoint has got, and what the endpoint says. */
  function asked(): Rig & { readonly say: (text: string) => void; readonly fin: () => void } {
    const rig = post({ idleTimeoutMs: 5000 });
    rig.body.come(16 * KIB);
    const [socket] = rig.sockets;
    socket!.owner!.upstreamConnected();
    rig.body.come(1000, true);
    const say = (text: string): void => socket!.owner?.channelData(Buffer.from(text), 0, text.length);
    return { ...rig, say, fin: () => socket!.owner?.channelEnded() };
  }

  for (const [what, text] of [
    ['a FIN in place of a body', LENGTH],
    ['a FIN in place of the first chunk', CHUNKED],
    ['a FIN in the size of the first chunk', `${CHUNKED}5`],
    ['a size of a chunk that is none', `${CHUNKED}zz\r\n`],
  ] as const) {
    it(`becomes 502 without a retry, wherever its bytes end: ${what}`, () => {
      for (let cut = 0; cut < text.length; cut++) {
        const { say, fin, log, sockets, held } = asked();
        say(text.slice(0, cut));
        say(text.slice(cut));
        fin();
        const reason = text.includes('zz') ? 'handshake' : 'reset';
        assert.deepEqual(log, [`endpoint failed: ${reason}`, '502', 'done 502'], `cut at ${cut}`);
        assert.deepEqual([sockets.length, held()], [1, 0]);
      }
    });
  }

  it('becomes 502 if its first chunk breaks before anything was sent', () => {
    const { say, log } = asked();
    say(`${CHUNKED}5\r\nhello\r\nzz\r\n`);
    assert.deepEqual(log, ['endpoint failed: handshake', '502', 'done 502']);
  });

  it('becomes 504 if no byte follows its head for idleTimeout', () => {
    const { say, log, pass } = asked();
    say(LENGTH);
    pass(4900);
    assert.deepEqual(log, []);
    pass(200);
    assert.deepEqual(log, ['endpoint failed: timeout', '504', 'done 504']);
  });

  it('becomes 503 if it is shed, or the worker ends', () => {
    for (const [done, end] of [
      ['done 503 buffer_budget', (rig: Rig) => rig.request.shed()],
      ['done 503', (rig: Rig) => rig.request.cancel()],
    ] as const) {
      const rig = asked();
      rig.say(LENGTH);
      end(rig);
      assert.deepEqual(rig.log, ['503', done]);
      assert.equal(rig.held(), 0);
    }
  });

  it('is cut after a part of its body was sent', () => {
    for (const [reason, noted, end] of [
      ['endpoint', ['endpoint failed: reset'], (rig: ReturnType<typeof asked>) => rig.fin()],
      ['endpoint', ['endpoint failed: handshake'], (rig: ReturnType<typeof asked>) => rig.say('zz\r\n')],
      ['idle_timeout', [], (rig: Rig) => rig.pass(5100)],
      ['buffer_budget', [], (rig: Rig) => rig.request.shed()],
      ['shutdown', [], (rig: Rig) => rig.request.cancel()],
    ] as const) {
      const rig = asked();
      rig.say(`${CHUNKED}5\r\nhello\r\n`);
      end(rig);
      const done = reason === 'buffer_budget' ? 'done 200 buffer_budget' : 'done 200';
      assert.deepEqual(rig.log, ['begins 200', 'writes hello', ...noted, `cut: ${reason}`, done]);
      assert.equal(rig.held(), 0);
    }
  });
});
