/** Sends a case to a proxy, and says what comes of it. */
import { eventually } from '../../support/deadline.ts';
import type { RawConnection } from '../../support/sockets/raw-connection.ts';
import { request } from './building.ts';
import type { Case, Outcome } from './case.ts';
import type { Proxy } from './rig.ts';

/** The observed outcome of a case. */
export interface Observation {
  /** Statuses of the answers that count, in order. */
  readonly statuses: readonly number[];
  /** Their bodies. */
  readonly bodies: readonly string[];
  readonly closed: boolean;
  /** Whole requests that the endpoint has got, with what differs from run to run made the same. */
  readonly received: readonly string[];
}

/** How the bytes of a case are cut: from the second line on, where they are cut everywhere. */
export type Cutting = 'whole' | 'bytes';

const DEADLINE_MS = 30_000;
const PAUSE_MS = 1;
/** The client's scheme, as the endpoint receives it. Without this header all requests are the same. */
const HTTP = '\r\nX-Forwarded-Proto: http\r\n';
const HTTPS = '\r\nX-Forwarded-Proto: https\r\n';
/** Milliseconds without a change before the outcome counts as final: fewer after an answer. */
const QUIET_MS = { answered: 8, silent: 30 };

/** @throws Error if the outcome differs from the case's, or if other clients notice */
export async function expectOutcome(proxy: Proxy, one: Case, cutting: Cutting): Promise<void> {
  const outcome = outcomeOn(proxy, one);
  const client = await send(proxy, one, cutting);
  try {
    const check = (): void => assertOutcome(outcome, observe(client, proxy), cutting);
    await eventually(check, DEADLINE_MS, PAUSE_MS);
    await proxy.witness();
    // No more than that.
    check();
    if (outcome.kind === 'passes' && outcome.then === 'open') await askAgain(client, proxy);
    if (outcome.kind === 'refused' || outcome.kind === 'cut') {
      await eventually(
        () => {
          if (proxy.endpoint.unfinished.length > 0) throw new Error('the endpoint waits for the rest');
        },
        DEADLINE_MS,
        PAUSE_MS,
      );
    }
  } finally {
    client.connection.destroy();
  }
}

/**
 * Observes a proxy whose behaviour is unknown.
 *
 * @param patience factor for all waits
 */
export async function observeOutcome(proxy: Proxy, one: Case, patience: number): Promise<Observation> {
  const client = await send(proxy, one, 'whole');
  try {
    await proxy.witness();
    for (let seen = ''; ;) {
      const now = observe(client, proxy);
      const text = JSON.stringify(now);
      if (text === seen) {
        if (now.closed || now.statuses.length === 0) return now;
        await askAgain(client, proxy).catch(() => undefined);
        return { ...now, closed: client.closed };
      }
      seen = text;
      const quiet = now.statuses.length > 0 ? QUIET_MS.answered : QUIET_MS.silent;
      await new Promise((settle) => setTimeout(settle, quiet * patience));
    }
  } finally {
    client.connection.destroy();
  }
}

/** The outcome that a case must have, with header names as the proxy spells them. */
function outcomeOn(proxy: Proxy, one: Case): Outcome {
  if (proxy.engine !== 'uws') return one.outcome;
  const { outcome } = one.uws ?? one;
  if (outcome.kind === 'passes') return { ...outcome, received: outcome.received.map(lowerCaseNames) };
  if (outcome.kind === 'aborted') return { ...outcome, received: lowerCaseNames(outcome.received) };
  return outcome;
}

/** uWebSockets.js hands over names in lower case. */
function lowerCaseNames(text: string): string {
  const end = text.indexOf('\r\n\r\n');
  if (end < 0) return text;
  const [line = '', ...headers] = text.slice(0, end).split('\r\n');
  const lower = headers.map((header) => header.replace(/^[^:]*/, (name) => name.toLowerCase()));
  return [line, ...lower].join('\r\n') + text.slice(end);
}

/** The same for what an observation and an outcome say. */
export function describe(outcome: Outcome | Observation): string {
  if (!('kind' in outcome)) {
    const answers = outcome.statuses.join(', ') || 'no answer';
    return `${answers}, ${outcome.closed ? 'closed' : 'open'}`;
  }
  switch (outcome.kind) {
    case 'passes':
      return `${outcome.received.map(() => 200).join(', ')}, ${outcome.then}`;
    case 'refused':
    case 'cut':
      return `${outcome.status}, closed`;
    case 'aborted':
      return `${outcome.statuses.join(', ') || 'no answer'}, closed`;
    case 'waits':
      return 'no answer, open';
  }
}

/** The client's end, read as answers. */
interface Client {
  readonly connection: RawConnection;
  /** Whether its first request is a HEAD, whose answer has no body. */
  readonly toHead: boolean;
  text: string;
  closed: boolean;
}

