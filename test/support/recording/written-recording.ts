/** Recordings written by tests: what `sluice tap` would have seen of clients and an endpoint. */
import type {
  EndRecord,
  FrameRecord,
  HeaderRecord,
  SessionRecord,
  TapRecord,
} from '../../../src/wire/recording/records.ts';

/** When every recording begins: any time does. */
const BEGIN = 1_750_000_000_000;

/** Writes the lines of one session after the other. Times are milliseconds since the beginning of the recording. */
export class WrittenRecording {
  readonly records: TapRecord[] = [];
  #sessions = 0;

  constructor(more: Partial<HeaderRecord> = {}) {
    this.records.push({
      type: 'tap',
      version: 1,
      at: BEGIN,
      sluice: '0.1.0',
      filter: {},
      sample: 1,
      payload: true,
      maxPayload: 4096,
      redact: [],
      ...more,
    });
  }

  /** Begins a session at a time. */
  session(at = 0, more: Partial<SessionRecord> = {}): WrittenSession {
    const session = `w0-${++this.#sessions}`;
    this.records.push({
      type: 'session',
      at: BEGIN + at,
      session,
      openedAt: BEGIN + at,
      listener: 'web',
      cluster: 'chat',
      endpoint: '127.0.0.1:9000',
      client: '127.0.0.1',
      route: 'chat',
      principal: 'ip:127.0.0.1',
      request: { target: '/', headers: [['Host', 'recorded.example']] },
      ...more,
    });
    return new WrittenSession(this.records, session);
  }
}

/** Writes the lines of one session. */
export class WrittenSession {
  readonly #records: TapRecord[];
  readonly #session: string;

  constructor(records: TapRecord[], session: string) {
    this.#records = records;
    this.#session = session;
  }

  client(at: number, payload: string | Buffer, more: Partial<FrameRecord> = {}): this {
    return this.frame(at, 'client', payload, more);
  }

  endpoint(at: number, payload: string | Buffer, more: Partial<FrameRecord> = {}): this {
    return this.frame(at, 'endpoint', payload, more);
  }

  frame(
    at: number,
    from: FrameRecord['from'],
    payload: string | Buffer,
    more: Partial<FrameRecord> = {},
  ): this {
    const isText = typeof payload === 'string';
    this.#records.push({
      type: 'frame',
      at: BEGIN + at,
      session: this.#session,
      from,
      opcode: isText ? 'text' : 'binary',
      length: Buffer.byteLength(payload),
      ...(isText ? { text: payload } : { base64: payload.toString('base64') }),
      ...more,
    });
    return this;
  }

  close(at: number, from: FrameRecord['from'], code: number): this {
    this.#records.push({
      type: 'frame',
      at: BEGIN + at,
      session: this.#session,
      from,
      opcode: 'close',
      length: 2,
      code,
    });
    return this;
  }

  end(at: number, side: NonNullable<EndRecord['side']> = 'client', code = 1000): this {
    const counts = { seconds: at / 1000, bytesUpstream: 0, bytesDownstream: 0 };
    this.#records.push({ type: 'end', at: BEGIN + at, session: this.#session, side, code, ...counts });
    return this;
  }
}
