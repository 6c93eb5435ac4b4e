import { OpenAdmission } from '../../../../src/access/admission/open-admission.ts';
import { mock } from 'node:test';
import { LiveSet } from '../../../../src/core/collections/live-set.ts';
import { TimerWheel } from '../../../../src/core/timing/timer-wheel.ts';
import type { HeaderList } from '../../../../src/l7/contract/http-reply.ts';
import type { UpgradeReply } from '../../../../src/l7/contract/upgrade-reply.ts';
import type { UpstreamOwner } from '../../../../src/l7/contract/upstream-socket.ts';
import type { ClusterGate, Entrant } from '../../../../src/l7/websocket/handshakes/handshake-gate.ts';
import type { UpgradeContext, UpgradeOrder } from '../../../../src/l7/websocket/upgrade-order.ts';
import { Upgrade } from '../../../../src/l7/websocket/upgrade.ts';
import type { SessionTap, Taps } from '../../../../src/telemetry/tap/tap.ts';
import { NO_EDITS } from '../../../../src/wire/http/header-edits.ts';
import { acceptKey } from '../../../../src/wire/upgrade/accept-key.ts';
import { endsOf } from '../connection-ends.ts';
import { FakeSocket } from '../upstream/fake-socket.ts';
import { NO_JOURNAL } from '../../../support/journals.ts';
import { NO_TAPS } from '../../../support/taps.ts';

export const HANDSHAKE_TIMEOUT_MS = 5000;
export const CONNECT_TIMEOUT_MS = 1000;

/** A right 101 to the key that the rig's random numbers make. */
export const SWITCH = [
  'HTTP/1.1 101 Switching Protocols',
  'Upgrade: websocket',
  'Connection: Upgrade',
  `Sec-WebSocket-Accept: ${acceptKey(Buffer.alloc(16).toString('base64'))}`,
  'X-App: 1',
  '\r\n',
].join('\r\n');

export function codedError(code: string): Error {
  return Object.assign(new Error(`connect ${code}`), { code });
}

interface Rig {
  readonly upgrade: Upgrade;
  /** Events of the client, the endpoints' counters, the logs, the gate and the session. */
  readonly log: string[];
  /** The times of handshakes that were counted, in seconds. */
  readonly durations: number[];
  /** How long the endpoints took for their answers. */
  readonly answerSeconds: number[];
  /** Connections to endpoints in the order of their dials, after the bound one. */
  readonly sockets: FakeSocket[];
  /** Connections that are counted on endpoints now. */
  readonly held: () => number;
  /** Bound connections that count as in use. */
  readonly inUse: () => number;
  /** Upgrades in progress. */
  readonly pending: () => number;
  /** Moves the clock on. */
  readonly pass: (ms: number) => void;
  /** Ends the search for the client's connection. */
  readonly identify: () => void;
}

interface Options {
  /** How many endpoints the cluster gives out. */
  readonly endpoints?: number;
  /** The gate's first answer. */
  readonly gate?: Entrant['place'];
  /** Whether a connection is bound to the client's; it is the first of the rig's sockets then. */
  readonly bound?: boolean;
  /** Whether the request authenticates its connection. */
  readonly authorizes?: boolean;
  /** Whether the client's connection is known at once. */
  readonly identified?: boolean;
  /** Whether sockets take a whole upgrade at once. */
  readonly takes?: boolean;
  /** Whether the client is still there when the endpoint has answered 101. */
  readonly accepts?: boolean;
  /** The extensions that the endpoint is offered. */
  readonly extensions?: string;
  /** Whether Via headers are added to responses. */
  readonly via?: boolean;
  readonly taps?: Taps;
  /** The cookie that brings the client back to its endpoint. */
  readonly cookie?: string | null;
  readonly connectTimeoutMs?: number;
  readonly proxyProtocol?: 'off' | 'v1';
}

