/** The keys `tls`, `access` and `limits` of listeners. Routes have the last two as well. */
import type { KeyTexts } from './key-text.ts';

const ONE_OF = 'one of these keys is required';
const EVENT_RATE = 'rate, 1/h to 1000000/s, or a mapping of `rate` and `burst`';
const USUAL_BURST = 'the amount of one second, at least 1';

export const TLS_KEYS: KeyTexts = {
  'listeners.tls.certificates': {
    text:
      'Certificates, chosen by the server name that the client asks for. The first one serves clients that match none. ' +
      'A name may have one certificate per key type (RSA, ECDSA).',
    type: 'list of certificates',
    default: 'required without `cert` and `key`',
  },
  'listeners.tls.cert': {
    text: 'With `key`, the only certificate, in place of `certificates`.',
    type: 'path of a file',
    default: 'none',
  },
  'listeners.tls.key': {
    text: 'Private key of `cert`.',
    type: 'path of a file',
    default: 'none',
  },
  'listeners.tls.certificates.cert': {
    text: 'PEM file: the certificate first, then its issuers in order.',
    type: 'path of a file',
  },
  'listeners.tls.certificates.key': {
    text: 'PEM file of the private key, without a passphrase.',
    type: 'path of a file',
  },
  'listeners.tls.minVersion': {
    text: 'Min version of TLS.',
    engines: 'every engine; 1.3: raw, net',
  },
  'listeners.tls.ciphers': {
    text:
      'OpenSSL names of ciphers, the preferred first. A TLS version without a cipher in the list keeps its defaults. ' +
      'uws chooses among the ciphers of TLS 1.2 only.',
    type: 'list of names, or one text with colons',
    default:
      '`TLS_AES_128_GCM_SHA256`, `TLS_AES_256_GCM_SHA384`, `TLS_CHACHA20_POLY1305_SHA256`, and for TLS 1.2 the six ' +
      '`ECDHE-` ciphers with AES-GCM or ChaCha20-Poly1305',
  },
  'listeners.tls.groups': {
    text: 'Groups of the key exchange, the preferred first. X25519MLKEM768 resists quantum computers, and needs OpenSSL 3.5.',
    type: 'list of names, or one text with colons',
    default: '`X25519MLKEM768`, `X25519`, `P-256`; the first only if OpenSSL has it',
  },
  'listeners.tls.alpn': {
    text: 'Protocols that clients may choose. An empty list chooses none. sluice does not speak HTTP/2.',
    type: 'name, or a list of up to 32 names',
    default: '`[http/1.1]`',
  },
  'listeners.tls.handshakeTimeout':
    'Max time from the connection to the end of the handshake, PROXY header included.',
  'listeners.tls.clientCertificates': {
    text: 'Asks clients for a certificate. Without this key sluice asks nobody.',
    type: 'mapping, or the path of `ca`',
  },
  'listeners.tls.clientCertificates.ca': {
    text: 'PEM file of the authorities to trust.',
    type: 'path of a file',
  },
  'listeners.tls.clientCertificates.require':
    '`false` admits clients without a certificate. sluice refuses a bad certificate in any case.',
  'listeners.tls.clientCertificates.crl': {
    text: 'PEM file of revocation lists, one per authority.',
    type: 'path of a file',
  },
  'listeners.tls.clientCertificates.forward': 'Whether endpoints get X-Forwarded-Client-Cert.',
  'listeners.tls.tickets': {
    text: 'Source of the keys of session tickets: `rotate` or `keyFile`. Clients resume sessions with tickets.',
    type: 'mapping',
    default: '`{ rotate: 12h }`',
  },
  'listeners.tls.tickets.rotate':
    'Interval at which the process makes a new key. An old key decrypts for one more interval.',
  'listeners.tls.tickets.keyFile': {
    text:
      'File of 1 to 8 keys of 80 bytes (`openssl rand 80`), in the format of nginx. The first encrypts, all decrypt. Machines behind ' +
      'one address share the file, under listeners of one name.',
    type: 'path of a file',
  },
};

