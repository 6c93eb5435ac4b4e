import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LiveSet } from '../../../../src/core/collections/live-set.ts';
import { TimerWheel } from '../../../../src/core/timing/timer-wheel.ts';
import { BufferBudget } from '../../../../src/l7/buffers/buffer-budget.ts';
import { ConnectionPool } from '../../../../src/l7/http/connection-pool.ts';
import { ProxiedRequest } from '../../../../src/l7/http/proxied-request.ts';
import type { ProxyContext } from '../../../../src/l7/http/proxy-order.ts';
import { RequestWriter } from '../../../../src/l7/http/request-writer.ts';
import type { HttpReply } from '../../../../src/l7/contract/http-reply.ts';
import type { RequestBody, RequestBodySink } from '../../../../src/l7/contract/request-body.ts';
import type { UpstreamOwner, UpstreamSocket } from '../../../../src/l7/contract/upstream-socket.ts';
import { SHED_REASONS } from '../../../../src/telemetry/metrics/label-values.ts';
import { pageMetrics } from '../../../../src/telemetry/metrics/page-metrics.ts';
import { PageLayout } from '../../../../src/telemetry/page-layout.ts';
import { StatsPage, allocatePage } from '../../../../src/telemetry/stats-page.ts';
import type { Endpoint } from '../../../../src/upstream/endpoint.ts';
import { NO_EDITS } from '../../../../src/wire/http/header-edits.ts';

const KIB = 1024;

/** A body as a server hands it over: what comes while nobody reads, or the reader is busy, waits. */
class FakeBody implements RequestBody {
  received = 0;
  ended = false;
  #waiting: Buffer[] = [];
  #sink: RequestBodySink | null = null;
  #paused = false;
  #callback: () => void = () => undefined;