async function send(proxy: Proxy, one: Case, cutting: Cutting): Promise<Client> {
  const { bytes } = one;
  proxy.endpoint.clear();
  const connection = await proxy.connect();
  const client: Client = { connection, toHead: bytes.startsWith('HEAD '), text: '', closed: false };
  connection.socket.on('data', (data: Buffer) => (client.text += data.toString('latin1')));
  void connection.closed.then(() => (client.closed = true));
  const line = bytes.indexOf('\n') + 1;
  const first = one.first ?? (cutting === 'bytes' && line > 0 ? line : bytes.length);
  connection.write(bytes.slice(0, first));
  if (one.first !== undefined) await proxy.witness();
  const size = cutting === 'bytes' ? 1 : bytes.length;
  for (let at = first; at < bytes.length && !client.closed; at += size) {
    connection.write(bytes.slice(at, at + size));
    await new Promise((settle) => setImmediate(settle));
  }
  return client;
}

function observe(client: Client, proxy: Proxy): Observation {
  const { endpoint } = proxy;
  const answers = answersTo(client);
  return {
    statuses: answers.map(({ status }) => status),
    bodies: answers.map(({ body }) => body),
    closed: client.closed,
    received: endpoint.requests
      .map(withoutChance)
      .map((text) => (proxy.usesTls ? text.replace(HTTPS, HTTP) : text))
      .map((text) => (proxy.engine === 'uws' ? lowerCaseNames(text) : text)),
  };
}

/** Another request on the connection: its answer shows that the proxy and the client are in step. */
async function askAgain(client: Client, proxy: Proxy): Promise<void> {
  const { connection } = client;
  const before = answersTo(client).length;
  connection.write(request('GET /again HTTP/1.1'));
  await eventually(
    () => {
      const again = answersTo(client)[before];
      if (again?.body !== 'GET /again HTTP/1.1') {
        if (client.closed) return;
        throw new Error(`the connection is out of step: ${JSON.stringify(client.text)}`);
      }
    },
    DEADLINE_MS,
    PAUSE_MS,
  );
  if (client.closed) throw new Error('the connection is closed at the next request');
  proxy.endpoint.clear();
}

function assertOutcome(outcome: Outcome, seen: Observation, cutting: Cutting): void {
  // Chunks are forwarded as they arrive: here byte by byte.
  const chunks = cutting === 'bytes' ? inOneChunk : (text: string): string => text;
  const problem = problemOf(outcome, { ...seen, received: seen.received.map(chunks) }, chunks);
  if (problem !== null) throw new Error(`${problem}; there is ${JSON.stringify(seen)}`);
}

function problemOf(outcome: Outcome, seen: Observation, chunks: (text: string) => string): string | null {
  const wanted = describe(outcome);
  if (describe(seen) !== wanted) return `wanted: ${wanted}`;
  if (outcome.kind === 'aborted' && seen.received.length === 1)
    return compare([chunks(outcome.received)], seen);
  return compare(outcome.kind === 'passes' ? outcome.received.map(chunks) : [], seen);
}

/** Faults in the requests that the endpoint received and in its answers. */
function compare(received: readonly string[], seen: Observation): string | null {
  if (seen.received.length !== received.length) return `wanted at the endpoint: ${received.length} requests`;
  for (const [index, text] of received.entries()) {
    if (seen.received[index] !== text) return `wanted at the endpoint: ${JSON.stringify(text)}`;
    const line = text.slice(0, text.indexOf('\r\n'));
    if (seen.statuses[index] === 200 && seen.bodies[index] !== (line.startsWith('HEAD ') ? '' : line))
      return 'the answer is of another request';
  }
  return null;
}

/** The same request with its body in one piece, and its trailers, where it has chunks. */
function inOneChunk(text: string): string {
  const start = text.indexOf('\r\n\r\n') + 4;
  if (!/\r\ntransfer-encoding: chunked\r\n/i.test(text.slice(0, start))) return text;
  let body = '';
  for (let at = start; ;) {
    const end = text.indexOf('\r\n', at);
    const size = Number.parseInt(text.slice(at, end), 16);
    if (size === 0) return `${text.slice(0, start)}${body}${text.slice(end + 2)}`;
    body += text.slice(end + 2, end + 2 + size);
    at = end + 2 + size + 2;
  }
}

/** Removes the values that the proxy generates: its port, and an id for each request. */
function withoutChance(text: string): string {
  return text
    .replace(/\r\nX-Request-Id: [0-9a-f-]{36}\r\n/, '\r\nX-Request-Id: id\r\n')
    .replace(/\r\nX-Forwarded-Port: \d+\r\n/, '\r\nX-Forwarded-Port: 0\r\n');
}

/** The answers that are whole, interim ones left out. */
function answersTo({ text, toHead, closed }: Client): { status: number; body: string }[] {
  const answers: { status: number; body: string }[] = [];
  for (let at = 0; ;) {
    const end = text.indexOf('\r\n\r\n', at);
    if (end < 0) return answers;
    const head = text.slice(at, end + 2);
    const status = Number(/^HTTP\/1\.[01] (\d{3}) /.exec(head)?.[1] ?? 0);
    at = end + 4;
    if (status === 100) continue;
    const length = /\r\ncontent-length: (\d+)\r\n/i.exec(head)?.[1];
    // Without a length it ends with the connection.
    if (length === undefined && !closed) return answers;
    const size = toHead && answers.length === 0 ? 0 : Number(length ?? text.length - at);
    if (text.length < at + size) return answers;
    answers.push({ status, body: text.slice(at, at + size) });
    at += size;
  }
}
