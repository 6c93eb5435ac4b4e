import assert from 'node:assert/strict';
import type { RequestListener } from 'node:http';
import { after, before, describe, it } from 'node:test';
import { SpanPipeline } from '../../../src/primary/tracing/span-pipeline.ts';
import { eventually } from '../../support/deadline.ts';
import { ask } from '../../support/http/http-endpoint.ts';
import { startSluice } from '../../support/processes/sluice-process.ts';
import { OtlpReceiver } from '../../support/tracing/otlp-receiver.ts';
import { spanRecord } from '../../unit/primary/tracing/spans.ts';

const BATCH = 64;
const NO_HURRY = new AbortController().signal;

/** Answers, and what becomes of a batch: exported, or failed with these words. */
const ANSWERS: readonly (readonly [what: string, RequestListener, outcome: RegExp | null])[] = [
  ['400', (_, response) => void response.writeHead(400).end('no'), /^400 Bad Request$/],
  [
    '401 with a secret in its body',
    (_, response) => void response.writeHead(401).end('s3cret'),
    /^401 Unauthorized$/,
  ],
  [
    'a redirect to elsewhere',
    (_, response) => void response.writeHead(307, { location: 'http://127.0.0.1:1/v1/traces' }).end(),
    /^307 /,
  ],
  [
    '429 for an hour',
    (_, response) => void response.writeHead(429, { 'retry-after': '3600' }).end(),
    /retryable/,
  ],
  ['503 for ever', (_, response) => void response.writeHead(503).end(), /retryable/],
  ['a connection that is cut', (request) => void request.socket.destroy(), /./],
  ['no answer at all', () => undefined, /timed out/i],
  ['200 with a body other than JSON', (_, response) => void response.end('<html>'), null],
  [
    '200 with half of the spans refused',
    (_, response) => void response.end('{"partialSuccess":{"rejectedSpans":"9"}}'),
    null,
  ],
  ['an answer without an end', endless, null],
];

function endless(...[, response]: Parameters<RequestListener>): void {
  response.writeHead(200);
  const timer = setInterval(() => response.write('x'), 100);
  response.on('close', () => clearInterval(timer));
}

describe('a collector that answers with', { concurrency: true }, () => {
  for (const [what, answer, outcome] of ANSWERS) {
    it(`${what} delays nothing for long`, async () => {
      const receiver = await OtlpReceiver.listen();
      const failures: string[] = [];
      let exported = 0;
      let failed = 0;
      receiver.answer = answer;
      const settings = { url: receiver.url, sample: 1, headers: {}, routes: {} };
      const pipeline = new SpanPipeline(settings, '0', {
        exported: (spans) => (exported += spans),
        failed: (spans, detail) => {
          failed += spans;
          failures.push(detail);
        },
      });
      for (let span = 1; span <= BATCH; span++) assert.ok(pipeline.add(spanRecord(span)));
      await eventually(() => assert.equal(exported + failed, BATCH));
      if (outcome === null) assert.equal(exported, BATCH);
      else assert.match(failures.join(), outcome);
      assert.ok(!failures.join().includes('s3cret'));
      // The next batch gets through.
      receiver.answer = null;
      for (let span = 1; span <= BATCH; span++) assert.ok(pipeline.add(spanRecord(span, recent())));
      await eventually(() => assert.equal(receiver.spans.length, BATCH));
      assert.equal(await pipeline.close(4000, NO_HURRY), 0);
      receiver.close();
    });
  }
});

describe('a collector that is dead', () => {
  let pipeline: SpanPipeline;
  let failed = 0;
  before(() => {
    const settings = { url: 'http://127.0.0.1:1/v1/traces', sample: 1, headers: {}, routes: {} };
    pipeline = new SpanPipeline(settings, '0', {
      exported: () => undefined,
      failed: (spans) => (failed += spans),
    });
  });
  after(() => pipeline.close(0, NO_HURRY));

  it('leaves a queue that is full, and an end in bounded time', async () => {
    let taken = 0;
    for (let span = 1; span <= 6000; span++) if (pipeline.add(spanRecord(span))) taken++;
    assert.ok(taken >= 4096 && taken <= 4096 + BATCH, `${taken} taken`);
    const begun = performance.now();
    const left = await pipeline.close(2000, NO_HURRY);
    assert.ok(performance.now() - begun < 10_000);
    assert.equal(left + failed, taken);
  });
});

describe('the end of the process', () => {
  it('cancels an attempt that is no longer needed', async () => {
    const receiver = await OtlpReceiver.listen();
    receiver.answer = () => undefined;
    const sluice = await startSluice({
      config: {
        workers: { l7: 1, l4: 1 },
        admin: { address: '127.0.0.1:0' },
        tracing: { url: receiver.url, sample: 1 },
        listeners: [
          {
            name: 'web',
            mode: 'l7',
            address: '127.0.0.1:0',
            routes: [{ match: {}, respond: { status: 200, body: 'x' } }],
          },
        ],
      },
    });
    for (let request = 0; request < 2 * BATCH + 1; request++) await ask(`http://${sluice.address('web')}/`);
    const askedAt = performance.now();
    sluice.kill('SIGTERM');
    await sluice.waitForLog(({ msg }) => msg === 'stopped');
    const stoppedAt = performance.now();
    assert.ok(stoppedAt - askedAt < 10_000);
    const lines = sluice.logs.map(({ msg }) => msg);
    const lost = sluice.logs[lines.indexOf('stopped') - 1];
    assert.equal(lost?.msg, 'export of spans failed');
    assert.ok(Number(lost.spans) > 0);
    const { code } = await sluice.waitForExit();
    assert.equal(code, 0);
    assert.ok(performance.now() - stoppedAt < 3000);
    receiver.close();
  });
});

describe('a change of the collector', () => {
  it('loses no queued span', async () => {
    const [first, second] = await Promise.all([OtlpReceiver.listen(), OtlpReceiver.listen()]);
    const owner = { exported: () => undefined, failed: () => assert.fail('an export failed') };
    const settings = { url: first.url, sample: 1, headers: {}, routes: {} };
    const pipeline = new SpanPipeline(settings, '0', owner);
    for (let span = 1; span <= BATCH + 10; span++) pipeline.add(spanRecord(span, recent()));
    pipeline.change({ ...settings, url: second.url });
    await eventually(() => assert.equal(first.spans.length + second.spans.length, BATCH + 10));
    assert.equal(first.spans.length, BATCH);
    await pipeline.close(4000, NO_HURRY);
    first.close();
    second.close();
  });
});

function recent(): { startedAt: number; endedAt: number } {
  return { startedAt: Date.now() - 5, endedAt: Date.now() };
}
