import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseArguments } from '../../../../bench/options/arguments.ts';
import { shareOf, type Plan } from '../../../../bench/options/plan.ts';
import { UsageError } from '../../../../src/core/errors.ts';

const URL = 'ws://127.0.0.1:9001/';

function planOf(...argv: string[]): Plan {
  const invocation = parseArguments(argv);
  return invocation.plan;
}

function refused(argv: readonly string[], message: RegExp): void {
  assert.throws(
    () => parseArguments(argv),
    (error) => {
      assert.ok(error instanceof UsageError, String(error));
      assert.match(error.message, message);
      assert.ok(!error.message.includes('\n'));
      return true;
    },
    argv.join(' '),
  );
}

describe('the command line of the load generator', () => {
  it('has a default for everything except the URL', () => {
    assert.deepEqual(planOf(URL), {
      target: { protocol: 'ws', host: '127.0.0.1', port: 9001, path: '/' },
      scenario: 'echo',
      connections: 10,
      durationMs: 10_000,
      warmupMs: 500,
      rampMs: 0,
      timeoutMs: 10_000,
      inFlight: 1,
      sizes: { kind: 'fixed', size: 32 },
      rate: null,
      threads: 1,
      text: false,
      subprotocols: [],
      headers: [],
      insecure: false,
      resume: false,
      replay: null,
    });
  });

  it('reads every option, long and short', () => {
    const long =
      '--connections=50 --duration 3 --in-flight 16 --size 1KiB --rate 2500.5 --workers 2 --ramp 2s ' +
      '--warmup 100ms --timeout 1m --text --subprotocol a --subprotocol b --insecure --scenario upload';
    const short = '-c 50 -d 3s -m 16 -s 1KiB -R 2500.5 -w 2 --ramp 2 --warmup 100ms --timeout 60';
    const expected = {
      connections: 50,
      durationMs: 3000,
      inFlight: 16,
      sizes: { kind: 'fixed', size: 1024 },
      rate: 2500.5,
      threads: 2,
      rampMs: 2000,
      warmupMs: 100,
      timeoutMs: 60_000,
    };
    const fromLong = planOf(...long.split(' '), URL);
    assert.deepEqual({ ...fromLong, ...expected }, fromLong);
    assert.ok(fromLong.text && fromLong.insecure && fromLong.scenario === 'upload');
    assert.deepEqual(fromLong.subprotocols, ['a', 'b']);
    const fromShort = planOf(URL, ...short.split(' '));
    assert.deepEqual({ ...fromShort, ...expected }, fromShort);
  });

  it('reads the options of a replay', () => {
    const invocation = parseArguments([URL, '--replay', 'a.jsonl']);
    assert.equal(invocation.plan.scenario, 'replay');
    assert.equal(invocation.plan.warmupMs, 0);
    assert.deepEqual(invocation.replay, {
      file: 'a.jsonl',
      speed: 1,
      expect: 'count',
      redact: [],
      connections: null,
      workers: 1,
    });
    const all =
      '--replay a.jsonl --scenario replay --speed 2.5 --expect same --redact $.a --redact /b/ -c 7 -w 3';
    const given = parseArguments([URL, ...all.split(' ')]);
    assert.deepEqual(given.replay, {
      file: 'a.jsonl',
      speed: 2.5,
      expect: 'same',
      redact: ['$.a', '/b/'],
      connections: 7,
      workers: 3,
    });
    const echo = parseArguments([URL]);
    assert.ok(echo.replay === null);
  });

  it('refuses conflicting replay options, and options without effect on a replay', () => {
    const replay = ['--replay', 'a.jsonl'];
    refused([URL, '--scenario', 'replay'], /--scenario replay needs --replay FILE/);
    refused([URL, '--scenario', 'echo', ...replay], /--scenario echo conflicts with --replay/);
    for (const speed of ['0', '-1', 'x', '1e9', '2000000'])
      refused([URL, ...replay, `--speed=${speed}`], /--speed/);
    refused([URL, ...replay, '--expect', 'all'], /there are same, count, none/);
    refused([URL, '--speed', '2'], /--speed needs --replay FILE/);
    refused([URL, '--redact', '$.a'], /--redact needs --replay FILE/);
    for (const option of [
      ['-R', '5'],
      ['-s', '5'],
      ['-m', '5'],
      ['--text'],
      ['--ramp', '5'],
      ['--warmup', '5'],
    ]) {
      refused([URL, ...replay, ...option], /has no effect with --replay/);
    }
    refused(['tcp://127.0.0.1:1', ...replay], /is for WebSockets/);
  });

  it('reads headers, and trims their values', () => {
    const { headers } = planOf(URL, '-H', 'x-tier:  gold ', '--header', 'cookie: a=b; c=d');
    assert.deepEqual(headers, [
      ['x-tier', 'gold'],
      ['cookie', 'a=b; c=d'],
    ]);
  });

  it('allows more messages in flight by default if a rate is given', () => {
    assert.equal(planOf(URL, '-R', '100').inFlight, 256);
    assert.equal(planOf(URL, '-R', '100', '-m', '3').inFlight, 3);
  });

  it('accepts --resume only for targets with TLS', () => {
    assert.equal(planOf('wss://127.0.0.1:9001/', '--resume').resume, true);
    assert.throws(() => planOf(URL, '--resume'), /^UsageError: --resume has no effect: ws:\/\/ has no TLS$/);
  });

  it('has at most as many threads as connections', () => {
    assert.equal(planOf(URL, '-c', '2', '-w', '8').threads, 2);
  });

  it('spreads all connections evenly over the threads', () => {
    for (const [count, threads] of [
      [10, 3],
      [2, 2],
      [5000, 7],
    ] as const) {
      const shares = Array.from({ length: threads }, (_, thread) => shareOf(count, thread, threads));
      assert.equal(
        shares.reduce((sum, share) => sum + share),
        count,
      );
      assert.ok(Math.max(...shares) - Math.min(...shares) <= 1);
    }
  });

  it('reads targets of every protocol', () => {
    const targets = {
      'ws://example.com': { protocol: 'ws', host: 'example.com', port: 80, path: '/' },
      'WSS://[::1]/a?b=c': { protocol: 'wss', host: '::1', port: 443, path: '/a?b=c' },
      'tcp://127.0.0.1:7': { protocol: 'tcp', host: '127.0.0.1', port: 7, path: '/' },
      'tls://example.com:7/': { protocol: 'tls', host: 'example.com', port: 7, path: '/' },
    };
    for (const [url, target] of Object.entries(targets)) assert.deepEqual(planOf(url).target, target);
  });

  it('refuses invalid arguments with a one-line error that names the fault', () => {
    refused([], /no URL given/);
    refused([URL, URL], /one URL/);
    refused(['http://127.0.0.1/'], /begins with ws:\/\//);
    refused(['ws://'], /not a URL|no host/);
    refused(['ws://a:b@example.com/'], /Authorization/);
    refused(['tcp://example.com'], /write the port/);
    refused(['tcp://example.com:7/path'], /no path/);
    refused([URL, '--connection', '3'], /unknown option --connection/);
    refused([URL, '-c'], /-c needs a value/);
    refused([URL, '-c', '-d'], /-c needs a value/);
    refused([URL, '-c', '0'], /--connections 0: write a whole number above 0/);
    refused([URL, '-c', '1.5'], /whole number/);
    refused([URL, '-c', 'many'], /whole number/);
    refused([URL, '-c', '1', '-c', '2'], /-c is given twice/);
    refused([URL, '-d', 'x'], /--duration x: write a time/);
    refused([URL, '-d', '0'], /--duration 0/);
    refused([URL, '-s', '5-3'], /--size 5-3: write a size/);
    refused([URL, '-s', '1GiB'], /64MiB at most/);
    refused([URL, '-R', '0'], /--rate 0/);
    refused([URL, '--text=yes'], /takes no value/);
    refused([URL, '-H', 'no colon'], /Name: value/);
    refused([URL, '-H', 'a: b\r\nc: d'], /Name: value/);
    refused([URL, '-H', 'Sec-WebSocket-Key: x'], /makes this header itself/);
    refused([URL, '--subprotocol', 'a b'], /one word/);
    refused([URL, '--json', '--csv'], /exclude each other/);
    refused([URL, '--scenario', 'eco'], /there are echo, fan-out/);
    refused([URL, '--assert', 'p99'], /--assert p99/);
  });

  it('refuses options that do not suit the target or the scenario', () => {
    refused(['tcp://127.0.0.1:7', '--text'], /--text is for WebSockets/);
    refused(['tcp://127.0.0.1:7', '--scenario', 'upload'], /for WebSockets/);
    refused(['tcp://127.0.0.1:7', '-s', '0'], /empty message/);
    refused([URL, '--scenario', 'idle', '-R', '5'], /--rate has no effect/);
    refused([URL, '--scenario', 'connect', '-s', '5'], /--size has no effect/);
    refused([URL, '--scenario', 'fan-out', '-s', '31'], /32 bytes at least/);
    refused([URL, '--scenario', 'upload', '-s', '1MiB', '-m', '1000'], /lower one/);
  });
});
