/** The keys of clusters. */
import type { KeyTexts } from './key-text.ts';

export const CLUSTER_KEYS: KeyTexts = {
  'clusters.name': 'Name of the cluster, unique among clusters. It is a label of metrics.',
  'clusters.balancer':
    'How a new connection chooses its endpoint. `p2c` takes the less loaded of two random endpoints. All balancers respect weights and ' +
    'count over all workers. `round_robin` does so while weights are equal and no endpoint starts slowly. Otherwise each worker keeps exact shares.',
  'clusters.hashOn': {
    text: 'What `consistent_hash` hashes: the same value goes to the same endpoint, and few move when endpoints change.',
    type: '`source_ip`, or a mapping of one of the keys below',
    default: '`source_ip`',
  },
  'clusters.hashOn.header': { text: 'Request header to hash.', type: 'header name', default: 'none' },
  'clusters.hashOn.cookie': { text: 'Cookie to hash.', type: 'cookie name', default: 'none' },
  'clusters.hashOn.query': {
    text: 'Query parameter to hash.',
    type: 'parameter name',
    default: 'none',
  },
  'clusters.loadFactor': {
    text: 'With `consistent_hash`, no endpoint gets more than its share times this. 0 means no bound.',
    type: 'number, more than 1 and up to 100, or 0',
  },
  'clusters.sticky': {
    text: 'Returns clients to their endpoint by a cookie, while the endpoint is healthy. The name of a cookie alone stands for a mapping with that name.',
    type: 'cookie name, mapping, or `off`',
  },
  'clusters.sticky.cookie': { text: 'Name of the cookie.', type: 'cookie name' },
  'clusters.sticky.ttl': 'Lifetime of the cookie.',
  'clusters.sticky.secret': {
    text: 'Secret that signs the cookie, the same in all proxies. `SLUICE_STICKY_SECRET` in the environment wins over it.',
    type: 'text of 16 characters or more',
    default: 'a random secret that ends with the process',
  },
  'clusters.sticky.secretFile': {
    text: 'File with the secret, in place of `secret`. sluice does not read it if the environment has the secret.',
    type: 'path of a file',
  },
  'clusters.sticky.sameSite': 'SameSite attribute of the cookie.',
  'clusters.sticky.secure': {
    text: 'When the cookie has the attribute Secure. `auto` sets it for clients that use TLS, here or at a trusted proxy in front.',
    default: '`auto`; `on` for `sameSite: none` and for names with `__Host-` or `__Secure-`',
  },
  'clusters.connectTimeout': 'Max time of one dial of one endpoint, TLS included.',
  'clusters.retries': 'Max other endpoints to try when one fails.',
  'clusters.retryBudget': {
    text: 'Bounds the retries of all connections together, to prevent retry storms.',
    type: 'mapping',
    default: 'the defaults of its keys',
  },
  'clusters.retryBudget.percent': 'Max retries as a percentage of the connections of the last ten seconds.',
  'clusters.retryBudget.minPerSecond': 'Retries per second that each worker may always make.',
  'clusters.maxConnections': 'Max connections at once, over all workers. 0 means no limit.',
  'clusters.healthCheck': {
    text: 'Probes endpoints, once for all workers. The first probe decides alone. Without this key there are no probes.',
    type: 'mapping',
  },
  'clusters.healthCheck.type':
    '`tcp`: the endpoint accepts connections. Its process does not notice, unless the probe uses TLS or a PROXY header. `http`: it answers a ' +
    'request. `websocket`: it answers a handshake and a ping.',
  'clusters.healthCheck.path': 'Path of the request. Not for `tcp`.',
  'clusters.healthCheck.host': {
    text: 'Host header of the request. Not for `tcp`.',
    default: 'the address of the endpoint',
  },
  'clusters.healthCheck.status': {
    text: 'Accepted status or range of statuses, for `http`.',
    type: 'status such as `204`, or range such as `200-399`',
    default: '`200-399`',
  },
  'clusters.healthCheck.interval': 'Time between probes of an endpoint, give or take 10%.',
  'clusters.healthCheck.timeout': 'Max time of a probe.',
  'clusters.healthCheck.rise': 'Successful probes in a row that bring an endpoint up.',
  'clusters.healthCheck.fall': 'Failed probes in a row that take an endpoint down.',
  'clusters.onDown':
    'What happens to open connections of an endpoint that probes find down. `close` ends 100 per second, sessions with 1012.',
  'clusters.outlier': {
    text: 'Ejects endpoints that fail real traffic. `outlier: off` turns it off.',
    type: 'mapping, or `off`',
    default: 'on, with the defaults below',
  },
  'clusters.outlier.failures': {
    text:
      '`connect`: a failed dial, TLS included. `reset`: the endpoint cuts an upgrade or request that it received. `handshake`: a wrong or late ' +
      'answer to an upgrade. `5xx`: a response of 500 to 599. Clients can provoke all but `connect`. So the others eject an endpoint only if ' +
      'it failed for the whole `window` and for at least `minClients` client addresses. It must fail at least as many addresses as it ' +
      'serves, while other endpoints do better.',
    type: '`connect`, `reset`, `handshake` or `5xx`, or a list of them',
    default: '`[connect]`',
  },
  'clusters.outlier.consecutiveFailures': 'Failures in a row that eject an endpoint.',
  'clusters.outlier.window': 'Time that `reset`, `handshake` and `5xx` must last before an ejection.',
  'clusters.outlier.minClients':
    'Client addresses that must see `reset`, `handshake` or `5xx` before an ejection. An IPv6 /64 counts as one.',
  'clusters.outlier.ejection': 'Time of the first ejection. Each further one lasts twice as long.',
  'clusters.outlier.maxEjection': 'Max time of an ejection.',
  'clusters.outlier.maxEjectedPercent': 'Max percentage of endpoints ejected at once.',
  'clusters.panicThreshold':
    'If less than this percentage of endpoints is up, sluice uses all of them: the few that are up would break down. 0 is never.',
  'clusters.slowStart': 'Time in which an endpoint that appears or recovers grows to its full share.',
  'clusters.resolve': {
    text: 'How sluice looks up host names of endpoints.',
    type: 'mapping',
    default: 'the defaults of its keys',
  },
  'clusters.resolve.type':
    '`system` uses the system’s resolver and hosts file. `a` asks for A and AAAA records and follows their TTL. `srv` asks for SRV records. ' +
    'Each address found is an endpoint, up to 4,096 per name. After a failed lookup the last addresses stay.',
  'clusters.resolve.interval': 'Max time between lookups of a name.',
  'clusters.resolve.servers': {
    text: 'DNS servers for `a` and `srv`, such as `10.0.0.2:53`.',
    type: 'IP address, with or without a port, or a list of them',
    default: 'those of the system',
  },
  'clusters.masking': {
    text: 'Masks of WebSocket frames that sluice itself writes to endpoints. With uws that is every frame. With raw and net, frames of clients keep their masks.',
  },
  'clusters.proxyProtocol':
    'PROXY header at the start of connections to endpoints, before TLS. It names the client. Probes send one without an address. ' +
    'A connection for requests then belongs to one client.',
  'clusters.tls': {
    text: 'TLS to the endpoints. `tls: {}` takes the defaults. A reload that changes it closes idle connections to the endpoints, and open sessions continue.',
    type: 'mapping',
  },
  'clusters.tls.serverName': {
    text: 'Server name to ask for and to verify.',
    type: 'host name',
    default: 'the host of the endpoint',
  },
  'clusters.tls.ca': {
    text: 'PEM file of the authorities to trust.',
    type: 'path of a file',
    default: 'those of Node',
  },
  'clusters.tls.verify': '`false` accepts any certificate.',
  'clusters.tls.cert': {
    text: 'PEM file of a client certificate. It needs `key`.',
    type: 'path of a file',
    default: 'none',
  },
  'clusters.tls.key': {
    text: 'PEM file of the key of `cert`.',
    type: 'path of a file',
    default: 'none',
  },
  'clusters.endpoints': {
    text: 'The endpoints of the cluster. An address alone is an endpoint with the default weight and no limit. A port alone is one of 127.0.0.1.',
    type: 'address or mapping of the keys below, or a list of them',
  },
  'clusters.endpoints.address': {
    text: 'Address of the endpoint. With `resolve.type: srv`, the name of SRV records, such as `_ws._tcp.example.com`.',
    type: 'address: `host:port`, `[ipv6]:port`, `unix:/path`, or a port of 127.0.0.1',
  },
  'clusters.endpoints.weight':
    'Share of connections: weight 2 gets twice as many as weight 1. The addresses of a name share its weight.',
  'clusters.endpoints.maxConnections': 'Max connections at once, over all workers. 0 means no limit.',
};