  get waiting(): number {
    return Buffer.concat(this.#waiting).length;
  }

  /** The client sends. */
  come(bytes: number, isLast = false): void {
    this.received += bytes;
    this.ended ||= isLast;
    if (bytes > 0) this.#waiting.push(Buffer.alloc(bytes, 'b'));
    const isRead = this.#sink !== null && !this.#paused;
    this.#drain();
    if (!isRead) this.#callback();
  }

  onWaiting(callback: () => void): void {
    this.#callback = callback;
  }

  read(sink: RequestBodySink): void {
    this.#sink = sink;
    this.resume();
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#drain();
  }

  #drain(): void {
    if (this.#sink === null) return;
    for (;;) {
      if (this.#paused) return;
      const next = this.#waiting.shift();
      if (next === undefined) break;
      this.#sink.requestData(next);
    }
    if (this.ended) this.#sink.requestEnd();
  }
}

/** An endpoint's end of a connection: what it has been sent, and whether it takes more. */
class FakeSocket implements UpstreamSocket {
  owner: UpstreamOwner | null;
  readonly fd = -1;
  writableLength = 0;
  destroyed = false;
  readonly writableEnded = false;
  received = '';
  takes = true;
  paused = false;

  constructor(owner: UpstreamOwner | null) {
    this.owner = owner;
  }

  write(bytes: Uint8Array): boolean {
    this.received += Buffer.from(bytes).toString('latin1');
    return this.takes;
  }

  writeCopy(bytes: Uint8Array): boolean {
    return this.write(bytes);
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
  }

  end(): void {
    this.destroyed = true;
  }

  destroy(): void {
    this.destroyed = true;
  }
}

interface Rig {
  readonly request: ProxiedRequest;
  readonly body: FakeBody;
  /** What the client and the statistics are told. */
  readonly log: string[];
  /** What the client takes of a response, and who waits for that. */
  readonly client: { takes: boolean; wake: () => void };
  /** Connections that were dialled. */
  readonly sockets: FakeSocket[];
  /** Connections of the endpoint that are counted now. */
  readonly held: () => number;
  /** Bound connections that count as in use. */
  readonly inUse: () => number;
  readonly buffered: () => number;
  readonly budget: BufferBudget;
  /** Moves the clock on. */
  readonly pass: (ms: number) => void;
}

/**
 * A request that has begun, and of whose body nothing has come yet.
 *
 * @param kept whether a connection waits, in the pool or bound to the client's; it is the first of the rig's sockets then
 */
function post(
  settings: Partial<ProxyContext['settings']> = {},
  chunked = false,
  { method = 'POST', kept = false, authorization = '' } = {},
): Rig {
  const log: string[] = [];
  const sockets: FakeSocket[] = [];
  const body = new FakeBody();
  let now = 0;
  let held = 0;
  let inUse = 0;
  const wheel = new TimerWheel(0);
  const layout = new PageLayout();
  for (const direction of ['downstream', 'upstream']) layout.add(pageMetrics.bufferedBytes, { direction });
  layout.add(pageMetrics.unfinishedBytes, {});
  for (const reason of SHED_REASONS) layout.add(pageMetrics.sessionsShed, { reason });
  const page = new StatsPage(allocatePage(layout), layout);
  const budget = new BufferBudget(1_000_000, page);
  const endpoint = { label: 'e', release: () => held--, countDial: () => undefined };
  const attempts = {
    lastFailure: null as string | null,
    limit: null,
    next: () => {
      held++;
      return endpoint;
    },
    fail: (_endpoint: unknown, reason: string) => {
      held--;
      attempts.lastFailure = reason;
      log.push(`endpoint failed: ${reason}`);
    },
    answered: () => undefined,
    cookieFor: () => null,
  };
  const pool = new ConnectionPool(wheel);
  if (kept) {
    sockets.push(new FakeSocket(null));
    // One that is bound stays counted.
    if (authorization !== '') held++;
    else pool.keep(endpoint as unknown as Endpoint, sockets[0]!, 60_000);
  }
  const context = {
    cluster: {
      name: 'c',
      failureLog: { write: () => undefined },
      config: { connectTimeoutMs: 5000 },
      connectDuration: { observe: () => undefined },
      attempts: () => attempts,
    },
    settings: {
      requestTimeoutMs: 60_000,
      idleTimeoutMs: 120_000,
      maxBodySize: 0,
      minBodyRate: 512,
      keepAliveMs: 60_000,
      ...settings,
    },
    wheel,
    pool,
    writer: new RequestWriter({ bytes: Buffer.alloc(64 * KIB), send: () => -1 }),
    dialler: {
      open: (_cluster: unknown, _endpoint: unknown, owner: UpstreamOwner) => {
        const socket = new FakeSocket(owner);
        sockets.push(socket);
        return socket;
      },
      downstreamTouched: () => undefined,
    },
    budget,
    bound: {
      clientOf: () => (authorization === '' ? null : {}),
      take: () => (kept ? { endpoint, socket: sockets[0] } : null),
      beginUse: () => inUse++,
      endUse: () => inUse--,
    },
    requests: new LiveSet(),
    log: { warn: () => undefined, debug: () => undefined },
  } as unknown as ProxyContext;
  const client = { takes: true, wake: (): void => undefined };
  const reply = {
    aborted: false,
    sent: 0,
    begun: false,
    onAborted: () => undefined,
    send: (status: number, _headers: unknown, body: Uint8Array | string, close = false) => {
      const text = status === 200 ? ` ${Buffer.from(body).toString()}` : '';
      log.push(`${status}${text}${close ? ' and close' : ''}`);
    },
    begin: (status: number) => log.push(`begins ${status}`),
    write(bytes: Uint8Array) {
      this.begun = true;
      log.push(`writes ${Buffer.from(bytes).toString()}`);
      return client.takes;
    },
    end: () => log.push('ends'),
    whenWritable: (callback: () => void) => {
      if (client.takes) callback();
      else client.wake = callback;
    },
    cut: (reason: string) => log.push(`cut: ${reason}`),
  };
  const framing = chunked ? ['transfer-encoding', 'chunked'] : ['content-length', '1000000'];
  const request = new ProxiedRequest(context, {
    head: { method, path: '/', query: '', headers: ['host', 'a', ...framing] },
    to: { target: '/', host: null, forwarded: [], edits: NO_EDITS },
    login: { authorizes: authorization !== '', ofRoute: '' },
    body,
    reply: reply as unknown as HttpReply,
    asker: {
      peer: '192.0.2.1',
      client: { address: '192.0.2.1' },
      connection: {},
      body,
      startedAt: 0,
    },
    pick: { address: '', sticky: [], key: null } as never,
    secure: false,
    via: false,
    requestId: 'r',
    done: (status, _, refusal) => log.push(`done ${status}${refusal === null ? '' : ` ${refusal}`}`),
  });
  request.start();
  return {
    request,
    body,
    log,
    client,
    sockets,
    held: () => held,
    inUse: () => inUse,
    buffered: () => page.values[page.slot(pageMetrics.bufferedBytes, { direction: 'upstream' })]!,
    budget,
    pass: (ms) => {
      for (const end = now + ms; now < end;) wheel.advance((now = Math.min(end, now + 100)));
    },
  };
}

const REFUSED_SLOW = ['408 and close', 'done 408 body_too_slow'];

describe('a request with a body', () => {
  it('takes a connection when 16 KiB have come, and not before', () => {
    const { body, sockets, held } = post();
    body.come(1);
    body.come(16 * KIB - 2);
    assert.deepEqual([sockets.length, held()], [0, 0]);
    body.come(1);
    assert.deepEqual([sockets.length, held()], [1, 1]);
    sockets[0]!.owner!.upstreamConnected();
    const [, sent] = sockets[0]!.received.split('\r\n\r\n');
    assert.equal(sent, 'b'.repeat(16 * KIB));
  });

  for (const chunked of [false, true]) {
    it(`takes a connection when all of it has come${chunked ? ' in chunks' : ''}`, () => {
      const { body, sockets, held } = post({}, chunked);
      body.come(3);
      assert.equal(held(), 0);
      body.come(2, true);
      assert.equal(held(), 1);
      sockets[0]!.owner!.upstreamConnected();
      const sent = sockets[0]!.received.slice(sockets[0]!.received.indexOf('\r\n\r\n') + 4);
      assert.equal(sent.replaceAll(/[^b]/g, ''), 'bbbbb');
    });
  }

  it('takes a connection at once where there is no minimum rate', () => {
    const { sockets, held, pass, log } = post({ minBodyRate: 0 });
    assert.deepEqual([sockets.length, held()], [1, 1]);
    sockets[0]!.owner!.upstreamConnected();
    pass(60_000);
    assert.deepEqual(log, []);
  });

  it('counts in the buffers while its endpoint is dialled, whatever the minimum rate', () => {
    for (const minBodyRate of [0, 512]) {
      const { body, buffered } = post({ minBodyRate });
      body.come(20 * KIB);
      assert.equal(buffered(), 20 * KIB);
    }
  });

  it('is refused with 408 when 10 seconds have brought too little, without ever having had a connection', () => {
    const { body, log, sockets, pass } = post();
    body.come(1);
    pass(9900);
    assert.deepEqual(log, []);
    pass(300);
    assert.deepEqual(log, REFUSED_SLOW);
    assert.equal(sockets.length, 0);
  });

  it('is refused when nothing comes at all', () => {
    const { log, pass } = post();
    pass(10_200);
    assert.deepEqual(log, REFUSED_SLOW);
  });

  it('is let live while it is just fast enough, and refused when it becomes slower', () => {
    const { body, log, sockets, held, pass } = post();
    for (let second = 0; second < 60; second++) {
      body.come(520);
      pass(1000);
      if (second === 32) sockets[0]!.owner!.upstreamConnected();
    }
    assert.deepEqual([log, held()], [[], 1]);
    pass(4000);
    assert.deepEqual(log, REFUSED_SLOW);
    assert.deepEqual([held(), sockets[0]!.destroyed], [0, true]);
  });

  it('is never blamed for an endpoint that takes nothing, or does not accept', () => {
    const { body, log, sockets, pass } = post({ idleTimeoutMs: 0 });
    body.come(20 * KIB);
    const [socket] = sockets;
    pass(4000);
    socket!.takes = false;
    socket!.owner!.upstreamConnected();
    pass(600_000);
    assert.deepEqual(log, []);
    socket!.takes = true;
    socket!.owner!.upstreamDrained!();
    // 20 KiB at 512 B/s are 40 seconds of its own.
    pass(39_000);
    assert.deepEqual(log, []);
    pass(2000);
    assert.deepEqual(log, REFUSED_SLOW);
  });

  it('is not blamed once all of it has come', () => {
    const { body, log, sockets, pass } = post();
    body.come(5, true);
    sockets[0]!.owner!.upstreamConnected();
    pass(30_000);
    assert.deepEqual(log, []);
  });

  it('is not held to its rate once the endpoint answers', () => {
    const { body, log, sockets, pass } = post();
    body.come(20 * KIB);
    const { owner } = sockets[0]!;
    owner!.upstreamConnected();
    const answer = Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n');
    owner!.upstreamData(answer, 0, answer.length);
    pass(100_000);
    assert.deepEqual(log, []);
  });

  it('is refused when it is silent for idleTimeout', () => {
    const { body, log, pass } = post({ idleTimeoutMs: 2000 });
    body.come(1);
    pass(2200);
    assert.deepEqual(log, ['408 and close', 'done 408 body_idle']);
  });

  it('is refused when it is too large before a connection is taken', () => {
    const { body, log, sockets } = post({ maxBodySize: 10 }, true);
    body.come(11);
    assert.deepEqual(log, ['413 and close', 'done 413 body_too_large']);
    assert.equal(sockets.length, 0);
  });

  it('counts what waits in the budget, until it is over', () => {
    const { body, log, sockets, buffered, pass } = post();
    body.come(1000);
    assert.equal(buffered(), 1000);
    body.come(19_000);
    assert.equal(buffered(), 20_000);
    sockets[0]!.owner!.upstreamConnected();
    assert.equal(buffered(), 20_000, 'kept for another endpoint');
    pass(100_000);
    assert.deepEqual(log, REFUSED_SLOW);
    assert.equal(buffered(), 0);
  });

  it('is shed when the budget is exhausted', () => {
    const { body, log, buffered, budget } = post();
    body.come(1000);
    budget.resize(10);
    body.come(1);
    assert.deepEqual(log, ['503', 'done 503 buffer_budget']);
    assert.equal(buffered(), 0);
    body.come(20 * KIB);
    assert.equal(buffered(), 0);
  });
});

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
    const say = (text: string): void => socket!.owner?.upstreamData(Buffer.from(text), 0, text.length);
    return { ...rig, say, fin: () => socket!.owner?.upstreamEnded() };
  }