/** An upgrade that has begun. */
export function upgrade({
  endpoints = 2,
  gate: gated = 'inside',
  bound = false,
  authorizes = false,
  identified = authorizes || bound,
  takes = true,
  accepts = true,
  extensions = '',
  via = false,
  taps = NO_TAPS,
  cookie = null,
  connectTimeoutMs = CONNECT_TIMEOUT_MS,
  proxyProtocol = 'off',
}: Options = {}): Rig {
  const log: string[] = [];
  const durations: number[] = [];
  const answerSeconds: number[] = [];
  const sockets: FakeSocket[] = bound ? [new FakeSocket(null)] : [];
  for (const socket of sockets) socket.takes = takes;
  let identify = (): void => undefined;
  let now = 0;
  let given = 0;
  let held = bound ? 1 : 0;
  let inUse = 0;
  mock.method(performance, 'now', () => now);
  const wheel = new TimerWheel(0);
  const endpointOf = (number: number): object => ({
    label: `e${number}`,
    release: () => held--,
    countDial: () => log.push(`e${number} dialled`),
  });
  const boundEndpoint = endpointOf(0);
  const attempts = {
    lastFailure: null as string | null,
    limit: null,
    next: () => {
      if (given === endpoints) return null;
      held++;
      return endpointOf(++given);
    },
    fail: (endpoint: { label: string }, reason: string, kind: string | null) => {
      held--;
      attempts.lastFailure = reason;
      log.push(`${endpoint.label} failed: ${reason}, counts as ${kind ?? 'nothing'}`);
    },
    succeed: ({ label }: { label: string }, seconds: number) => {
      log.push(`${label} connected`);
      answerSeconds.push(seconds);
    },
    answered: ({ label }: { label: string }, status: number, seconds: number) => {
      log.push(`${label} answered ${status}`);
      answerSeconds.push(seconds);
    },
    cookieFor: () => cookie,
  };
  const admission = new OpenAdmission('192.0.2.1', '');
  const createSession = (
    _socket: unknown,
    endpoint: { label: string; release: () => void },
    agreed: string,
  ): object => ({
    agreed,
    endpoint,
    admission,
    number: 1,
    openedAt: 0,
    extensions: agreed,
    set tap(_tap: SessionTap | null) {
      log.push('session has a tap');
    },
    endpointBegan: (bytes: Buffer) => log.push(`session got ${bytes.toString('latin1')}`),
    discard: () => {
      endpoint.release();
      log.push('session discarded');
    },
  });
  const pending = new LiveSet<Upgrade>();
  const context = {
    cluster: {
      name: 'c',
      config: { connectTimeoutMs, proxyProtocol },
      connectDuration: { observe: () => undefined },
      failureLog: {
        write: (_log: unknown, fields: { endpoint: string; requestId: string; detail: string }) =>
          log.push(`line: ${fields.endpoint} ${fields.requestId} ${fields.detail}`),
      },
      attempts: () => attempts,
    },
    listener: 'l',
    route: { name: 'r' },
    settings: { handshakeTimeoutMs: HANDSHAKE_TIMEOUT_MS },
    randomMasks: true,
    wheel,
    dialler: {
      open: (_cluster: unknown, _endpoint: unknown, owner: UpstreamOwner, preface: Buffer | null) => {
        if (preface !== null) log.push(`first ${preface.toString('latin1').trim()}`);
        const socket = new FakeSocket(owner);
        socket.takes = takes;
        sockets.push(socket);
        return socket;
      },
    },
    random: { take: (bytes: number) => Buffer.alloc(bytes) },
    relays: { of: () => ({ createSession }) },
    handshakeDuration: { observe: (seconds: number) => durations.push(seconds) },
    log: { debug: () => undefined },
    journal: NO_JOURNAL,
    taps,
    pending,
    bodyIdleTimeoutMs: 60_000,
    bound: {
      clientOf: () => (identified ? {} : null),
      identify: (_requester: unknown, found: (client: object) => void) => {
        identify = () => found({});
        return () => log.push('search ended');
      },
      take: () => (bound ? { endpoint: boundEndpoint, socket: sockets[0], accepted: true } : null),
      beginUse: () => inUse++,
      endUse: () => inUse--,
      identifyNow: () => null,
      keep: () => log.push('connection kept'),
    },
    keepAliveMs: 60_000,
    refusals: {
      refused: ({ status, reason, endpoint = '-' }: { status: number; reason: string; endpoint?: string }) =>
        log.push(`refused ${status} ${reason} at ${endpoint}`),
    },
    countCut: (reason: string) => log.push(`counted as cut: ${reason}`),
  } as unknown as UpgradeContext;
  const order = {
    head: { method: 'GET', path: '/', query: '', headers: ['host', 'a'] },
    to: { target: '/', host: null, forwarded: [], edits: NO_EDITS },
    login: { authorizes, routeCredentials: '' },
    subprotocols: [],
    extensions,
    pick: {},
    secure: false,
    via,
    client: { address: '192.0.2.1', requestId: 'id', trace: null },
    requestId: 'id',
    requester: { peer: '192.0.2.1', client: { address: '192.0.2.1' }, ends: () => endsOf('192.0.2.1') },
    place: null,
    ownSubprotocol: null,
    admission,
    engine: { clientsTouched: () => undefined },
    startedAt: 0,
  } as unknown as UpgradeOrder;
  const reply = {
    accept: (
      { agreed }: { agreed: string },
      _subprotocol: string,
      headers: readonly (readonly string[])[],
    ) => {
      if (agreed !== '') log.push(`session with ${agreed}`);
      log.push(`101 ${headers.map(([name, value]) => `${name}: ${value}`).join(', ')}`);
      return accepts;
    },
    http: {
      pages: null,
      cutBy: null as string | null,
      sendInterim: (status: number, headers: HeaderList) =>
        log.push(`informs ${status} ${headers.flat().join(' ')}`),
      send: (status: number, headers: HeaderList, body: Uint8Array | string) => {
        for (const [name, value] of headers) if (name === 'Via') log.push(`Via: ${value}`);
        log.push(`${status} ${Buffer.from(body).toString('latin1').trim()}`);
      },
      begin: (status: number) => log.push(`begins ${status}`),
      write: () => true,
      cut(reason: string) {
        this.cutBy = reason;
      },
    },
  } as unknown as UpgradeReply;
  const gate: ClusterGate = {
    enter: (entrant) => {
      entrant.place = gated;
      return gated !== 'outside';
    },
    leave: (entrant) => {
      entrant.place = 'outside';
      log.push('left');
    },
    transfer: () => undefined,
    countTimeout: () => log.push('waited too long'),
  };
  const made = new Upgrade(context, order, reply, gate);
  made.start();
  return {
    upgrade: made,
    log,
    durations,
    answerSeconds,
    sockets,
    held: () => held,
    inUse: () => inUse,
    pending: () => pending.size,
    identify: () => identify(),
    pass: (ms) => {
      for (const end = now + ms; now < end;) wheel.advance((now = Math.min(end, now + 100)));
    },
  };
}
