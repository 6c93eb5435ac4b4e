import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { testExample } from '../../support/examples/isolation.ts';
import { get, openSocket, seenIn, startServer } from '../../support/examples/servers.ts';
import { runExample, type RunningExample } from '../../support/examples/stage.ts';
import { OtlpReceiver } from '../../support/tracing/otlp-receiver.ts';

testExample(import.meta.filename, 'tracing', () => {
  let collector: OtlpReceiver;
  let sluice: RunningExample;
  before(async () => {
    collector = await OtlpReceiver.listen(4318);
    await startServer('127.0.0.1', 3000);
    sluice = await runExample(['--set', 'tracing.sample=1']);
  });
  after(async () => {
    await sluice.stop();
    collector.close();
  });

  it('exports a span of each request, whose trace the server continues', async () => {
    const { headers } = seenIn(await get('http://127.0.0.1:8080/page'));
    const span = await collector.span(({ attributes }) => attributes['url.path'] === '/page');
    assert.match(String(headers.traceparent), new RegExp(`^00-${span.traceId}-${span.spanId}-01$`, 'u'));
  });

  it('exports a span of each session, with how it ended', async () => {
    const { socket } = await openSocket('ws://127.0.0.1:8080/chat');
    socket.close(1000);
    const span = await collector.span(({ attributes }) => attributes['url.path'] === '/chat');
    assert.equal(span.status, 0);
  });
});
