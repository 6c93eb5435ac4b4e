import { StartError, UsageError } from '../../src/core/errors.ts';
import { CLOSE_NO_STATUS } from '../../src/wire/frames/close-codes.ts';
import type { EndRecord, FrameRecord, SessionRecord, TapRecord } from '../../src/wire/recording/records.ts';
import type { Redaction } from '../../src/wire/redaction/redaction.ts';
import type { Expectation } from '../options/plan.ts';
import {
  CLIENT_CLOSE,
  CLIENT_DROP,
  EventLogWriter,
  FINISH,
  REPLY_BINARY,
  REPLY_CLOSE,
  REPLY_TEXT,
  SEND_BINARY,
  SEND_PING,
  SEND_TEXT,
} from './event-log.ts';
import { MessageJoiner, type RecordedMessage } from './message-joiner.ts';
import { redactMessage } from './redact-message.ts';
import type { RecordedClient, RecordedClients } from './recorded-clients.ts';
import { readHandshake, type RecordedHandshake } from './recorded-handshake.ts';

const MAX_CLIENTS = 1_000_000;
const MAX_EVENTS = 20_000_000;
const MAX_PAYLOAD_BYTES = 1024 * 1024 * 1024;
/** Max payload of a message to send. */
const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;
const MAX_CONTROL_BYTES = 125;
/** Max time between two records of a recording. */
const MAX_SPAN_MS = 366 * 24 * 3_600_000;
/** Max number of cut names to report. */
const MAX_CUT_NAMES = 20;

/** A client whose session has ended. */
interface PartClient extends Omit<RecordedClient, 'startMs'> {
  /** Start of its session, in milliseconds since 1970. */
  readonly beganAt: number;
  readonly lastTime: number;
}

/** A client with an open session. */
interface Draft {
  readonly record: SessionRecord;
  readonly handshake: RecordedHandshake;
  readonly upstream: MessageJoiner;
  readonly downstream: MessageJoiner;
  firstEvent: number;
  lastEvent: number;
  lastTime: number;
  replies: number;
  /** Whether a side has closed. Only replies can follow. */
  isClosed: boolean;
}

/** Collects the clients of a recording from its records, in the order of the recording. */
export class ClientCollector {
  readonly #expect: Expectation;
  readonly #redaction: Redaction;
  readonly #log = new EventLogWriter();
  readonly #drafts = new Map<string, Draft>();
  readonly #clients: RecordedClient[] = [];
  /** Clients of the current recording. A file may hold several recordings in a row. */
  #part: PartClient[] = [];
  /** End of the last client in the recordings so far. */
  #durationMs = 0;
  readonly #cut = new Set<string>();
  readonly #rules = new Set<string>();
  #messages = 0;
  #replies = 0;
  #attached = 0;
  #tunnels = 0;
  #unended = 0;
  #lost = 0;
  #withoutPayload = 0;
  #redacted = 0;

  /** @param redaction applied to replies, in addition to the recording's own rules */
  constructor(expect: Expectation, redaction: Redaction) {
    this.#expect = expect;
    this.#redaction = redaction;
  }

  /**
   * Adds the next record.
   *
   * @throws UsageError or StartError in one line if the recording cannot be played
   */
  add(record: TapRecord): void {
    switch (record.type) {
      case 'tap':
        this.#endPart();
        for (const rule of record.redact) this.#rules.add(rule);
        break;
      case 'session':
        this.#begin(record);
        break;
      case 'frame':
        this.#frame(record);
        break;
      case 'end':
        this.#end(record);
        break;
      case 'tunnel':
        this.#tunnels++;
        break;
      case 'lost':
        this.#lost += record.frames + record.lines + record.sessions;
        break;
      case 'bytes':
      case 'done':
    }
  }

