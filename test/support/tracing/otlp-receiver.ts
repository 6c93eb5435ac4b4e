/** A collector of spans on OpenTelemetry's own messages (opentelemetry-proto), which refuses whatever they do not have. */
import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import messages from 'otlp-messages/build/src/generated/root.js';
import { eventually } from '../deadline.ts';

/** A span as JSON of OTLP, with its attributes as an object. */
export interface ReceivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly traceState: string;
  readonly name: string;
  readonly startedAt: bigint;
  readonly endedAt: bigint;
  /** 0 unset, 1 ok, 2 error. */
  readonly status: number;
  readonly message: string;
  readonly attributes: Attributes;
  readonly events: readonly { readonly name: string; readonly attributes: Attributes }[];
  readonly resource: Attributes;
}

type Attributes = Readonly<Record<string, string | number | boolean>>;
type Json = Readonly<Record<string, unknown>>;

/** The static methods of a generated message, which has no types. */
interface MessageType {
  fromObject(from: Json): object;
  verify(message: object): string | null;
  encode(message: object): { finish(): Uint8Array };
  decode(bytes: Uint8Array): object;
  toObject(message: object, options: { longs: typeof String }): unknown;
}

const { opentelemetry } = messages as unknown as {
  opentelemetry: { proto: { collector: { trace: { v1: { ExportTraceServiceRequest: MessageType } } } } };
};
const Request = opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest;
const ID = /^(?:[\da-f]{2})+$/;
const IDS: ReadonlySet<string> = new Set(['traceId', 'spanId', 'parentSpanId']);
const SERVER = 2;

export class OtlpReceiver {
  readonly spans: ReceivedSpan[] = [];
  readonly requests: { readonly headers: IncomingMessage['headers']; readonly spans: number }[] = [];
  /** Faults in requests. */
  readonly faults: string[] = [];
  /** Answers in place of taking the spans; null to take them. */
  answer: RequestListener | null = null;
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => {
      if (this.answer !== null) {
        this.answer(request, response);
        return;
      }
      void buffer(request).then((body) => {
        try {
          const spans = readRequest(body.toString());
          this.spans.push(...spans);
          this.requests.push({ headers: request.headers, spans: spans.length });
          response.setHeader('content-type', 'application/json').end('{}');
        } catch (error) {
          this.faults.push(String(error));
          response.writeHead(400).end();
        }
      });
    });
  }

  /** @param port 0 for any free port */
  static async listen(port = 0): Promise<OtlpReceiver> {
    const receiver = new OtlpReceiver();
    await new Promise<void>((settle) => receiver.#server.listen(port, '127.0.0.1', settle));
    return receiver;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/v1/traces`;
  }

  /** Waits for a span. Throws if any request was not valid. */
  async span(matches: (span: ReceivedSpan) => boolean): Promise<ReceivedSpan> {
    return eventually(() => {
      assert.deepEqual(this.faults, []);
      const found = this.spans.find(matches);
      assert.ok(found !== undefined, `the span is not among ${this.spans.length}`);
      return found;
    });
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

/** Reads a request. Throws if a part of it is not in the messages of OTLP, or is out of order. */
function readRequest(text: string): ReceivedSpan[] {
  const sent = JSON.parse(text) as Json;
  // The messages have ids as bytes. The round trip drops fields that the messages do not have.
  const message = Request.fromObject(withIds(sent, (id) => Buffer.from(id, 'hex')) as Json);
  assert.equal(Request.verify(message), null);
  const read = Request.toObject(Request.decode(Request.encode(message).finish()), { longs: String });
  const same = withIds(read, (id) => Buffer.from(id as unknown as Uint8Array).toString('hex'));
  assert.deepEqual(withoutDefaults(same), withoutDefaults(withNumbersAsText(sent)));
  return (sent.resourceSpans as Json[]).flatMap((group) =>
    (group.scopeSpans as Json[]).flatMap((scope) =>
      (scope.spans as Json[]).map((span) =>
        readSpan(span, attributesOf((group.resource as Json).attributes)),
      ),
    ),
  );
}

function readSpan(span: Json, resource: Attributes): ReceivedSpan {
  const {
    traceId,
    spanId,
    parentSpanId = '',
    traceState = '',
    name,
    kind,
    status,
  } = span as Record<string, string>;
  assert.match(traceId!, /^(?!0{32})[\da-f]{32}$/);
  assert.match(spanId!, /^(?!0{16})[\da-f]{16}$/);
  assert.match(parentSpanId, /^(?:[\da-f]{16})?$/);
  assert.equal(kind, SERVER);
  assert.ok(name !== undefined && name.length > 0 && name.length < 200);
  const startedAt = BigInt(span.startTimeUnixNano as string);
  const endedAt = BigInt(span.endTimeUnixNano as string);
  const now = BigInt(Date.now()) * 1_000_000n;
  assert.ok(startedAt <= endedAt && endedAt <= now + 1_000_000_000n && startedAt > now - 600_000_000_000n);
  const events = (span.events as Json[]).map((event) => {
    const at = BigInt(event.timeUnixNano as string);
    // Clocks of milliseconds are read one after the other.
    assert.ok(at >= startedAt - 5_000_000n && at <= endedAt + 5_000_000n);
    return { name: event.name as string, attributes: attributesOf(event.attributes) };
  });
  const { code = 0, message = '' } = status as unknown as { code?: number; message?: string };
  const attributes = attributesOf(span.attributes);
  return {
    ...{ traceId: traceId!, spanId: spanId!, parentSpanId, traceState, name, startedAt, endedAt },
    ...{ status: code, message, attributes, events, resource },
  };
}

function attributesOf(list: unknown): Attributes {
  const entries = (list as { key: string; value: Json }[]).map(({ key, value }) => {
    const [kind, ...others] = Object.keys(value);
    assert.ok(kind !== undefined && others.length === 0, key);
    return [key, value[kind] as string | number | boolean] as const;
  });
  assert.equal(new Set(entries.map(([key]) => key)).size, entries.length);
  return Object.fromEntries(entries);
}

/** Converts the ids of a message and of all in it. */
function withIds(value: unknown, convert: (id: string) => unknown): unknown {
  if (Array.isArray(value)) return value.map((each) => withIds(each, convert));
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value;
  const entries = Object.entries(value).map(([key, below]): [string, unknown] => {
    if (!IDS.has(key)) return [key, withIds(below, convert)];
    if (typeof below === 'string') assert.match(below, ID);
    return [key, convert(below as string)];
  });
  return Object.fromEntries(entries);
}

/** Writes numbers of 64 bits as the messages do. */
function withNumbersAsText(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withNumbersAsText);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, below]): [string, unknown] => [
    key,
    key === 'intValue' ? String(below) : withNumbersAsText(below),
  ]);
  return Object.fromEntries(entries);
}

/** Leaves out what is the same as nothing. */
function withoutDefaults(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutDefaults);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value)
    .map(([key, below]): [string, unknown] => [key, withoutDefaults(below)])
    .filter(([key, below]) => {
      if (key === 'stringValue' || key === 'intValue' || key === 'boolValue' || key === 'doubleValue')
        return true;
      const isEmpty = Array.isArray(below) && below.length === 0;
      const isNothing = typeof below === 'object' && below !== null && Object.keys(below).length === 0;
      return !isEmpty && !isNothing && below !== 0 && below !== '';
    });
  return Object.fromEntries(entries);
}