export const ACCESS_KEYS: KeyTexts = {
  'listeners.access.deny': {
    text: 'Client addresses to refuse with 403, at layer 4 and in passthrough by closing the connection. `off` removes the listener’s list.',
    type: 'IP address, CIDR block or `{ file: PATH }`, or a list of them',
  },
  'listeners.access.deny.file': {
    text: 'File with a block per line and comments after `#`. sluice watches it.',
    type: 'path of a file',
  },
  'listeners.access.allow': {
    text: 'Client addresses to admit. All others are refused as by `deny`. `off` removes the listener’s list.',
    type: 'IP address, CIDR block or `{ file: PATH }`, or a list of them',
    default: 'every address',
  },
  'listeners.access.allow.file': {
    text: 'File with a block per line and comments after `#`. sluice watches it.',
    type: 'path of a file',
  },
  'listeners.access.origins': {
    text:
      'Web pages that may open WebSockets, by Origin. Other upgrades get 403. `self` is the host that the client asked for, `"null"` is ' +
      'sandboxed pages and files. `*.` stands for one or more labels, `:*` for every port. Without a port the scheme’s default applies.',
    type: 'origin, a list of origins, or `off`',
    default: 'every origin',
  },
  'listeners.access.originRequired': 'Whether upgrades without Origin, as programs send them, also get 403.',
  'listeners.access.basic': {
    text: 'Users and passwords (RFC 7617).',
    type: 'mapping, the path of `file`, or `off`',
  },
  'listeners.access.basic.file': {
    text: 'File made by `htpasswd -B`. sluice accepts bcrypt up to cost 12, apr1 and SHA.',
    type: 'path of a file',
  },
  'listeners.access.basic.realm': 'Text that browsers show when they ask for the password.',
  'listeners.access.jwt': {
    text: 'JSON Web Tokens (RFC 7519).',
    type: 'mapping, the path or URL of `keys`, or `off`',
  },
  'listeners.access.jwt.keys': {
    text: 'JSON Web Key Set (RFC 7517). sluice fetches a URL again from time to time.',
    type: 'path of a file, or https URL',
  },
  'listeners.access.jwt.algorithms': {
    text: 'Accepted signature algorithms. HS256, HS384 and HS512 take secrets (`oct`) from a file, and cannot be mixed with others.',
    type: 'name, or a list of names',
    default: 'all algorithms of the keys in the file; for a URL all public-key algorithms',
  },
  'listeners.access.jwt.issuer': {
    text: 'Accepted values of the claim `iss`.',
    type: 'text, or a list of texts',
    default: 'every issuer',
  },
  'listeners.access.jwt.audience': {
    text: 'Accepted values of the claim `aud`. Without it, tokens for other applications pass.',
    type: 'text, or a list of texts',
    default: 'every audience',
  },
  'listeners.access.jwt.from': {
    text: 'Places to look for the token, at most 8. The first place that has one counts.',
    type: 'source, or a list of sources',
    default: '`[{ header: authorization }]`',
  },
  'listeners.access.jwt.from.header': {
    text: 'Header with the token. In Authorization the token follows `Bearer`.',
    type: 'header name',
    default: ONE_OF,
  },
  'listeners.access.jwt.from.cookie': {
    text: 'Cookie with the token.',
    type: 'cookie name',
    default: ONE_OF,
  },
  'listeners.access.jwt.from.query': {
    text: 'Query parameter with the token. Endpoints and logs do not see it.',
    type: 'parameter name',
    default: ONE_OF,
  },
  'listeners.access.jwt.from.subprotocol': {
    text: 'Subprotocol that marks the token: browsers offer this name and the token.',
    type: 'subprotocol name',
    default: ONE_OF,
  },
  'listeners.access.jwt.require': {
    text: 'Required claims, and the accepted values of each.',
    type: 'mapping of claims to a value or a list of values',
  },
  'listeners.access.jwt.forward': {
    text: 'Request headers for endpoints, and the claims to fill them. Clients cannot send these headers.',
    type: 'mapping of headers to claims',
  },
  'listeners.access.jwt.atExpiry':
    'What happens to a session when its token expires. `close` ends it with 1008 "token expired".',
  'listeners.access.jwt.grace': 'Time between the expiry of a token and the end of its session.',
  'listeners.access.jwt.leeway':
    'Allowed clock difference for `nbf` and `iat`, and for `exp` at the handshake.',
  'listeners.access.forwardAuth': {
    text: 'Asks a server about each request, like nginx’s auth_request and Traefik’s ForwardAuth. 2xx admits. Every other response goes to the client.',
    type: 'mapping, its `url`, or `off`',
  },
  'listeners.access.forwardAuth.url': {
    text: 'URL of the authentication server.',
    type: 'http or https URL',
  },
  'listeners.access.forwardAuth.headers': {
    text: 'Response headers to pass to endpoints. The first names the principal. Clients cannot send these headers.',
    type: 'header name, or a list of them',
  },
  'listeners.access.forwardAuth.timeout': 'Max time for the server’s response.',
  'listeners.access.forwardAuth.maxConcurrent': 'Max requests to the server at once, per worker.',
  'listeners.access.forwardAuth.onFailure':
    'What happens while the server does not respond. `refuse` answers 503.',
};