  /** Returns all clients. A client without a recorded end ends with its last event. */
  finish(): RecordedClients {
    this.#endPart();
    const clients = this.#clients.sort((a, b) => a.startMs - b.startMs);
    return {
      clients,
      events: this.#log.memory(),
      redact: [...this.#rules],
      facts: {
        clients: clients.length,
        durationMs: this.#durationMs,
        messages: this.#messages,
        replies: this.#replies,
        attached: this.#attached,
        tunnels: this.#tunnels,
        unended: this.#unended,
        lost: this.#lost,
        withoutPayload: this.#withoutPayload,
        redacted: this.#redacted,
        cut: [...this.#cut].slice(0, MAX_CUT_NAMES),
      },
    };
  }

  #begin(record: SessionRecord): void {
    const { request } = record;
    if (request === undefined || record.attached === true) {
      this.#attached++;
      return;
    }
    const before = this.#drafts.get(record.session);
    if (before !== undefined) this.#end({ ...UNKNOWN_END, at: record.at, session: record.session });
    if (this.#clients.length + this.#part.length + this.#drafts.size >= MAX_CLIENTS)
      throw tooLarge(`${MAX_CLIENTS} clients`);
    this.#drafts.set(record.session, {
      record,
      handshake: readHandshake(request, this.#cut),
      upstream: new MessageJoiner(),
      downstream: new MessageJoiner(),
      firstEvent: -1,
      lastEvent: -1,
      lastTime: 0,
      replies: 0,
      isClosed: false,
    });
  }

  #frame(frame: FrameRecord): void {
    const draft = this.#drafts.get(frame.session);
    // Skip frames that the proxy made: pings, and closes that the endpoint did not send.
    if (draft === undefined || frame.from === 'proxy') return;
    const fromClient = frame.from === 'client';
    const time = timeOf(draft, frame.at);
    switch (frame.opcode) {
      case 'text':
      case 'binary':
      case 'continuation': {
        const message = (fromClient ? draft.upstream : draft.downstream).push(frame);
        if (message !== null) this.#message(draft, fromClient, time, message);
        break;
      }
      case 'close':
        if (!draft.isClosed) {
          this.#close(draft, fromClient ? CLIENT_CLOSE : REPLY_CLOSE, time, frame.code ?? CLOSE_NO_STATUS);
        }
        break;
      case 'ping':
        if (fromClient && !draft.isClosed) {
          const payload = MessageJoiner.payloadOf(frame)?.subarray(0, MAX_CONTROL_BYTES) ?? null;
          this.#add(
            draft,
            SEND_PING,
            time,
            payload?.length ?? Math.min(frame.length, MAX_CONTROL_BYTES),
            payload,
          );
        }
        break;
      case 'pong':
      default:
      // The load generator answers pings itself. Reserved opcodes have no meaning to check.
    }
  }

  #message(draft: Draft, fromClient: boolean, time: number, message: RecordedMessage): void {
    const { payload, isText } = message;
    if (payload === null && this.#expect === 'same') {
      throw new UsageError(
        `--expect same needs whole payloads, and a message of session ${draft.record.session} has none: ` +
          'record with `sluice tap --payload`, with a larger --max-payload, or replay with --expect count',
      );
    }
    const size = payload?.length ?? message.size;
    if (!fromClient) {
      this.#replies++;
      draft.replies++;
      const kept = this.#expect === 'same' && payload !== null ? this.#redact(draft, payload, isText) : null;
      this.#add(draft, isText ? REPLY_TEXT : REPLY_BINARY, time, kept?.length ?? size, kept);
      return;
    }
    if (draft.isClosed) return;
    if (size > MAX_MESSAGE_BYTES)
      throw new StartError(`a message of session ${draft.record.session} has more than 64MiB`);
    this.#messages++;
    if (payload === null) this.#withoutPayload++;
    if (message.isRedacted) this.#redacted++;
    this.#add(draft, isText ? SEND_TEXT : SEND_BINARY, time, size, payload);
  }

  #redact({ record }: Draft, payload: Buffer, isText: boolean): Buffer {
    const redacted = redactMessage(this.#redaction, payload, isText);
    if (redacted !== null) return redacted;
    throw new StartError(
      `a reply of session ${record.session} is too large for the rules of --redact: leave some out`,
    );
  }

  #end({ at, session, side }: EndRecord): void {
    const draft = this.#drafts.get(session);
    if (draft === undefined) return;
    const time = timeOf(draft, at);
    if (!draft.isClosed) this.#close(draft, side === 'client' ? CLIENT_DROP : FINISH, time);
    this.#drafts.delete(session);
    this.#keep(draft, false);
  }

  #close(draft: Draft, kind: number, time: number, code = 0): void {
    if (draft.isClosed) return;
    this.#add(draft, kind, time, code, null);
    draft.isClosed = true;
  }

  #keep({ record, handshake, firstEvent, replies, lastTime }: Draft, isUnended: boolean): void {
    // `at` is as exact as the times of frames if the tap saw the session open. `openedAt` may be rounded.
    const { session, at: beganAt } = record;
    this.#part.push({ session, handshake, firstEvent, replies, isUnended, beganAt, lastTime });
  }

  /** Ends one recording. The next one in the file starts right after it, however much later it was made. */
  #endPart(): void {
    for (const draft of this.#drafts.values()) {
      this.#unended++;
      this.#close(draft, FINISH, draft.lastTime);
      this.#keep(draft, true);
    }
    this.#drafts.clear();
    let first = Infinity;
    for (const { beganAt } of this.#part) first = Math.min(first, beganAt);
    const begin = this.#durationMs;
    for (const { beganAt, lastTime, ...client } of this.#part) {
      const startMs = begin + inRange(beganAt - first, client.session);
      this.#clients.push({ ...client, startMs });
      this.#durationMs = Math.max(this.#durationMs, startMs + lastTime);
    }
    this.#part = [];
  }

  #add(draft: Draft, kind: number, time: number, size: number, payload: Buffer | null): void {
    const log = this.#log;
    if (log.count >= MAX_EVENTS) throw tooLarge(`${MAX_EVENTS} frames`);
    if (log.payloadBytes + (payload?.length ?? 0) > MAX_PAYLOAD_BYTES) throw tooLarge('1GiB of payload');
    const event = log.add({ kind, time, size, payload }, draft.lastEvent);
    if (draft.firstEvent < 0) draft.firstEvent = event;
    draft.lastEvent = event;
    draft.lastTime = time;
  }
}

/**
 * Returns the time of a record since its session opened. Never decreases, even if the machine's clock does.
 */
function timeOf({ record, lastTime }: Draft, at: number): number {
  return Math.max(lastTime, inRange(at - record.at, record.session));
}

/**
 * Returns the duration between two times.
 *
 * @throws StartError if it is too long for a recording
 */
function inRange(ms: number, session: string): number {
  if (ms <= MAX_SPAN_MS) return ms;
  throw new StartError(`the times of session ${session} are more than a year behind the recording's start`);
}

const UNKNOWN_END = { type: 'end', seconds: 0, bytesUpstream: 0, bytesDownstream: 0 } as const;

function tooLarge(what: string): StartError {
  return new StartError(
    `the recording has more than ${what}: replay a part of it, such as one route's sessions`,
  );
}
