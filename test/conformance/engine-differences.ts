/**
 * The differences between the engines of layer 7, row by row. docs/engines.md is made from this list. Everything else is the
 * same on every engine: the suites of test/conformance and test/integration check it.
 */
import type { DifferenceGroup } from './difference.ts';
import { TLS_DIFFERENCES } from './tls-differences.ts';

const PARSER = 'the parser of uWebSockets.js has no settings';
const MESSAGES = 'uWebSockets.js gives whole messages and makes its own frames';

export const ENGINE_DIFFERENCES: readonly DifferenceGroup[] = [
  {
    title: 'Requests',
    rows: [
      {
        what: 'HTTP/1.0, with and without keep-alive and Host',
        own: 'answered',
        uws: '505',
        why: PARSER,
        held: 'HTTP conformance 3',
      },
      {
        what: 'absolute-form and asterisk-form',
        own: 'answered',
        uws: '505',
        why: PARSER,
        held: 'HTTP conformance 2',
      },
      {
        what: 'a malformed request line',
        own: '400',
        uws: '505',
        why: PARSER,
        held: 'HTTP conformance 1 to 3',
      },
      {
        what: 'a malformed header',
        own: '400',
        uws: 'no answer, closed after 10 s',
        why: 'uWebSockets.js waits for the rest of the head',
        held: 'HTTP conformance 4, 5, 7, 9',
      },
      {
        what: 'requests sent before the answer (pipelining)',
        own: 'answered in order',
        uws: 'the connection is closed',
        why: 'uWebSockets.js closes a connection if a request arrives before the answer to the last one',
        held: 'HTTP conformance 11',
      },
      {
        what: 'a request line cut by the end of a read',
        own: 'answered',
        uws: '505 if the cut is in the version',
        why: PARSER,
        held: 'HTTP conformance 1',
      },
      {
        what: 'chunk extensions',
        own: 'ignored, within a bound',
        uws: 'the body never ends',
        why: 'uWebSockets.js reads them as digits of the size',
        held: 'HTTP conformance 8',
      },
      {
        what: 'malformed chunks',
        own: '400, and no whole request reaches the endpoint',
        uws: 'some are accepted as chunks',
        why: PARSER,
        held: 'HTTP conformance 8',
      },
      {
        what: 'the connection after a chunked body',
        own: 'stays open',
        uws: 'is closed after the answer',
        why: 'uWebSockets.js may misjudge the end of the body',
        held: 'HTTP conformance 8',
      },
      {
        what: 'an Expect header other than 100-continue',
        own: '417',
        uws: 'ignored',
        why: 'uWebSockets.js has already answered 100',
        held: 'HTTP conformance 7',
      },
      {
        what: 'header values with bytes above 0x7f',
        own: 'pass unchanged',
        uws: 'UTF-8 passes; other bytes are damaged',
        why: 'uWebSockets.js gives text instead of bytes',
        held: 'HTTP conformance 5',
      },
      {
        what: "case of the client's header names at endpoints",
        own: 'as the client sent it',
        uws: 'lower case',
        why: 'uWebSockets.js gives names in lower case',
        held: 'HTTP conformance 5',
      },
      {
        what: 'limits of a head',
        own: '`http.maxHeaderSize`, `http.maxHeaders`; 414 and 431',
        uws: '16 KiB, 98 header lines; 431',
        why: PARSER,
        held: 'HTTP conformance 12, test/integration/http/uws-limits.test.ts',
      },
      {
        what: "timeouts and max requests of a client's connection",
        own: '`http.headerTimeout`, `http.bodyTimeout`, `http.clientKeepAlive`, `http.maxRequestsPerConnection`',
        uws: '10 s without a byte before or between requests; no max',
        why: 'the timeout of uWebSockets.js is fixed',
        held: 'test/unit/config/schema/listener/http.test.ts',
      },
      {
        what: 'a client that closes its sending side',
        own: 'gets its answer',
        uws: 'gets none',
        why: 'uWebSockets.js closes the connection at a FIN',
        held: 'test/integration/http/end-to-end.test.ts',
      },
    ],
  },
  {
    title: 'Answers',
    rows: [
      {
        what: 'trailers, in both directions',
        own: 'pass',
        uws: "a client's end its connection, an endpoint's are dropped",
        why: 'uWebSockets.js reads trailers as the next request, and cannot send any',
        held: 'HTTP conformance 8, test/integration/http/uws-limits.test.ts',
      },
      {
        what: 'interim answers (103 Early Hints and others)',
        own: 'pass',
        uws: 'dropped',
        why: 'uWebSockets.js can send one head for each request',
        held: 'test/integration/http/uws-limits.test.ts',
      },
      {
        what: 'the head of a response before its body',
        own: 'sent at once for an event stream, after a second for others',
        uws: 'sent with the first byte of the body; an event stream begins with an empty comment',
        why: 'uWebSockets.js cannot send a head alone',
        held: 'test/integration/http/uws-limits.test.ts, test/integration/http/end-to-end.test.ts',
      },
      {
        what: 'Date',
        own: "the endpoint's, or else the proxy's",
        uws: "always the proxy's",
        why: 'uWebSockets.js writes its own',
        held: 'test/integration/http/uws-limits.test.ts',
      },
    ],
  },
  {
    title: 'WebSockets',
    rows: [
      {
        what: 'backpressure',
        own: 'in both directions, TCP to TCP',
        uws: 'for slow clients; a slow endpoint ends the session with 1013',
        why: MESSAGES,
        held: 'test/integration/websocket/stalls.test.ts, backpressure.test.ts',
      },
      {
        what: 'pings and pongs',
        own: 'relayed end to end; the proxy adds its own',
        uws: 'answered by the proxy',
        why: MESSAGES,
        held: 'WebSocket conformance 2, test/integration/websocket/relay.test.ts',
      },
      {
        what: 'fragments',
        own: 'unchanged',
        uws: 'messages up to 16 KiB become one frame',
        why: MESSAGES,
        held: 'WebSocket conformance 5, 9',
      },
      {
        what: "masks of a client's frames at endpoints",
        own: "the client's",
        uws: "as the cluster's `masking` says",
        why: MESSAGES,
        held: 'test/integration/websocket/relay.test.ts',
      },
      {
        what: 'a side is lost inside a frame',
        own: 'the other side gets the part, then FIN',
        uws: 'the other side gets a close frame',
        why: 'no close frame can follow a part of a frame that was already relayed',
        held: 'test/integration/websocket/faults.test.ts',
      },
      {
        what: 'close codes of clients',
        own: 'every code that RFC 6455 and IANA allow is relayed',
        uws: '1012 to 3999 become an empty close frame',
        why: 'uWebSockets.js treats them as invalid',
        held: 'WebSocket conformance 7, S7, test/integration/websocket/close.test.ts',
      },
      {
        what: 'a client breaks the protocol',
        own: 'a close frame with 1002 or 1009, after pending answers',
        uws: 'closed without a close frame',
        why: 'uWebSockets.js sends no close frame then',
        held: 'WebSocket conformance 3 to 5, test/integration/websocket/close.test.ts',
      },
      {
        what: 'text that is not UTF-8',
        own: 'the receiver decides: its 1007 is relayed',
        uws: 'from a client, it ends the connection',
        why: 'the stream relay does not decode messages',
        held: 'WebSocket conformance 6',
      },
      {
        what: 'compression and other extensions',
        own: 'negotiated by client and endpoint; `websocket.compression: off` removes the offer',
        uws: 'between client and proxy, with `websocket.compression: shared`',
        why: 'the stream relay does not decode messages',
        held: 'WebSocket conformance 12, 13, S12',
      },
      {
        what: '`maxMessageSize`',
        own: 'counts bytes on the wire',
        uws: 'counts inflated bytes',
        why: 'the stream relay does not decode messages',
        held: 'WebSocket conformance S9, S12.7',
      },
      {
        what: 'a client sends a message and closes at once',
        own: 'gets its answer',
        uws: 'the answer is lost',
        why: 'uWebSockets.js answers a close frame as soon as it is read',
        held: 'WebSocket conformance 7.1.1',
      },
      {
        what: '`sluice tap`, from clients',
        own: 'each frame as on the wire',
        uws: "whole messages, inflated, and control frames; not the proxy's pings to clients",
        why: MESSAGES,
        held: 'test/conformance/taps/sessions.test.ts',
      },
    ],
  },
  {
    title: 'Listeners',
    rows: [
      {
        what: "the client's connection in PROXY headers to endpoints",
        own: 'both ends',
        uws: "the client's address with port 0; the listener's address, which may be 0.0.0.0",
        why: 'uWebSockets.js reports nothing else',
        held: 'test/integration/proxy-protocol/endpoints.test.ts',
      },
      {
        what: 'new clients while the process has no descriptor left',
        own: '`raw`: wait; `net`: are closed, or wait',
        uws: 'wait',
        why: 'libuv closes them if it can, without a report',
        held: 'test/integration/workers/own-shortage.test.ts',
      },
      {
        what: '`proxyProtocol`, `passthrough`',
        own: 'yes',
        uws: 'refused by `check`',
        why: 'uWebSockets.js reads from the first byte; its own PROXY protocol trusts every peer',
        held: 'test/unit/config/schema/listener/proxies.test.ts, passthrough.test.ts',
      },
      {
        what: '`websocket.idleTimeout`',
        own: '1 s to 20 d',
        uws: '8 s to 960 s',
        why: 'uWebSockets.js aborts the process for other values',
        held: 'test/unit/config/schema',
      },
    ],
  },
  TLS_DIFFERENCES,
];
