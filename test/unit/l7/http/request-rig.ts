import { mock } from 'node:test';
import { LiveSet, type LiveMember } from '../../../../src/core/collections/live-set.ts';
import { TimerWheel } from '../../../../src/core/timing/timer-wheel.ts';
import { BufferBudget } from '../../../../src/l7/buffers/buffer-budget.ts';
import type { HeaderList, HttpReply } from '../../../../src/l7/contract/http-reply.ts';
import type { UpstreamOwner } from '../../../../src/l7/contract/upstream-socket.ts';
import { ConnectionPool } from '../../../../src/l7/http/connection-pool.ts';
import { ProxiedRequest } from '../../../../src/l7/http/proxied-request.ts';
import type { ProxyContext } from '../../../../src/l7/http/proxy-order.ts';
import { RequestWriter } from '../../../../src/l7/http/request-writer.ts';
import { SHED_REASONS } from '../../../../src/telemetry/metrics/label-values.ts';
import { pageMetrics } from '../../../../src/telemetry/metrics/page-metrics.ts';
import { PageLayout } from '../../../../src/telemetry/page-layout.ts';
import { StatsPage, allocatePage } from '../../../../src/telemetry/stats-page.ts';
import type { Endpoint } from '../../../../src/upstream/endpoint.ts';
import { NO_EDITS } from '../../../../src/wire/http/header-edits.ts';
import { endsOf } from '../connection-ends.ts';
import { FakeSocket } from '../upstream/fake-socket.ts';
import { FakeBody } from './fake-body.ts';

export const KIB = 1024;
/** Headers of responses that the proxy adds itself. */
const ADDED: ReadonlySet<string> = new Set(['Via', 'Set-Cookie', 'Trailer']);

export interface Rig {
  readonly request: ProxiedRequest;
  readonly body: FakeBody;
  /** Events of the client and the statistics. */
  readonly log: string[];
  /** The client: whether it takes response bytes, how to wake its writer, and how it leaves. */
  readonly client: {
    takes: boolean;
    /** Whether its engine sends heads alone. */
    takesHeads: boolean;
    /** Whether its engine sends trailers. */
    hasTrailers: boolean;
    wake: () => void;
    go: () => void;
    /** What its engine has answered by itself when it goes. */
    refusedAs: 400 | null;
  };
  /** Connections that were dialled. */
  readonly sockets: FakeSocket[];
  /** The log lines of failed attempts, and what the outlier detection counts. */
  /** The reasons given to `done` for the proxy's own answer, in words. */
  readonly reasons: string[];
  readonly failures: string[];
  /** For each choice of an endpoint, whether a connection in the pool spares the dial. */
  readonly spared: boolean[];
  /** Connections of the endpoint that are counted now. */
  readonly held: () => number;
  /** Its number grows when new connections prove the endpoint in another way. */
  readonly endpoint: { tlsGeneration: number };
  /** The statuses that the outlier detection has got. */
  readonly statuses: number[];
  /** How long the endpoint took for each of them. */
  readonly answerSeconds: number[];
  /** The requests of the worker that are not over. */
  readonly requests: LiveSet<LiveMember & { cancel(): void }>;
  /** How often the client's side was said to have changed. */
  readonly touched: () => number;
  /** Ends the search for the client's connection. */
  readonly identify: () => void;
  /** Bound connections that count as in use. */
  readonly inUse: () => number;
  readonly buffered: () => number;
  readonly budget: BufferBudget;
  /** Moves the clock on. */
  readonly pass: (ms: number) => void;
}

/**
 * A request that has begun, without any bytes of its body yet.
 *
 * @param kept whether a connection waits, in the pool or bound to the client's; it is the first of the rig's
 * sockets then
 * @param pooled whether a connection waits in the pool, also if the request has credentials
 * @param unidentified whether the client's connection must be searched for
 * @param via whether Via headers are added to responses
 * @param dropped names of headers that the route drops
 * @param own names of headers that no client may send
 * @param early the whole body, if it arrived before the request begins
 * @param proxyProtocol the cluster's setting
 * @param admittedAt time at which its credentials were checked; the clock shows 0
 * @param cookie cookie that brings the client back to its endpoint
 */
