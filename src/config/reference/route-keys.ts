/** The keys of routes, except those of `access` and `limits`. */
import type { KeyTexts } from './key-text.ts';

const NAMES_TO_VALUES = 'mapping of header names to values';

export const ROUTE_KEYS: KeyTexts = {
  'listeners.routes.name': {
    text: 'Name of the route, unique in its listener. It is a label of metrics.',
    default: '`route-` and its number',
  },
  'listeners.routes.match': {
    text:
      'Conditions that must all hold. A text is a host, a `pathPrefix`, or both: `chat.example.com/api`. A list is a list of hosts. ' +
      'An empty mapping matches everything.',
    type: 'mapping, a host, a path, both in one text, or a list of hosts',
    default: 'every request',
  },
  'listeners.routes.cluster': {
    text: 'Cluster that serves the request.',
    type: 'name of a cluster',
    default: 'one of `cluster`, `to`, `static`, `respond`, `redirect` is required',
  },
  'listeners.routes.to': {
    text:
      'The cluster itself, as in `to` of a listener. It is named after the listener and the route, or after what a route without a ' +
      'name matches.',
    type: 'port of this machine, address, list of endpoints, or cluster without `name`',
    default: 'none',
  },
  'listeners.routes.upgrade':
    'Whether the cluster gets plain requests and WebSocket handshakes. With `only`, plain requests get 426. With `never`, handshakes ' +
    'are plain requests.',
  'listeners.routes.rewrite': { text: 'Changes requests for the cluster.', type: 'mapping' },
  'listeners.routes.static': {
    text: 'Serves files from a directory.',
    type: 'mapping, or the path of a directory',
  },
  'listeners.routes.respond': { text: 'Sends a fixed response.', type: 'mapping, or a status' },
  'listeners.routes.redirect': { text: 'Redirects the client.', type: 'mapping, or a target' },
  'listeners.routes.headers': {
    text: 'Changes headers of requests for the cluster, and of every response of the route, errors and 101 included.',
    type: 'mapping',
  },
  'listeners.routes.access': {
    text: 'The keys of [access](#access). Each replaces the listener’s key, and `off` removes it. `access: off` removes all of them.',
    type: 'mapping, or `off`',
    default: 'the listener’s',
  },
  'listeners.routes.limits': {
    text: 'More [limits](#limits), besides those of the listener.',
    type: 'limit, or a list of limits',
  },
  'listeners.routes.errorPages': {
    text: 'More error pages. They replace the listener’s pages with the same key, and `off` excludes all of those.',
    type: 'mapping of statuses to paths of files, or `off`',
    default: 'the listener’s',
  },

  'listeners.routes.match.host': {
    text: 'Host without its port, or several. `*.` stands for one or more labels.',
    type: 'host name, `*.` and a name, an address, or a list of them',
    default: 'any host',
  },
  'listeners.routes.match.path': 'Exact path. It excludes `pathPrefix` and `pathRegex`.',
  'listeners.routes.match.pathPrefix':
    'Prefix of whole segments: `/chat` matches `/chat` and `/chat/room`, but not `/chatter`.',
  'listeners.routes.match.pathRegex':
    'Regular expression in RE2 syntax, not anchored. Paths longer than 8 KiB get 414.',
  'listeners.routes.match.headers': {
    text: 'Headers that must have these exact values. Names match in any case. Repeated lines of one header get 400.',
    type: NAMES_TO_VALUES,
  },
  'listeners.routes.match.query': {
    text: 'Query parameters that must have these exact values. Only `&` separates them. A repeated parameter gets 400.',
    type: 'mapping of parameter names to values',
  },
  'listeners.routes.match.subprotocol': 'Subprotocol that the client must offer.',
  'listeners.routes.match.clientCertificate': {
    text: 'Conditions on the client’s certificate. All that are set must hold. It needs `tls.clientCertificates`.',
    type: 'mapping',
  },
  'listeners.routes.match.clientCertificate.subject': {
    text: 'Subject as RFC 2253 writes it, such as `CN=alice,O=example`.',
    type: 'text',
  },
  'listeners.routes.match.clientCertificate.san':
    'One subject alternative name: a DNS name, URI, email address or IP address.',
  'listeners.routes.match.clientCertificate.fingerprint': 'SHA-256 in hex, with or without colons.',

  'listeners.routes.rewrite.host': {
    text: 'Host header for endpoints.',
    type: 'name or address, with or without a port',
    default: 'the client’s',
  },
  'listeners.routes.rewrite.stripPrefix': {
    text: 'Prefix to remove: with `/chat`, `/chat/room` becomes `/room`, with `X-Forwarded-Prefix: /chat`.',
    default: 'none',
  },
  'listeners.routes.rewrite.path': 'Path for endpoints. `$1` to `$9` are the groups of `pathRegex`.',

  'listeners.routes.headers.request': {
    text: 'Changes to requests. They need `cluster`.',
    type: 'mapping',
  },
  'listeners.routes.headers.request.set': {
    text: 'Headers that replace what the client sent.',
    type: NAMES_TO_VALUES,
  },
  'listeners.routes.headers.request.add': { text: 'Headers to add to what is there.', type: NAMES_TO_VALUES },
  'listeners.routes.headers.request.remove': {
    text: 'Headers to remove.',
    type: 'header name, or a list of them',
  },
  'listeners.routes.headers.response': { text: 'Changes to responses.', type: 'mapping' },
  'listeners.routes.headers.response.set': {
    text: 'Headers that replace what the response has.',
    type: NAMES_TO_VALUES,
  },
  'listeners.routes.headers.response.add': {
    text: 'Headers to add to what is there.',
    type: NAMES_TO_VALUES,
  },
  'listeners.routes.headers.response.remove': {
    text: 'Headers to remove.',
    type: 'header name, or a list of them',
  },

  'listeners.routes.static.root': { text: 'Directory of the files.', type: 'path of a directory' },
  'listeners.routes.static.index': 'File to serve for a path that ends in a slash.',
  'listeners.routes.static.fallback': {
    text: 'File to serve with 200 if the requested file does not exist.',
    default: 'none: such requests get 404',
  },
  'listeners.routes.static.precompressed':
    'Whether to send FILE.br or FILE.gz to clients that accept them, if it lies beside FILE.',
  'listeners.routes.static.cacheControl': 'Value of Cache-Control.',

  'listeners.routes.respond.status': 'Status of the response.',
  'listeners.routes.respond.body': { text: 'Body of the response.', default: 'empty' },
  'listeners.routes.respond.contentType': 'Content-Type of the response.',

  'listeners.routes.redirect.to':
    'Target: a path, or a URL with http or https. `$host`, `$path` and `$query` are parts of the request, `$1` to `$9` the groups of ' +
    '`pathRegex`, and `$$` is a dollar sign. See [the guide](../guides/redirects.md).',
  'listeners.routes.redirect.status': {
    text: 'Status of the redirect.',
    type: '301, 302, 303, 307 or 308',
  },
};
