import { copyOf } from '../../../core/copy.ts';
import { LiveSet } from '../../../core/collections/live-set.ts';
import { Timed } from '../../../core/timing/timer-wheel.ts';
import type { Endpoint } from '../../../upstream/endpoint.ts';
import {
  CLOSE_ABNORMAL,
  CLOSE_GOING_AWAY,
  CLOSE_NO_STATUS,
  CLOSE_POLICY_VIOLATION,
  CLOSE_PROTOCOL_ERROR,
  CLOSE_SERVICE_RESTART,
  CLOSE_TRY_AGAIN_LATER,
} from '../../../wire/frames/close-codes.ts';
import { FrameReader, type FrameSink } from '../../../wire/frames/frame-reader.ts';
import { closePayload } from '../../../wire/frames/frame-writer.ts';
import {
  OPCODE_BINARY,
  OPCODE_CLOSE,
  OPCODE_PING,
  OPCODE_PONG,
  OPCODE_TEXT,
} from '../../../wire/frames/opcodes.ts';
import type { Buffering, ShedReason } from '../../buffers/buffer-budget.ts';
import { readCorked } from './corked-read.ts';
import type { DownstreamSocket } from '../../contract/downstream-socket.ts';
import type { Relay, RelaySession, RelayTerms, SessionLog } from '../../contract/relay.ts';
import type { OutboxSender } from './outbox.ts';
import { isPingFlood, queuesPong } from './pong-bounds.ts';
import type { RelayEnvironment } from './relay-environment.ts';
import type { CloseSide } from '../../contract/session-stats.ts';
import type { UpstreamSocket } from '../../contract/upstream-socket.ts';

/** Frames smaller than this are gathered into one write to the client; larger ones gain nothing by the copy. */
const CORK_BELOW = 8 * 1024;
/** How long an endpoint has to answer a close frame before its connection is cut. */
const CLOSE_TIMEOUT_MS = 5000;
const PING_FLOOD = 'client pings and does not read';
const NOTHING = new Uint8Array(0);

interface SessionContext extends RelayEnvironment, RelayTerms {
  readonly sessions: LiveSet<MessageSession>;
}

/** Joins whole messages: the client's WebSocket is framed by the engine, the endpoint's by this relay. */
export class MessageRelay implements Relay {
  readonly sessions = new LiveSet<MessageSession>();
  readonly #context: SessionContext;

  constructor(environment: RelayEnvironment, terms: RelayTerms) {
    this.#context = { ...environment, ...terms, sessions: this.sessions };
  }

  createSession(upstream: UpstreamSocket, endpoint: Endpoint, log: SessionLog | null): MessageSession {
    return new MessageSession(this.#context, upstream, endpoint, log);
  }
}

/**
 * The message relay: joins one client's WebSocket, framed by uWS, to one endpoint's, framed by us.
 *
 * Either leg may end first. What ended it, and how, is counted once and told to the other leg; then the
 * upstream connection has a short while to finish before it is cut.
 */
class MessageSession extends Timed implements RelaySession, FrameSink, OutboxSender, Buffering {
  liveIndex = -1;
  readonly upstream: UpstreamSocket;
  readonly upstreamBuffer: number;
  bufferedDownstream = 0;
  bufferedUpstream = 0;
  bufferedUnfinished = 0;
  readonly #context: SessionContext;
  readonly endpoint: Endpoint;
  /** Null without an access log. */
  readonly #lines: SessionLog | null;
  readonly #reader: FrameReader;
  /** The client's socket; null before it is attached and after it has ended. */
  #downstream: DownstreamSocket | null = null;
  /** Whether the session's end has been counted. */
  #ended = false;
  #paused = false;
  /** Bytes that waited for the client when it got the last message before its endpoint was paused. */
  #waitingWhenPaused = 0;
  /** Payload of the latest ping of the endpoint that has not been answered; null if all have been. */
  #pongDue: Uint8Array | null = null;
  /** Whether a send of the current read was not taken whole. */
  #behind = false;
  /** Whether the endpoint has been pinged since it was last heard. */
  #pinged = false;
  /** By `performance.now()`: the wheel's clock is too coarse for short sessions. */
  readonly #openedAt = performance.now();
  #endpointHeardAt: number;
  /** When the session must end, by the wheel's clock; Infinity for never. */
  readonly #endsAt: number;
  #messagesUpstream = 0;
  #bytesUpstream = 0;
  #messagesDownstream = 0;
  #bytesDownstream = 0;

