/** Entries of a journal for tests of lines, plain and arbitrary ones. */
import fc from 'fast-check';
import type {
  RequestFacts,
  RequestEnd,
  SessionEnd,
  SessionStart,
} from '../../../../../src/telemetry/journal/entries.ts';

export const REQUEST_FACTS: RequestFacts = {
  client: '192.0.2.7',
  requestId: 'id-1',
  traceId: undefined,
  principal: 'basic:alice',
  certSubject: undefined,
  certFingerprint: undefined,
  vpcEndpointId: undefined,
  host: 'a.example',
  path: '/chat',
  origin: undefined,
  userAgent: 'ua/1',
  referer: undefined,
  isHttp10: false,
};

export const REQUEST: RequestEnd = {
  listener: 'web',
  route: 'all',
  cluster: 'app',
  endpoint: '127.0.0.1:9001',
  requestFacts: REQUEST_FACTS,
  method: 'GET',
  status: 200,
  reason: undefined,
  cause: undefined,
  detail: undefined,
  cut: undefined,
  received: 0,
  sent: 1234,
  seconds: 0.0125,
  span: undefined,
};

export const SESSION: SessionStart = {
  listener: 'web',
  route: 'all',
  cluster: 'app',
  endpoint: '127.0.0.1:9001',
  requestFacts: REQUEST_FACTS,
  subprotocol: 'chat',
  handshakeSeconds: 0.01,
  span: undefined,
};

export const SESSION_END: SessionEnd = {
  side: 'client',
  code: 1000,
  reason: undefined,
  seconds: 61.5,
  messagesUpstream: 3,
  messagesDownstream: 4,
  bytesUpstream: 30,
  bytesDownstream: 4000,
};

const anyText = fc.oneof(
  fc.string({ maxLength: 40 }),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom(
    '\ud800',
    'a\udc00b',
    '"\\\n\r\t\u0000\u007f\u2028',
    'x'.repeat(3000),
    '" 200 1 "-" "-"\n1.2.3.4',
  ),
);
const maybeText = fc.option(anyText, { nil: undefined });
const count = fc.nat({ max: 2 ** 31 - 1 });

export const anyRequestFacts: fc.Arbitrary<RequestFacts> = fc.record({
  client: anyText,
  requestId: anyText,
  traceId: maybeText,
  principal: maybeText,
  certSubject: maybeText,
  certFingerprint: maybeText,
  vpcEndpointId: maybeText,
  host: maybeText,
  path: maybeText,
  origin: maybeText,
  userAgent: maybeText,
  referer: fc.constant(undefined),
  isHttp10: fc.boolean(),
});

export const anyRequest: fc.Arbitrary<RequestEnd> = fc.record({
  listener: anyText,
  route: anyText,
  cluster: maybeText,
  endpoint: maybeText,
  requestFacts: anyRequestFacts,
  method: maybeText,
  status: fc.integer({ min: 100, max: 999 }),
  reason: maybeText,
  cause: maybeText,
  detail: maybeText,
  cut: maybeText,
  received: count,
  sent: count,
  seconds: fc.double({ min: 0, max: 1e6, noNaN: true }),
  span: fc.constant(undefined),
});
