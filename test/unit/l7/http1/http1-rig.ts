/** A listener of the HTTP/1.x engine whose clients, clock and dispatcher a test plays. */
import assert from 'node:assert/strict';
import type { HttpSettings } from '../../../../src/config/types/listener.ts';
import { TimerWheel } from '../../../../src/core/timing/timer-wheel.ts';
import { ChannelWriter, WRITER_SLAB_BYTES } from '../../../../src/l7/buffers/channel-writer.ts';
import type { EngineRefusal, ListenerOwner } from '../../../../src/l7/contract/engine.ts';
import type { Exchange } from '../../../../src/l7/contract/exchange.ts';
import { sendRefusal } from '../../../../src/l7/contract/own-refusal.ts';
import type { RequestBody } from '../../../../src/l7/contract/request-body.ts';
import { Http1Listener } from '../../../../src/l7/http1/http1-listener.ts';
import { Pipelines } from '../../../../src/l7/http1/pipelines.ts';
import type { ClientOwner } from '../../../../src/transport/client-transport.ts';
import { l7Listener } from '../../primary/fixtures/config.ts';
import { FakeChannel } from './fake-channel.ts';

type Handler = (exchange: Exchange) => void;

export interface Http1Rig {
  readonly listener: Http1Listener;
  /** The requests in order. */
  readonly exchanges: Exchange[];
  /** The refusals of the engine, in order. */
  readonly refusals: EngineRefusal[];
  /** Events that the listener's owner received, in order. */
  readonly told: string[];
  /** A client connects. */
  readonly connect: () => FakeChannel;
  /** Lets the clock run, in steps of a tick. */
  readonly pass: (ms: number) => void;
  /** Ends the turn of the loop. */
  readonly endTurn: () => void;
  /** Begins another turn of the loop. */
  readonly nextTurn: () => void;
}

/** @param handle answers requests; by default with 200 and the path */
export function http1Rig(
  handle: Handler = ({ head, reply }) => reply.send(200, [], head.path),
  http: Partial<HttpSettings> = {},
): Http1Rig {
  const exchanges: Exchange[] = [];
  const refusals: EngineRefusal[] = [];
  const told: string[] = [];
  const wheel = new TimerWheel(0);
  const deferred: (() => void)[] = [];
  const later: (() => void)[] = [];
  let entrance: ClientOwner | null = null;
  let clock = 0;
  const owner: ListenerOwner = {
    passthrough: null,
    dispatcher: {
      identify: (_, { peer }) => ({
        address: peer,
        requestId: 'id',
        proto: 'http',
        secure: false,
        certificate: null,
        vpcEndpointId: null,
        trace: null,
        report: null,
      }),
      dispatch: (exchange) => {
        exchanges.push(exchange);
        handle(exchange);
      },
      refuse: (exchange, refusal) => {
        refusals.push(refusal);
        sendRefusal(exchange.reply, refusal.status, refusal.detail, true);
      },
      over: () => told.push('over'),
    },
    logsUnused: true,
    connectionOpened: () => told.push('opened') > 0,
    connectionClosed: () => told.push('closed'),
    connectionTunnelled: () => told.push('tunnelled'),
    connectionRejected: ({ reason }) => told.push(`rejected ${reason}`),
    connectionUnused: (reason, peer, seconds) => told.push(`unused ${reason} ${peer} ${Math.round(seconds)}`),
    acceptFailed: () => false,
    acceptFault: () => told.push('fault'),
  };
  const listener = new Http1Listener({ ...l7Listener, http: { ...l7Listener.http, ...http } }, owner, {
    engine: {
      clients: null,
      passesExtensions: true,
      checksHeads: true,
      createRelay: () => assert.fail('no session is made'),
      clientsTouched: () => undefined,
    },
    ticketKeys: () => assert.fail('there is no TLS'),
    transport: {
      createTls: () => assert.fail('there is no TLS'),
      createAcceptor: (_, clients) => {
        entrance = clients;
        return {
          listen: () => undefined,
          listens: true,
          handOver: () => undefined,
          stop: () => undefined,
          closeArrivals: () => undefined,
        };
      },
    },
    wheel,
    writer: new ChannelWriter({ bytes: Buffer.alloc(WRITER_SLAB_BYTES), send: () => -1 }),
    pipelines: new Pipelines(
      (callback) => deferred.push(callback),
      (callback) => later.push(callback),
    ),
  });
  void listener.listen();
  return {
    listener,
    exchanges,
    refusals,
    told,
    connect: () => {
      const channel = new FakeChannel(() => entrance!.clientClosed(channel));
      if (entrance!.clientArrived(undefined))
        entrance!.clientAccepted(channel, { address: '192.0.2.7', proxy: null, tls: null });
      else channel.destroy();
      return channel;
    },
    pass: (ms) => {
      for (const end = clock + ms; clock < end;) wheel.advance((clock += 100));
    },
    endTurn: () => {
      for (const callback of deferred.splice(0)) callback();
    },
    nextTurn: () => {
      for (const callback of later.splice(0)) callback();
    },
  };
}

/** A request without a body. @param lines header lines beside Host */
export function ask(path: string, ...lines: readonly string[]): string {
  return [`GET ${path} HTTP/1.1`, 'Host: a', ...lines, '', ''].join('\r\n');
}

/** The status lines of what a client got, in order. */
export function statuses(text: string): number[] {
  return Array.from(text.matchAll(/HTTP\/1\.1 (\d{3}) /g), ([, status]) => Number(status));
}

/** Reads a whole body as text. */
export function collect(body: RequestBody, done: (text: string) => void): void {
  let text = '';
  body.read({
    requestData: (bytes) => {
      text += Buffer.from(bytes).toString('latin1');
    },
    requestEnd: () => done(text),
  });
}
