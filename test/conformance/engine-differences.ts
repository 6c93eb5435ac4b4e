/**
 * What may differ between the engines of layer 7, row by row. docs/engines.md is made from it. Whatever is not listed here is
 * the same on every engine: the suites of test/conformance and test/integration hold it there.
 */
import type { DifferenceGroup } from './difference.ts';
import { TLS_DIFFERENCES } from './tls-differences.ts';

const PARSER = 'uWebSockets.js has a parser of its own, without settings';
const MESSAGES = 'uWebSockets.js hands over whole messages and sends its own frames';

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
        why: 'uWebSockets.js takes the head for an incomplete one',
        held: 'HTTP conformance 4, 5, 7, 9',
      },
      {
        what: 'requests sent before the answer (pipelining)',
        own: 'answered in order',
        uws: 'the connection is closed',
        why: 'uWebSockets.js closes a connection on which a request comes while another is answered',
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
        why: 'uWebSockets.js takes them for digits of the size',
        held: 'HTTP conformance 8',
      },
      {
        what: 'malformed chunks',
        own: '400, and no whole request reaches the endpoint',
        uws: 'some are read as chunks',
        why: PARSER,
        held: 'HTTP conformance 8',
      },
      {
        what: 'the connection behind a body in chunks',
        own: 'stays open',
        uws: 'is closed behind the answer',
        why: 'uWebSockets.js leaves the end of the body uncertain',
        held: 'HTTP conformance 8',
      },
      {
        what: 'an Expect header other than 100-continue',
        own: '417',
        uws: 'ignored',
        why: 'uWebSockets.js has answered 100 by then',
        held: 'HTTP conformance 7',
      },
      {
        what: 'header values with bytes above 0x7f',
        own: 'pass as they came',
        uws: 'UTF-8 inside a value passes; other bytes are damaged',
        why: 'uWebSockets.js hands over text',
        held: 'HTTP conformance 5',
      },
      {
        what: "names of the client's headers, towards endpoints",
        own: 'in the case of the client',
        uws: 'in lower case',
        why: 'uWebSockets.js hands over names in lower case',
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
        what: "timeouts of a client's connection, and max requests on it",
        own: '`http.headerTimeout`, `http.bodyTimeout`, `http.clientKeepAlive`, `http.maxRequestsPerConnection`',
        uws: '10 s without a byte before or between requests; no max requests',
        why: 'uWebSockets.js has one timeout, without settings',
        held: 'test/unit/config/schema/listener/http.test.ts',
      },
      {
        what: 'a client that closes its sending side',
        own: 'gets its answer',
        uws: 'gets none',
        why: 'uWebSockets.js closes the connection at the FIN',
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
        uws: "a client's end its connection, an endpoint's are left out",
        why: 'uWebSockets.js takes trailers for the next request, and sends none',
        held: 'HTTP conformance 8, test/integration/http/uws-limits.test.ts',
      },
      {
        what: 'interim answers (103 Early Hints and others)',
        own: 'pass',
        uws: 'left out',
        why: 'uWebSockets.js sends one head for a request',
        held: 'test/integration/http/uws-limits.test.ts',
      },
      {
        what: 'the head of a response whose body has not begun',
        own: "an event stream's leaves at once, any other after a second",
        uws: 'leaves with the first byte of the body; an event stream begins with an empty comment',
        why: 'uWebSockets.js cannot send a head alone',
        held: 'test/integration/http/uws-limits.test.ts, test/integration/http/end-to-end.test.ts',
      },
      {
        what: 'Date',
        own: "the endpoint's, else ours",
        uws: 'always ours',
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
        uws: 'towards the client; an endpoint that reads too slowly ends the session with 1013',
        why: MESSAGES,
        held: 'test/integration/websocket/stalls.test.ts, backpressure.test.ts',
      },
      {
        what: 'pings and pongs',
        own: 'cross from end to end, and the proxy adds its own',
        uws: 'are answered by the proxy',
        why: MESSAGES,
        held: 'WebSocket conformance 2, test/integration/websocket/relay.test.ts',
      },
      {
        what: 'borders of fragments',
        own: 'stay as they are',
        uws: 'messages up to 16 KiB become one frame',
        why: MESSAGES,
        held: 'WebSocket conformance 5, 9',
      },
      {
        what: "masks of a client's frames, towards endpoints",
        own: 'those of the client',
        uws: "as the cluster's `masking` says",
        why: MESSAGES,
        held: 'test/integration/websocket/relay.test.ts',
      },
      {
        what: 'a side that is lost in the middle of a frame',
        own: 'the other side gets the part and then FIN',
        uws: 'the other side gets a close frame',
        why: 'a part of the frame has crossed: no close frame can follow it',
        held: 'test/integration/websocket/faults.test.ts',
      },
      {
        what: 'close codes of clients',
        own: 'every code that RFC 6455 and IANA allow crosses',
        uws: '1012 to 3999 become an empty close frame',
        why: 'uWebSockets.js takes them for broken',
        held: 'WebSocket conformance 7, S7, test/integration/websocket/close.test.ts',
      },
      {
        what: 'a breach of the protocol by a client',
        own: 'a close frame with 1002 or 1009 behind the answers that are under way',
        uws: 'the connection ends without a close frame',
        why: 'uWebSockets.js sends none for a breach that it finds',
        held: 'WebSocket conformance 3 to 5, test/integration/websocket/close.test.ts',
      },
      {
        what: 'text that is no UTF-8',
        own: "the receiver's to judge: its 1007 crosses",
        uws: "a client's ends the connection",
        why: 'messages are not decoded by the stream relay',
        held: 'WebSocket conformance 6',
      },
      {
        what: 'compression and other extensions',
        own: 'agreed on by client and endpoint; `websocket.compression: off` strips the offer',
        uws: 'between client and proxy, with `websocket.compression: shared`',
        why: 'messages are not decoded by the stream relay',
        held: 'WebSocket conformance 12, 13, S12',
      },
      {
        what: '`maxMessageSize`',
        own: 'counts bytes on the wire',
        uws: 'counts inflated bytes',
        why: 'messages are not decoded by the stream relay',
        held: 'WebSocket conformance S9, S12.7',
      },
      {
        what: 'a client that sends a message and closes at once',
        own: 'gets its answer',
        uws: 'the answer is lost',
        why: 'uWebSockets.js answers a close frame in the call in which it is read',
        held: 'WebSocket conformance 7.1.1',
      },
      {
        what: 'what `sluice tap` shows of a client',
        own: 'each frame, as it stands on the wire',
        uws: "whole messages, not compressed, and control frames; not the proxy's pings to clients",
        why: MESSAGES,
        held: 'test/conformance/taps/sessions.test.ts',
      },
    ],
  },
  {
    title: 'Listeners',
    rows: [
      {
        what: "a client's connection in PROXY headers towards endpoints",
        own: 'both ends',
        uws: "the client's address with port 0; the listener's address, 0.0.0.0 if it stands for all interfaces",
        why: 'uWebSockets.js tells nothing else',
        held: 'test/integration/proxy-protocol/endpoints.test.ts',
      },
      {
        what: 'clients that come while the process has no descriptor left',
        own: '`raw`: wait until there is one; `net`: are cut, or wait',
        uws: 'wait until there is one',
        why: 'libuv closes them if it can, and tells nobody',
        held: 'test/integration/workers/own-shortage.test.ts',
      },
      {
        what: '`proxyProtocol`, `passthrough`',
        own: 'yes',
        uws: 'errors of `check`',
        why: 'uWebSockets.js reads from the first byte, and its own PROXY protocol believes anyone',
        held: 'test/unit/config/schema/listener/proxies.test.ts, passthrough.test.ts',
      },
      {
        what: '`websocket.idleTimeout`',
        own: '1 s to 20 d',
        uws: '8 s to 960 s',
        why: 'uWebSockets.js ends the process for other values',
        held: 'test/unit/config/schema',
      },
    ],
  },
  TLS_DIFFERENCES,
];