  for (const [what, text] of [
    ['a FIN in place of a body', LENGTH],
    ['a FIN in place of the first chunk', CHUNKED],
    ['a FIN in the size of the first chunk', `${CHUNKED}5`],
    ['a size of a chunk that is none', `${CHUNKED}zz\r\n`],
  ] as const) {
    it(`becomes 502 and is not tried again, wherever its bytes are cut: ${what}`, () => {
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

  it('becomes 502 if the break comes with the first chunk, of which nothing has left', () => {
    const { say, log } = asked();
    say(`${CHUNKED}5\r\nhello\r\nzz\r\n`);
    assert.deepEqual(log, ['endpoint failed: handshake', '502', 'done 502']);
  });

  it('becomes 504 if nothing follows its head for idleTimeout', () => {
    const { say, log, pass } = asked();
    say(LENGTH);
    pass(4900);
    assert.deepEqual(log, []);
    pass(200);
    assert.deepEqual(log, ['endpoint failed: timeout', '504', 'done 504']);
  });

  it('becomes 503 if the memory is needed, or the worker ends', () => {
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

  it('is cut once a part of its body has left', () => {
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

describe('a connection that is kept', () => {
  it('loses nothing of a body if it turns out to be closed, although more comes while another is dialled', () => {
    const { body, sockets, held } = post({}, false, { method: 'PUT', kept: true });
    body.come(20 * KIB);
    sockets[0]!.owner!.upstreamClosed(null);
    assert.equal(sockets.length, 2);
    for (let count = 0; count < 8; count++) body.come(20 * KIB, count === 7);
    sockets[1]!.owner!.upstreamConnected();
    const [, sent = ''] = sockets[1]!.received.split('\r\n\r\n');
    assert.deepEqual([sent.length, held()], [180 * KIB, 1]);
  });

  it('is replaced at the same endpoint only, if the request authenticates its connection', () => {
    const { body, sockets, log, held, inUse } = post({}, false, {
      method: 'PUT',
      kept: true,
      authorization: 'NTLM x',
    });
    body.come(1, true);
    assert.equal(inUse(), 1);
    sockets[0]!.owner!.upstreamClosed(null);
    assert.equal(inUse(), 1);
    sockets[1]!.owner!.upstreamClosed(Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }));
    assert.deepEqual(log, ['endpoint failed: refused', '502', 'done 502']);
    assert.deepEqual([sockets.length, held(), inUse()], [2, 0, 0]);
  });

  it('is read again, although its last response came faster than the client took it', () => {
    const { body, client, sockets } = post();
    body.come(1, true);
    const [socket] = sockets;
    socket!.owner!.upstreamConnected();
    client.takes = false;
    const text = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n1\r\nb\r\n0\r\n\r\n';
    socket!.owner!.upstreamData(Buffer.from(text), 0, text.length);
    assert.deepEqual([socket!.destroyed, socket!.paused], [false, false]);
  });

  it('frees its endpoint when the response has come, and is over when the client has taken it', () => {
    const { body, client, sockets, log, held } = post();
    body.come(1, true);
    const [socket] = sockets;
    socket!.owner!.upstreamConnected();
    assert.equal(held(), 1);
    const say = (text: string): void => socket!.owner!.upstreamData(Buffer.from(text), 0, text.length);
    say('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n');
    client.takes = false;
    say('0\r\n\r\n');
    assert.deepEqual([log.at(-1), socket!.destroyed, held()], ['ends', false, 0]);
    client.wake();
    assert.equal(log.at(-1), 'done 200');
  });
});
