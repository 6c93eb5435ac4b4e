import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { followLive, parseFrame, type OpenLive } from '../../../../src/cli/top/live-reader.ts';
import { liveFrame } from '../../../support/http/live-frame.ts';

/** Follows streams, which open one after the other, and stops after the last. */
async function follow(streams: readonly (readonly string[] | Error)[]): Promise<string[]> {
  const seen: string[] = [];
  const ending = new AbortController();
  const left = [...streams];
  const open: OpenLive = () => {
    const next = left.shift();
    if (next === undefined || next instanceof Error) return Promise.reject(next ?? new Error('no more'));
    return Promise.resolve(
      (async function* () {
        for (const text of next) yield await Promise.resolve(Buffer.from(text));
      })(),
    );
  };
  const owner = {
    onFrame: ({ uptimeSeconds }: { uptimeSeconds: number }) => void seen.push(`frame ${uptimeSeconds}`),
    onLost: (reason: string) => void seen.push(reason),
  };
  await followLive(open, owner, ending.signal, (ms) => {
    seen.push(`wait ${ms}`);
    if (left.length === 0) ending.abort();
    return Promise.resolve();
  });
  return seen;
}

const event = (second: number): string => `data: ${JSON.stringify(liveFrame(second))}\n\n`;

describe('the live frame reader', () => {
  it('passes on each frame, and reopens the stream a second after it ends', async () => {
    assert.deepEqual(await follow([[event(0) + event(1)], [event(5)]]), [
      'frame 7500',
      'frame 7501',
      'the proxy closed the stream',
      'wait 1000',
      'frame 7505',
      'the proxy closed the stream',
      'wait 1000',
    ]);
  });

  it('reports why a stream cannot be opened, and retries', async () => {
    assert.deepEqual(await follow([new Error('nobody listens'), [event(0)]]), [
      'nobody listens',
      'wait 1000',
      'frame 7500',
      'the proxy closed the stream',
      'wait 1000',
    ]);
  });

  it('reports a server that is not sluice', async () => {
    for (const data of ['hello', '1', 'null', '[]', '{}', '{"at":1,"uptimeSeconds":1}']) {
      const [reason] = await follow([[`data: ${data}\n\n`]]);
      assert.match(reason ?? '', /^the server there is not (a )?sluice/);
    }
  });

  it('ends silently when stopped, even while it opens a stream', async () => {
    const ending = new AbortController();
    const seen: string[] = [];
    const owner = { onFrame: () => seen.push('frame'), onLost: (reason: string) => seen.push(reason) };
    const open: OpenLive = (signal) =>
      new Promise((_, fail) => signal.addEventListener('abort', () => fail(new Error('aborted'))));
    const followed = followLive(open, owner, ending.signal, () => Promise.resolve());
    ending.abort();
    await followed;
    assert.deepEqual(seen, []);
  });
});

describe('a live frame', () => {
  it('contains only printable ASCII, with everything else escaped', () => {
    const { version } = parseFrame(JSON.stringify(liveFrame(0, { version: '\u001b[2J中\u202e' })));
    assert.equal(version, '\\u001b[2J\\u4e2d\\u202e');
  });
});