  constructor(
    context: SessionContext,
    upstream: UpstreamSocket,
    endpoint: Endpoint,
    lines: SessionLog | null,
  ) {
    super();
    const now = context.wheel.now;
    const { maxLifetimeMs, upstreamBuffer } = context.settings;
    this.#context = context;
    this.upstream = upstream;
    this.upstreamBuffer = upstreamBuffer;
    this.endpoint = endpoint;
    this.#lines = lines;
    this.#reader = new FrameReader(this);
    this.#endpointHeardAt = now;
    this.#endsAt = maxLifetimeMs === 0 ? Infinity : now + maxLifetimeMs * (0.9 + 0.2 * Math.random());
    upstream.owner = this;
  }

  downstreamOpened(downstream: DownstreamSocket): void {
    this.#downstream = downstream;
    this.#context.stats.opened();
    this.#context.sessions.add(this);
    this.#arm();
    this.#lines?.opened();
  }

  /** Gives up a session that was never attached. */
  discard(): void {
    this.upstream.owner = null;
    this.upstream.destroy();
    this.endpoint.release();
  }

  downstreamMessage(data: ArrayBuffer, binary: boolean): void {
    if (this.#ended) return;
    const { stats, outbox } = this.#context;
    const length = data.byteLength;
    this.#messagesUpstream++;
    this.#bytesUpstream += length;
    if (!outbox.send(this, binary ? OPCODE_BINARY : OPCODE_TEXT, new Uint8Array(data), this.#mask())) {
      this.#overflow();
      return;
    }
    stats.values[stats.messagesUpstream]! += 1;
    stats.values[stats.bytesUpstream]! += length;
  }

  downstreamUnfinished(bytes: number): void {
    this.#context.budget.setUnfinished(this, bytes);
  }

  downstreamPinged(): void {
    const waiting = this.#downstream?.getBufferedAmount() ?? 0;
    if (waiting === 0) return;
    if (this.#paused && isPingFlood(waiting, this.#waitingWhenPaused)) {
      this.#context.stats.overflowed('downstream');
      this.#end('proxy', CLOSE_POLICY_VIOLATION, PING_FLOOD);
      this.#freeDownstream(CLOSE_POLICY_VIOLATION, PING_FLOOD);
      this.#closeUpstream(CLOSE_GOING_AWAY, NOTHING);
      return;
    }
    this.#bufferDownstream(waiting);
  }

  downstreamDrained(): void {
    if (this.#downstream === null) return;
    const waiting = this.#downstream.getBufferedAmount();
    this.#context.budget.setDownstream(this, waiting);
    if (this.#paused && waiting <= this.#context.settings.downstreamBuffer / 2) {
      this.#paused = false;
      this.#endpointHeardAt = this.#context.wheel.now;
      this.upstream.resume();
    }
  }

  downstreamClosed(code: number, reason: Uint8Array): void {
    if (!this.#loseDownstream()) return;
    this.#end('client', code);
    this.#closeUpstream(code, reason);
  }

  downstreamLost(detail: string, isRefused: boolean): void {
    if (!this.#loseDownstream()) return;
    this.#end('client', CLOSE_ABNORMAL, detail);
    this.#closeUpstream(isRefused ? CLOSE_NO_STATUS : CLOSE_GOING_AWAY, NOTHING);
  }

  /** Forgets the client's socket, which has ended. Returns false if this side has ended it. */
  #loseDownstream(): boolean {
    if (this.#downstream === null) return false;
    this.#downstream = null;
    // What waited for the client went with it, while the endpoint may take some seconds to close.
    this.#context.budget.setDownstream(this, 0);
    return true;
  }

  upstreamConnected(): void {
    // Only a handshake waits for it.
  }

  upstreamData(input: Buffer, start: number, end: number): void {
    const downstream = this.#downstream;
    this.#endpointHeardAt = this.#context.wheel.now;
    this.#pinged = false;
    if (downstream === null) {
      // Still read, for the close frame that answers ours.
      this.#reader.read(input, start, end);
      return;
    }
    if (this.#reader.expectsSmallFrames(input, start, end, CORK_BELOW)) {
      readCorked(downstream, this.#reader, input, start, end);
      this.#behind = true;
    } else {
      this.#reader.read(input, start, end);
    }
    if (this.#behind) this.#checkDownstream();
  }

  upstreamBlocked(following: number): void {
    if (!this.#ended) this.#measure(following);
  }

  upstreamDrained(): void {
    this.measureBuffers();
  }

  measureBuffers(): void {
    // Once a second, too, so that an endpoint that is slow and alive gets an answer.
    if (this.#pongDue !== null && !this.#ended) this.#sendPong(this.#pongDue);
    this.#measure(0);
  }

  #measure(following: number): void {
    const { budget } = this.#context;
    budget.setUpstream(this, this.upstream.writableLength + following);
    // The session may have been shed by the first.
    if (this.#downstream !== null) budget.setDownstream(this, this.#downstream.getBufferedAmount());
  }

  upstreamEnded(): void {
    this.#endpointLost('endpoint lost');
  }

  upstreamClosed(): void {
    this.#endpointLost('endpoint lost');
    this.#context.wheel.disarm(this);
    this.#context.budget.forget(this);
    this.#context.sessions.delete(this);
    this.endpoint.release();
  }

  frameMessage(payload: Uint8Array, binary: boolean): void {
    const downstream = this.#downstream;
    if (downstream === null) return;
    const { stats, settings } = this.#context;
    this.#messagesDownstream++;
    this.#bytesDownstream += payload.length;
    stats.values[stats.messagesDownstream]! += 1;
    stats.values[stats.bytesDownstream]! += payload.length;
    if (downstream.send(payload, binary, settings.compression !== 'off') !== 1) this.#behind = true;
  }

  frameFragment(payload: Uint8Array, binary: boolean, first: boolean, last: boolean): void {
    const downstream = this.#downstream;
    if (downstream === null) return;
    const { stats } = this.#context;
    this.#bytesDownstream += payload.length;
    stats.values[stats.bytesDownstream]! += payload.length;
    if (last) {
      this.#messagesDownstream++;
      stats.values[stats.messagesDownstream]! += 1;
    }
    // Never compressed: a compressed message is one deflate stream, and uWS would make one of each fragment.
    const status = first
      ? downstream.sendFirstFragment(payload, binary, false)
      : last
        ? downstream.sendLastFragment(payload, false)
        : downstream.sendFragment(payload, false);
    if (status !== 1) this.#behind = true;
  }

  framePing(payload: Uint8Array): void {
    if (this.#ended) return;
    if (queuesPong(this.upstream.writableLength)) this.#sendPong(payload);
    else this.#pongDue = copyOf(payload);
  }

  framePong(): void {
    // That it came is all that matters.
  }

  frameClose(code: number, reason: Uint8Array): void {
    if (!this.#ended) {
      this.#end('endpoint', code);
      this.#endDownstream(code, reason);
      this.#closeUpstream(code, NOTHING);
    }
    // Both close frames have crossed: the rest is TCP's.
    this.upstream.end();
  }

  frameError(reason: string): void {
    if (this.#ended) {
      this.upstream.destroy();
      return;
    }
    const code = this.#context.settings.endpointLostCode;
    this.#end('endpoint', CLOSE_PROTOCOL_ERROR, reason);
    this.#endDownstream(code, 'endpoint protocol error');
    this.#closeUpstream(CLOSE_PROTOCOL_ERROR, NOTHING);
    this.upstream.end();
  }

  /** Ends the session from this side, with a close frame to both. */
  close(code: number, reason: string): void {
    if (this.#ended) return;
    this.#end('proxy', code);
    this.#endDownstream(code, reason);
    this.#closeUpstream(code === CLOSE_SERVICE_RESTART ? CLOSE_GOING_AWAY : code, NOTHING);
  }

  isOf(cluster: string, endpoint: string): boolean {
    return this.endpoint.cluster === cluster && this.endpoint.label === endpoint;
  }

  /** Sends the client elsewhere; false where the session has ended already. */
  evict(reason: string): boolean {
    if (this.#ended) return false;
    this.close(CLOSE_SERVICE_RESTART, reason);
    return true;
  }

  /** Ends the session because what it runs on goes away: the client may connect again at once. */
  drain(): boolean {
    this.close(CLOSE_SERVICE_RESTART, 'service restart');
    return true;
  }

  end(): void {
    this.drain();
  }

  /** Cuts both legs without a word. */
  abort(): void {
    if (!this.#ended) this.#end('proxy', CLOSE_ABNORMAL);
    const downstream = this.#downstream;
    this.#downstream = null;
    downstream?.close();
    this.upstream.destroy();
  }

  shed(reason: ShedReason): void {
    if (!this.#ended) {
      const detail = reason === 'unfinished' ? 'unfinished message' : 'proxy overloaded';
      this.#end('proxy', CLOSE_TRY_AGAIN_LATER, detail);
      this.#freeDownstream(CLOSE_TRY_AGAIN_LATER, detail);
    }
    this.upstream.destroy();
  }

  override expire(): void {
    const now = this.#context.wheel.now;
    if (this.#ended) {
      this.upstream.destroy();
      return;
    }
    if (now >= this.#endsAt) {
      this.close(CLOSE_SERVICE_RESTART, 'maximum lifetime reached');
      return;
    }
    const { idleTimeoutMs } = this.#context.settings;
    // Of a paused endpoint nothing can be heard.
    if (idleTimeoutMs > 0 && !this.#paused) {
      const silent = now - this.#endpointHeardAt;
      if (silent >= idleTimeoutMs) {
        this.#endpointLost('endpoint timed out');
        this.upstream.destroy();
        return;
      }
      if (silent >= idleTimeoutMs / 2 && !this.#pinged) {
        this.#pinged = true;
        this.#context.outbox.send(this, OPCODE_PING, NOTHING, this.#mask());
      }
    }
    this.#arm();
  }

  /** Arms the next deadline: of the endpoint's silence, half of it or all, or of the lifetime. */
  #arm(): void {
    const { settings, wheel } = this.#context;
    let due = this.#endsAt;
    const { idleTimeoutMs } = settings;
    if (idleTimeoutMs > 0) {
      const wait = this.#pinged ? idleTimeoutMs : idleTimeoutMs / 2;
      due = Math.min(due, Math.max(this.#endpointHeardAt + wait, wheel.now + 1));
    }
    if (due !== Infinity) wheel.arm(this, due - wheel.now);
  }

  #checkDownstream(): void {
    this.#behind = false;
    const downstream = this.#downstream;
    if (downstream === null) return;
    const waiting = downstream.getBufferedAmount();
    if (waiting > 0) this.#context.dialler.downstreamTouched();
    // What the endpoint sent before it was paused may still come.
    if (this.#paused) this.#waitingWhenPaused = waiting;
    this.#bufferDownstream(waiting);
  }

  /** Notes how much waits for the client, and pauses the endpoint if that is too much. */
  #bufferDownstream(waiting: number): void {
    if (waiting > this.#context.settings.downstreamBuffer && !this.#paused) {
      this.#paused = true;
      this.#waitingWhenPaused = waiting;
      this.#context.stats.paused();
      this.upstream.pause();
    }
    this.#context.budget.setDownstream(this, waiting);
  }

  #sendPong(payload: Uint8Array): void {
    const isSent = this.#context.outbox.send(this, OPCODE_PONG, payload, this.#mask());
    this.#pongDue = isSent ? null : copyOf(payload);
  }

  #mask(): number {
    return this.#context.randomMasks ? this.#context.random.int32() : 0;
  }

  /** uWS cannot pause one client, so an endpoint that takes nothing must lose its session. */
  #overflow(): void {
    this.#context.stats.overflowed('upstream');
    this.close(CLOSE_TRY_AGAIN_LATER, 'endpoint too slow');
    this.upstream.destroy();
  }

  #endpointLost(reason: string): void {
    if (this.#ended) return;
    const code = this.#context.settings.endpointLostCode;
    this.#end('endpoint', CLOSE_ABNORMAL, reason);
    this.#endDownstream(code, reason);
    this.#context.wheel.arm(this, CLOSE_TIMEOUT_MS);
  }

  #endDownstream(code: number, reason: Uint8Array | string): void {
    const downstream = this.#downstream;
    this.#downstream = null;
    downstream?.end(code === CLOSE_NO_STATUS ? 0 : code, reason);
    this.#context.dialler.downstreamTouched();
  }

  /** Ends the client's leg and frees what waits for it: a close frame would wait behind these bytes. */
  #freeDownstream(code: number, reason: string): void {
    const downstream = this.#downstream;
    if (downstream !== null && downstream.getBufferedAmount() > 0) {
      this.#downstream = null;
      downstream.close();
      this.#context.budget.setDownstream(this, 0);
    }
    this.#endDownstream(code, reason);
  }

  /** Sends a close frame to the endpoint, behind everything that waits for it, and gives it a while to answer. */
  #closeUpstream(code: number, reason: Uint8Array): void {
    const { outbox, wheel } = this.#context;
    if (this.#paused) {
      this.#paused = false;
      this.upstream.resume();
    }
    outbox.send(this, OPCODE_CLOSE, closePayload(code, reason), this.#mask());
    outbox.flush();
    wheel.arm(this, CLOSE_TIMEOUT_MS);
  }

  /** Counts the session's end and writes its line; `reason` is for the log alone. */
  #end(side: CloseSide, code: number, reason?: string): void {
    this.#ended = true;
    const seconds = (performance.now() - this.#openedAt) / 1000;
    this.#context.stats.ended(side, code, seconds);
    this.#lines?.closed({
      side,
      code,
      reason,
      seconds,
      messagesUpstream: this.#messagesUpstream,
      messagesDownstream: this.#messagesDownstream,
      bytesUpstream: this.#bytesUpstream,
      bytesDownstream: this.#bytesDownstream,
    });
  }
}