export function post(
  settings: Partial<ProxyContext['settings']> = {},
  chunked = false,
  {
    method = 'POST',
    kept = false,
    pooled = false,
    authorization = '',
    endpoints = Infinity,
    bodiless = false,
    unidentified = false,
    via = false,
    cookie = null as string | null,
    dropped = [] as readonly string[],
    own = [] as readonly string[],
    proxyProtocol = 'off',
    early = 0,
    admittedAt = 0,
  } = {},
): Rig {
  const log: string[] = [];
  const reasons: string[] = [];
  const failures: string[] = [];
  const spared: boolean[] = [];
  const statuses: number[] = [];
  const answerSeconds: number[] = [];
  let touched = 0;
  let identify = (): void => undefined;
  let given = 0;
  const sockets: FakeSocket[] = [];
  const body = new FakeBody();
  if (early > 0) body.come(early, true);
  let now = 0;
  let held = 0;
  let inUse = 0;
  mock.method(performance, 'now', () => now);
  const wheel = new TimerWheel(0);
  const layout = new PageLayout();
  for (const direction of ['downstream', 'upstream']) layout.add(pageMetrics.bufferedBytes, { direction });
  layout.add(pageMetrics.unfinishedBytes, {});
  for (const reason of SHED_REASONS) layout.add(pageMetrics.sessionsShed, { reason });
  const page = new StatsPage(allocatePage(layout), layout);
  const budget = new BufferBudget(1_000_000, page);
  const endpoint = { label: 'e', tlsGeneration: 0, release: () => held--, countDial: () => undefined };
  const attempts = {
    lastFailure: null as string | null,
    limit: null,
    next: (hasConnection: (of: unknown) => boolean = () => false) => {
      spared.push(hasConnection(endpoint));
      if (given === endpoints) return null;
      given++;
      held++;
      return endpoint;
    },
    fail: (_endpoint: unknown, reason: string, kind: string | null) => {
      held--;
      failures.push(kind ?? 'counts as nothing');
      attempts.lastFailure = reason;
      log.push(`endpoint failed: ${reason}`);
    },
    answered: (_endpoint: unknown, status: number, seconds: number) => {
      statuses.push(status);
      answerSeconds.push(seconds);
    },
    cookieFor: () => cookie,
  };
  const pool = new ConnectionPool(wheel);
  if (kept || pooled) {
    sockets.push(new FakeSocket(null));
    // One that is bound stays counted.
    if (authorization !== '' && !pooled) held++;
    else pool.keep(endpoint as unknown as Endpoint, sockets[0]!, 60_000);
  }
  const requests: Rig['requests'] = new LiveSet();
  const context = {
    cluster: {
      name: 'c',
      failureLog: {
        write: (_log: unknown, { detail }: { detail: string }) => failures.push(detail),
      },
      config: { connectTimeoutMs: 5000, proxyProtocol },
      connectDuration: { observe: () => undefined },
      attempts: () => attempts,
    },
    reserved: new Set(own),
    settings: {
      requestTimeoutMs: 60_000,
      idleTimeoutMs: 120_000,
      maxBodySize: 0,
      minBodyRate: 512,
      keepAliveMs: 60_000,
      bodyTimeoutMs: 0,
      ...settings,
    },
    wheel,
    pool,
    writer: new RequestWriter({ bytes: Buffer.alloc(64 * KIB), send: () => -1 }),
    dialler: {
      open: (_cluster: unknown, _endpoint: unknown, owner: UpstreamOwner, preface: Buffer | null) => {
        if (preface !== null) log.push(`first ${preface.toString('latin1').trim()}`);
        const socket = new FakeSocket(owner);
        sockets.push(socket);
        return socket;
      },
    },
    budget,
    bound: {
      clientOf: () => (authorization === '' || unidentified ? null : {}),
      identify: (_requester: unknown, found: (client: object) => void) => {
        identify = () => found({});
        return () => log.push('search ended');
      },
      take: () => (kept ? { endpoint, socket: sockets[0] } : null),
      beginUse: () => inUse++,
      endUse: () => inUse--,
      identifyNow: () => (unidentified ? null : {}),
      keep: () => log.push('connection kept'),
    },
    requests,
    log: { warn: () => undefined, debug: () => undefined },
  } as unknown as ProxyContext;
  const client = {
    takes: true,
    takesHeads: false,
    hasTrailers: true,
    wake: (): void => undefined,
    go: (): void => undefined,
    refusedAs: null as 400 | null,
  };
  const reply = {
    pages: null,
    aborted: false,
    get refusedAs(): 400 | null {
      return client.refusedAs;
    },
    sent: 0,
    begun: false,
    onAborted: (callback: () => void) => (client.go = callback),
    send: (status: number, headers: HeaderList, body: Uint8Array | string, close = false) => {
      for (const [name, value] of headers) if (ADDED.has(name)) log.push(`${name}: ${value}`);
      const text = status === 200 ? ` ${Buffer.from(body).toString()}` : '';
      log.push(`${status}${text}${close ? ' and close' : ''}`);
    },
    get sendsTrailers() {
      return client.hasTrailers;
    },
    sendInterim: (status: number, headers: HeaderList) =>
      log.push(`informs ${status} ${headers.flat().join(' ')}`),
    begin: (status: number, headers: HeaderList) => {
      for (const [name, value] of headers) if (ADDED.has(name)) log.push(`${name}: ${value}`);
      log.push(`begins ${status}`);
    },
    beginAndFlush(status: number) {
      if (!client.takesHeads) return false;
      this.begun = true;
      log.push(`head ${status}`);
      return true;
    },
    write(bytes: Uint8Array) {
      this.begun = true;
      log.push(`writes ${Buffer.from(bytes).toString()}`);
      return client.takes;
    },
    end: (_chunk: unknown, trailers: HeaderList = []) =>
      log.push(['ends', ...trailers.map((line) => line.join(': '))].join(', ')),
    whenWritable: (callback: () => void) => {
      if (client.takes) callback();
      else client.wake = callback;
    },
    cut: (reason: string) => log.push(`cut: ${reason}`),
  };
  const length = chunked ? ['transfer-encoding', 'chunked'] : ['content-length', '1000000'];
  const framing = bodiless ? [] : length;
  const request = new ProxiedRequest(context, {
    head: { method, path: '/', query: '', headers: ['host', 'a', ...framing] },
    to: { target: '/', host: null, forwarded: [], edits: { ...NO_EDITS, dropped: new Set(dropped) } },
    login: { authorizes: authorization !== '', routeCredentials: '' },
    body: bodiless ? null : body,
    reply: reply as unknown as HttpReply,
    requester: {
      peer: '192.0.2.1',
      client: { address: '192.0.2.1' },
      engine: { clients: null, clientsTouched: () => touched++ },
      connection: {},
      body,
      startedAt: 0,
      ends: () => endsOf('192.0.2.1'),
    },
    pick: { address: '', sticky: [], key: null } as never,
    secure: false,
    via,
    requestId: 'r',
    admittedAt,
    done: (status, _, refusal, __, own) => {
      log.push(`done ${status}${refusal === null ? '' : ` ${refusal}`}`);
      if (own !== null) reasons.push(`${own.reason}: ${own.detail}`);
    },
  });
  request.start();
  return {
    request,
    body,
    log,
    reasons,
    failures,
    spared,
    endpoint,
    statuses,
    answerSeconds,
    requests,
    touched: () => touched,
    identify: () => identify(),
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