export const LIMIT_KEYS: KeyTexts = {
  'listeners.limits.name': {
    text: 'Name in metrics, logs and responses, unique in the listener and its routes.',
    default: 'the key, with a number if the name is taken',
  },
  'listeners.limits.key': {
    text: 'What tells clients apart. `address` counts an IPv6 /64 as one. Clients without the key are not limited. At layer 4 only `address` exists.',
    type: '`address`, `principal`, `host`, `route`, or a mapping of one of the keys below',
  },
  'listeners.limits.key.claim': { text: 'Claim of the JWT.', type: 'claim name', default: 'none' },
  'listeners.limits.key.header': { text: 'Request header.', type: 'header name', default: 'none' },
  'listeners.limits.key.cookie': { text: 'Cookie.', type: 'cookie name', default: 'none' },
  'listeners.limits.connections':
    'Max sessions, tunnels and requests at once. The next one gets 429 with Retry-After.',
  'listeners.limits.handshakes': {
    text: 'Upgrades, and at layer 4 connections. More get 429 with Retry-After.',
    type: EVENT_RATE,
    default: 'none',
  },
  'listeners.limits.handshakes.rate': 'Upgrades or connections per second, minute or hour.',
  'listeners.limits.handshakes.burst': { text: 'Max upgrades or connections at once.', default: USUAL_BURST },
  'listeners.limits.requests': {
    text: 'Requests except upgrades. More get 429 with Retry-After.',
    type: EVENT_RATE,
    default: 'none',
  },
  'listeners.limits.requests.rate': 'Requests per second, minute or hour.',
  'listeners.limits.requests.burst': { text: 'Max requests at once.', default: USUAL_BURST },
  'listeners.limits.messages': {
    text: 'Messages that clients send in WebSockets. `over` says what happens beyond.',
    type: EVENT_RATE,
    default: 'none',
  },
  'listeners.limits.messages.rate': 'Messages per second, minute or hour.',
  'listeners.limits.messages.burst': { text: 'Max messages at once.', default: USUAL_BURST },
  'listeners.limits.bytes': {
    text: 'Bytes that clients send in WebSockets. `over` says what happens beyond.',
    type: 'byte rate, 1B/s to 1024GiB/s, or a mapping of `rate` and `burst`',
    default: 'none',
  },
  'listeners.limits.bytes.rate': { text: 'Bytes per second.', type: 'byte rate, 1B/s to 1024GiB/s' },
  'listeners.limits.bytes.burst': { text: 'Max bytes at once.', default: 'the amount of one second' },
  'listeners.limits.burst': {
    text: 'Burst of a limit with one rate. A used burst must come back within 8 hours.',
    default: USUAL_BURST,
  },
  'listeners.limits.over': {
    text: 'What happens to clients that send too many messages or bytes. `close` ends the session with 1008. `slow` reads less, so that TCP slows the client.',
    engines: 'every engine; `slow`: raw, net',
  },
  'listeners.limits.shared': 'Whether Redis counts this limit over all machines. It needs `redis.url`.',
  'listeners.limits.maxKeys': 'Max keys with separate counts. All other keys share one count.',
};
