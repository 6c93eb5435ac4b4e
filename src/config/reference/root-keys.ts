/** The keys of the root, except `listeners` and `clusters`. */
import type { KeyTexts } from './key-text.ts';

/** Texts of the mappings of the root, which are not keys with values themselves. */
export const ROOT_GROUPS: Readonly<Record<string, string>> = {
  workers: 'Threads that carry the traffic.',
  admin: 'The server of metrics, health, status and the admin API.',
  metrics: 'Contents of `/metrics`.',
  log: 'The log and the access log.',
  tracing: 'Spans for an OpenTelemetry collector.',
  shutdown: 'What happens on SIGTERM.',
  drain: 'How a drain ends connections.',
  redis: 'The Redis server through which machines share limits and revocations.',
  revocations: 'How long sluice keeps revocations of principals, and where.',
  demo: 'Clusters whose endpoints sluice plays itself, to try it.',
};

export const ROOT_KEYS: KeyTexts = {
  include: {
    text:
      'Files whose settings belong to this configuration. Lists of listeners and clusters are appended in this order. ' +
      'The last part of a path may have `*` and `?`. Relative paths start at the directory of the main file. ' +
      '`- include: FILE` as an entry of `routes` inserts a file’s list of routes, and takes a list as well.',
    type: 'file, or list of files',
    default: 'none',
  },
  'workers.l7': {
    text: 'Threads for listeners of mode l7. `auto` starts one per core within the CPU quota of a container, and at most one per 64 MiB of memory.',
    type: '`auto`, or an integer, 1 to 256',
  },
  'workers.l4': {
    text: 'Threads for listeners of mode l4. `auto` starts one per core within the CPU quota of a container, and at most one per 64 MiB of memory.',
    type: '`auto`, or an integer, 1 to 256',
  },
  'workers.bufferBudget': {
    text:
      'Max bytes that all sessions together buffer for slow peers and unfinished client messages. Workers share it equally. ' +
      'Beyond it, sluice closes the sessions that buffer most with 1013. `auto` is a quarter of the memory of the process.',
    type: '`auto`, or a size, 1MiB to 1048576GiB',
  },
  'workers.stuckAfter':
    'Max silence of a worker’s event loop. Then sluice replaces the worker, and other workers take over its addresses. ' +
    'Time in which the whole process was stopped does not count.',
  'workers.warmUp':
    'Max time a new worker spends on handshakes with itself before it serves clients. Its first clients then run compiled code. ' +
    '0s turns this off.',

  'admin.address': {
    text: 'Address of metrics, health, status and the admin API. Keep it away from clients.',
    type: 'address: `host:port`, `[ipv6]:port` or `:port`',
  },
  'admin.hosts': {
    text:
      'Host names that admin requests may use, besides IP addresses, localhost and the name in `admin.address`. ' +
      'Others get 421. This stops web pages whose name resolves to the admin address. ' +
      '`/livez`, `/readyz` and `/metrics` accept every host.',
    type: 'host name, or a list of them',
  },
  'admin.token': {
    text:
      'Bearer token for requests that change something. Without a token, sluice refuses all of them. ' +
      'Prefer the environment variable to the file.',
    type: 'text, 16 to 512 letters, digits and `-._~+/`',
  },
  'admin.tap': {
    text:
      'What `sluice tap` may show to holders of the token. `headers` shows times, opcodes, lengths, close codes, and handshakes ' +
      'without their secrets. `payload` shows messages too.',
  },
  'admin.tapRedact': {
    text:
      'Values that no tap shows: JSON paths (RFC 9535), and RE2 expressions between slashes. ' +
      "Example: `['$..password', '/[0-9]{16}/']`. Each tap may add rules.",
    type: 'rule, or a list of rules',
  },

  'metrics.endpoints':
    'Whether `/metrics` has the series of each endpoint, 11 or more per endpoint. `/status` shows every endpoint anyway.',

  'log.level': 'Min severity of log lines.',
  'log.format':
    'Format of log lines. `pretty` is for people. `auto` is `pretty` if the log goes to a terminal, and `json` if it goes elsewhere.',
  'log.access': {
    text:
      'The access log: one line per request and refused handshake, two per session and tunnel. ' +
      '`false` turns it off, `true` takes all defaults, and a mapping sets the keys below.',
    type: 'boolean or mapping',
  },
  'log.principal': 'How access lines name an authenticated client. `hashed` writes a digest of the name.',
  'log.file': {
    text: 'Log file. After you move it away, SIGUSR1 makes sluice open a new one.',
    type: 'path of a file',
    default: 'standard output',
  },
  'log.maxSize': {
    text: 'Size at which sluice rotates the log file to FILE.1, FILE.2 and so on. It needs `log.file`.',
    default: 'never',
  },
  'log.keep': { text: 'Number of rotated log files to keep. It needs `log.maxSize`.', default: '`5`' },
  'log.access.file': {
    text: 'File of the access log. Without it, lines go to the log if its level is info or debug.',
    type: 'path of a file',
  },
  'log.access.format': 'Format of access lines. `combined` is Apache’s format, `text` is for people.',
  'log.access.sample': {
    text: 'Fraction of requests, sessions and tunnels to log. Failures are always logged.',
    type: 'number, 0 to 1',
  },
  'log.access.fields': {
    text: 'Fields of JSON lines. [The access log](access-log.md#fields-in-json) lists all of them.',
    type: 'field name, or a list of them',
    default: 'all',
  },
  'log.access.slow': 'Requests and handshakes that take this long are always logged.',
  'log.access.maxSize': {
    text: 'Size at which sluice rotates this file. It needs `log.access.file`.',
    default: 'never',
  },
  'log.access.keep': {
    text: 'Number of rotated files to keep. It needs `log.access.maxSize`.',
    default: '`5`',
  },

  'tracing.url': {
    text:
      'URL of an OpenTelemetry collector (OTLP over HTTP). It gets a span per request and session. ' +
      'Without it sluice makes no spans and passes `traceparent` through.',
    type: 'http or https URL with a path',
  },
  'tracing.sample': {
    text:
      'Fraction of traces that begin at sluice to export. Failures are always exported. ' +
      'A trusted client decides for its own traces.',
    type: 'number, 0 to 1',
    default: '`0.1`',
  },
  'tracing.headers': {
    text: 'Headers for the collector. Prefer the environment variable for secrets.',
    type: 'mapping of names to values',
  },
  'tracing.routes': {
    text: 'Fraction of traces of single routes, in place of `tracing.sample`.',
    type: 'mapping of route names to numbers, 0 to 1',
  },

  'shutdown.grace':
    'Time that sessions and tunnels may continue after SIGTERM. A second SIGTERM ends them at once.',
  'shutdown.readyDelay':
    '`/readyz` answers 503 for this time before a shutdown or a drain of everything begins. ' +
    'Load balancers in front use it to send clients elsewhere.',

  'drain.rate':
    'Connections per second that a drain ends, over all workers. Sessions get close code 1012, tunnels a FIN after a quiet second.',
  'drain.deadline': 'Max time of a drain. Then it ends all remaining connections.',
  'drain.jitter': 'Max random delay of each end.',

  'redis.url': {
    text:
      'Redis server through which machines share limits (`shared: true`) and revocations. Without it each machine counts alone. ' +
      'Prefer the environment variable for a URL with a password.',
    type: 'URL: `redis://host:port/0`, or `rediss://` for TLS',
  },
  'redis.onFailure': {
    text: 'What shared limits do while Redis is away. `local` counts in each process, `refuse` refuses limited clients.',
    default: '`local`',
  },
  'redis.prefix': { text: 'Prefix of all keys in Redis.', default: '`sluice`' },

  'revocations.keep':
    'Min time to keep a revocation of a principal. sluice keeps it longer if it has seen a token that expires later.',
  'revocations.file': {
    text: 'File that keeps revocations across restarts. Without it and without `StateDirectory=` they end with the process.',
    type: 'path of a file',
    default: '`revocations.json` in systemd’s `StateDirectory=`, or none without it',
  },

  'demo.echo': {
    text: 'Cluster whose endpoints sluice itself plays: they echo every message. Leave it out in production.',
    type: 'name of a cluster',
  },
  'demo.chat': {
    text: 'Cluster whose endpoints sluice itself plays: they form one chat room. Leave it out in production.',
    type: 'name of a cluster',
  },
  'demo.feed': {
    text: 'Cluster whose endpoints sluice itself plays: they push the same simulated prices to everybody. Leave it out in production.',
    type: 'name of a cluster',
  },
  'demo.game': {
    text: 'Cluster whose endpoints sluice itself plays: players in one arena collect coins. Leave it out in production.',
    type: 'name of a cluster',
  },
  'demo.job': {
    text: 'Cluster whose endpoints sluice itself plays: they run long jobs and push the progress. Leave it out in production.',
    type: 'name of a cluster',
  },
  listeners: { text: 'Addresses that clients connect to.', default: 'required' },
  clusters: { text: 'Groups of endpoints that connections go to.' },
};
