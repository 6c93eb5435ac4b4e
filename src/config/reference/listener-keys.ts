/** The keys of listeners, except `tls`, `access`, `limits` and `routes`. */
import type { KeyTexts } from './key-text.ts';

export const LISTENER_KEYS: KeyTexts = {
  'listeners.name': {
    text: 'Name of the listener, unique among listeners. It is a label of metrics.',
    default: 'mode and port, such as `l7-443`',
  },
  'listeners.mode':
    '`l7` serves WebSocket and HTTP. `l4` carries bytes as they are, so TLS passes through to the endpoint.',
  'listeners.address': {
    text: 'Address to listen on. `:port` binds every interface, and port 0 takes a free port.',
    type: 'address: `host:port`, `[ipv6]:port` or `:port`',
  },
  'listeners.maxConnections':
    'Max connections at once, over all workers. 0 means no limit. `sluice check` warns if the descriptor limit is too low for it.',
  'listeners.engine': {
    text:
      'What carries the connections. `auto` takes `uws` for shared compression. Otherwise it takes `raw` if the machine supports it, or `net`. ' +
      '[Engines](../engines.md) compares them.',
    type: '`auto`, `raw`, `net`, and at layer 7 `uws`',
  },
  'listeners.trustedProxies': {
    text:
      'Proxies in front whose X-Forwarded-For, Forwarded or X-Real-IP names the client: the first of the three that is present. ' +
      'They must set or remove all three. See [the guide](../guides/forwarding-headers.md).',
    type: 'IP address or CIDR block, or a list of them',
  },
  'listeners.proxyProtocol':
    'Whether trusted proxies send a PROXY header (v1 or v2), which then names the client. With `optional`, sluice looks for one ' +
    'in their connections only. `required` closes connections without one, and all connections from other addresses.',
  'listeners.access': {
    text:
      'Who is admitted. Every rule must pass, in this order: deny, allow, limits by address, origins, credentials, other limits. ' +
      'At layer 4 only `deny` and `allow` exist.',
    type: 'mapping, or `off`',
    default: 'everybody',
  },
  'listeners.limits': {
    text: 'How much clients may use, over all workers. At most 16 limits.',
    type: 'limit, or a list of limits',
  },
  'listeners.passthrough': {
    text: 'TLS connections to forward undecrypted, by server name. An exact name wins over a wildcard, and a longer wildcard over a shorter one.',
    type: 'rule, or a list of rules',
  },
  'listeners.passthrough.serverName': {
    text: 'Server name that clients ask for, or several. `*.` stands for one or more labels.',
    type: 'host name, or a list of them',
  },
  'listeners.passthrough.cluster': {
    text: 'Cluster that gets these connections.',
    type: 'name of a cluster',
    default: 'one of `cluster`, `to` is required',
  },
  'listeners.passthrough.to': {
    text: 'The cluster itself, as in `to` of a listener. It is named after the listener and the server name.',
    type: 'port of this machine, address, list of endpoints, or cluster without `name`',
    default: 'one of `cluster`, `to` is required',
  },
  'listeners.tls': {
    text: 'Terminates TLS at sluice. Without this key the listener has no TLS.',
    type: 'mapping',
  },
  'listeners.maxPendingHandshakes':
    'Max WebSocket handshakes in progress with endpoints, over all workers. 0 means no limit. Half of the places are divided evenly ' +
    'between the listener’s clusters and stay reserved for them. The other half goes to the first clients. ' +
    'Allow at least one place per cluster, or nothing is reserved.',
  'listeners.maxQueuedHandshakes':
    'Max handshakes that wait for a place, within `websocket.handshakeTimeout`. Others get 503 with Retry-After. Client addresses ' +
    '(IPv6: /64) take turns. In a full queue, the address with the most handshakes loses a place to one with fewer.',
  'listeners.forwarded':
    'How sluice tells endpoints about the client. `x` sends X-Forwarded-For, -Proto, -Host, -Port, -Prefix and X-Real-IP, ' +
    '`rfc7239` sends Forwarded. X-Request-Id goes with every request.',
  'listeners.via':
    'Whether sluice adds Via (RFC 9110) to requests for clusters and to their responses. Nginx and others send uncompressed ' +
    'responses to a proxy that does.',
  'listeners.underscoreHeaders':
    'What happens to request headers with an underscore in the name, which many servers read as a hyphen. `refuse` answers 400. ' +
    '`pass` still drops twins of headers that sluice writes or relies on. Routes do not see dropped headers.',
  'listeners.paths': {
    text: 'How sluice reads and normalizes paths.',
    type: 'mapping',
    default: 'the defaults of its keys',
  },
  'listeners.paths.ambiguous':
    'What happens to paths that an endpoint could read as another path, such as `//`, `%2F`, `%5C` or `;`. `refuse` answers 400 if ' +
    'one reading would take a route that does something else. `pass` looks at the path as written only.',
  'listeners.paths.mergeSlashes':
    'Whether `//` becomes `/`, before dot segments are removed. Routes and endpoints see the result.',
  'listeners.paths.escapedSlashes':
    'What happens to `%2F` and `%5C`. `decode` turns both into `/`, `refuse` answers 400.',
  'listeners.paths.pathParameters':
    'What happens to parameters in a path. `strip` turns `/a;v=1/b` into `/a/b`, `refuse` answers 400.',

  'listeners.websocket': {
    text: 'Settings of WebSocket sessions.',
    type: 'mapping',
    default: 'the defaults of its keys',
  },
  'listeners.websocket.handshakeTimeout':
    'Max time from the client’s request to 101. Then the client gets 504.',
  'listeners.websocket.maxMessageSize':
    'Max bytes of a message. A larger one ends its session with 1009. sluice counts bytes on the wire, `uws` counts inflated bytes.',
  'listeners.websocket.idleTimeout': {
    text: 'Max time without a frame from one side, pongs included. Then the session ends.',
    type: 'duration, 1s to 20d (uws: 8s to 16m), or 0s for never',
  },
  'listeners.websocket.maxLifetime': 'Age at which a session ends, give or take 10%.',
  'listeners.websocket.compression': {
    text:
      '`passthrough` lets client and endpoint agree on extensions such as permessage-deflate. `off` hides the client’s offer from the endpoint. ' +
      '`shared` makes uws compress towards the client.',
    type: '`passthrough` (raw, net), `off`, `shared` (uws)',
    default: '`passthrough`; with uws `off`',
  },
  'listeners.websocket.endpointLostCode': {
    text: 'Close code for a client whose endpoint dies. 1014 is more precise, but some clients refuse it.',
    type: '1011 or 1014',
  },
  'listeners.websocket.downstreamBuffer':
    'Bytes that wait for a slow client before sluice pauses its endpoint.',
  'listeners.websocket.upstreamBuffer':
    'Max bytes that wait for a slow endpoint. Beyond it the session ends with 1013.',

  'listeners.http': {
    text: 'Settings of plain requests, and of client connections.',
    type: 'mapping',
    default: 'the defaults of its keys',
  },
  'listeners.http.requestTimeout':
    'Max time from the end of the request to the head of the response. Then the client gets 504.',
  'listeners.http.idleTimeout': 'Max time without a byte in either direction. Then the request ends.',
  'listeners.http.maxBodySize': 'Max bytes of a request body. A larger one gets 413. 0B means no limit.',
  'listeners.http.minBodyRate':
    'Min average rate of a request body, from its tenth second on. A slower one gets 408. Time in which the endpoint is slow does not ' +
    'count, nor does time after its response begins. With a rate, sluice takes an endpoint connection only after 16 KiB or the whole body ' +
    'arrived. 0 turns both off, for clients that send a little and wait for the endpoint.',
  'listeners.http.keepAlive':
    'Time an idle connection to an endpoint waits for the next request. 0s closes it at once.',
  'listeners.http.headerTimeout':
    'Max time from the first byte of a request to the end of its head. Then the client gets 408.',
  'listeners.http.maxHeaderSize':
    'Max bytes of a request head. A larger one gets 431. uws has a fixed limit of 16 KiB.',
  'listeners.http.maxHeaders': 'Max header lines of a request. More get 431. uws has a fixed limit of 98.',
  'listeners.http.clientKeepAlive':
    'Time a client connection waits for the next request. 0s closes it after the response. uws waits 10 s.',
  'listeners.http.maxRequestsPerConnection':
    'Max requests of a client connection, which then closes. 0 means no limit.',
  'listeners.http.bodyTimeout':
    'Max time from the end of the head to the end of the body. Then the client gets 408. If the response comes first, the rest of the ' +
    'body gets this time again, 30 s at most, before the connection closes.',

  'listeners.errorPages': {
    text:
      'Files that replace the short texts of sluice’s own error answers: by status (`404`), by class (`4xx`, `5xx`), or `default`. ' +
      'The most specific key wins. A file ends in .html, .htm, .json, .txt or .xml, and has at most 64 KiB. All of them together have ' +
      'at most 1 MiB. See [the guide](../guides/error-pages.md).',
    type: 'mapping of statuses to paths of files',
    default: 'none',
  },
  'listeners.routes': {
    text: 'Routes, tried in order. The first whose match holds serves the request.',
    type: 'list of routes',
    default: 'one of `routes`, `cluster`, `to` is required at layer 7',
  },
  'listeners.cluster': {
    text:
      'At layer 7, the cluster for requests that no route matches. At layer 4, the cluster for connections that no rule of ' +
      '`passthrough` takes. Without it, requests get 404, and connections are closed.',
    type: 'name of a cluster',
    default: 'at layer 4, one of `cluster`, `to`, `passthrough` is required',
  },
  'listeners.to': {
    text:
      'The cluster itself, in place of its name in `cluster`: a port of this machine, an address, a list of endpoints, or a mapping ' +
      'with the keys of a cluster except `name`. The cluster is named after the listener. See [the guide](../guides/short-forms.md).',
    type: 'port of this machine, address, list of endpoints, or cluster without `name`',
    default: 'none',
  },
  'listeners.redirectToHttps': {
    text:
      'Redirects every request that no route takes to https, with 308. Host, path and query stay. Only for a listener without `tls`. ' +
      'With it, `routes` is optional. See [the guide](../guides/redirects.md#http-to-https).',
    type: 'boolean, or the port of the listener with TLS, 1 to 65535',
    default: '`false`',
  },
  'listeners.idleTimeout': 'Max time without a byte in either direction. Then the tunnel closes.',
  'listeners.halfCloseTimeout': 'Max time without a byte after one side sent FIN. Then the tunnel closes.',
};
