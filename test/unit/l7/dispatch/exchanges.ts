import assert from 'node:assert/strict';
/** Requests as an engine hands them over, and what they are answered. */
import { LiveSet } from '../../../../src/core/collections/live-set.ts';
import type { RefusedHandshakes } from '../../../../src/l7/access-log/refused-handshakes.ts';
import type { Exchange, ExchangeEngine } from '../../../../src/l7/contract/exchange.ts';
import type { ErrorPages } from '../../../../src/l7/contract/error-pages.ts';
import type { HeaderList, HttpReply, ResponseCut } from '../../../../src/l7/contract/http-reply.ts';
import type { ListenerStats, RequestStats } from '../../../../src/l7/contract/listener-stats.ts';
import type { Relay } from '../../../../src/l7/contract/relay.ts';
import type { RequestBody } from '../../../../src/l7/contract/request-body.ts';
import type { UpgradeReply } from '../../../../src/l7/contract/upgrade-reply.ts';
import { Answers } from '../../../../src/l7/dispatch/answers.ts';
import type { RoutedRequest } from '../../../../src/l7/dispatch/route-handler.ts';
import { NO_EDITS, type HeaderEdits } from '../../../../src/wire/http/header-edits.ts';
import type { RequestHead } from '../../../../src/wire/http/request-head.ts';
import { endsOf } from '../connection-ends.ts';
import type { Journal } from '../../../../src/telemetry/journal/journal.ts';
import { NO_JOURNAL } from '../../../support/journals.ts';

/** A reply that notes the answer. */
export class FakeReply implements HttpReply {
  status = 0;
  headers: HeaderList = [];
  body = '';
  /** Whether the connection ends with the answer. */
  closes = false;
  edits: HeaderEdits = NO_EDITS;
  pages: ErrorPages | null = null;
  aborted = false;
  sent = 0;
  sendsTrailers = true;
  begun = false;
  cutBy: ResponseCut | null = null;
  /** Called when the answer has been sent. */
  onSent: () => void = () => undefined;
  readonly #gone: (() => void)[] = [];

  onAborted(callback: () => void): void {
    this.#gone.push(callback);
  }

  /** The client goes. */
  abort(): void {
    this.aborted = true;
    for (const callback of this.#gone.splice(0)) callback();
  }

  sendInterim(): void {
    assert.fail();
  }
  beginAndFlush(): boolean {
    assert.fail();
  }

  send(status: number, headers: HeaderList, body: string | Uint8Array, close = false): void {
    this.status = status;
    this.headers = headers;
    this.body = Buffer.from(body).toString();
    this.closes = close;
    this.onSent();
  }

  sendHead(status: number, headers: HeaderList): void {
    this.status = status;
    this.headers = headers;
  }

  begin(status: number, headers: HeaderList): void {
    this.sendHead(status, headers);
  }

  write(): boolean {
    return true;
  }

  end(): void {
    this.begun = true;
  }

  whenWritable(callback: () => void): void {
    callback();
  }

  cut(reason: ResponseCut): void {
    this.cutBy = reason;
  }

  /** The value of a header of the answer. */
  header(name: string): string | undefined {
    return this.headers.find(([own]) => own === name)?.[1];
  }
}

/** An open body without any bytes. */
export const SILENT_BODY: RequestBody = {
  received: 0,
  waiting: 0,
  ended: false,
  onWaiting: () => undefined,
  read: () => undefined,
  pause: () => undefined,
  resume: () => undefined,
};

export type FakeExchange = Exchange & {
  readonly reply: FakeReply;
  readonly upgradeReply: UpgradeReply;
};

interface Wanted {
  readonly method?: string;
  /** With the query. */
  readonly target?: string;
  /** Beside Host, which is `example.com` unless it is among these. In lower case. */
  readonly headers?: readonly (readonly [name: string, value: string])[];
  readonly body?: RequestBody | null;
}

export function headOf({ method = 'GET', target = '/', headers = [] }: Wanted): RequestHead {
  const [path = '', query = ''] = target.split('?', 2);
  const host = headers.some(([name]) => name === 'host') ? [] : ['host', 'example.com'];
  return { method, path, query, headers: [...host, ...headers.flat()] };
}

/** Headers of a handshake that is in order. */
export const HANDSHAKE: readonly (readonly [string, string])[] = [
  ['connection', 'Upgrade'],
  ['upgrade', 'websocket'],
  ['sec-websocket-version', '13'],
  ['sec-websocket-key', 'dGhlIHNhbXBsZSBub25jZQ=='],
];

/** An engine whose relays have no sessions. */
const ENGINE: ExchangeEngine = {
  clients: null,
  passesExtensions: true,
  checksHeads: false,
  clientsTouched: () => undefined,
  createRelay: () => ({ sessions: new LiveSet() }) as unknown as Relay,
};

export function exchangeOf(wanted: Wanted = {}): FakeExchange {
  const reply = new FakeReply();
  const upgradeReply: UpgradeReply = { accept: () => false, http: reply };
  return {
    head: headOf(wanted),
    body: wanted.body ?? null,
    peer: '192.0.2.7',
    facts: { peer: '192.0.2.7', port: 80, secure: false, certificate: null, vpcEndpointId: null },
    engine: ENGINE,
    connection: {},
    client: {
      address: '192.0.2.7',
      requestId: 'id-1',
      proto: 'http',
      secure: false,
      certificate: null,
      vpcEndpointId: null,
      trace: null,
      report: null,
    },
    reply,
    startedAt: 0,
    ends: () => endsOf('192.0.2.7'),
    inFlight: null,
    admission: null,
    awaitsUpgrade: false,
    upgrade: () => upgradeReply,
    upgradeReply,
  };
}

/** A request that has found its route. */
export function routedOf(
  exchange: FakeExchange,
  groups: readonly string[] = [],
  host = 'example.com',
): RoutedRequest {
  const { head } = exchange;
  return {
    exchange,
    request: { head, host, path: head.path, spelling: null },
    wantsUpgrade: head.headers.includes('websocket'),
    entry: null,
    place: null,
    groups,
  };
}

/** The answers of a route, and what they count, in order. */
export function countedAnswers(journal: Journal = NO_JOURNAL): {
  readonly answers: Answers;
  readonly counted: string[];
} {
  const counted: string[] = [];
  const stats = {
    begun: () => counted.push('begun'),
    answered: (status: number) => counted.push(`answered ${status}`),
    cut: (reason: string) => counted.push(`cut ${reason}`),
  } as unknown as RequestStats;
  const listenerStats = {
    requestRefused: (reason: string) => counted.push(`refused ${reason}`),
    accessRefused: (reason: string) => counted.push(`access ${reason}`),
  } as unknown as ListenerStats;
  const handshakes = {
    refused: ({ reason }: { reason: string }) => counted.push(`handshake ${reason}`),
  } as unknown as RefusedHandshakes;
  const answers = new Answers({
    stats,
    listenerStats,
    journal,
    handshakes,
    listener: 'web',
    route: 'all',
  });
  return { answers, counted };
}
