/** Reads the cluster keys for choosing an endpoint. */
import { described } from '../../syntax/format-description.ts';
import { FormatError, describe, line, oneOf, token, withRemedies } from '../../syntax/formats.ts';
import type { Section } from '../../syntax/section.ts';
import type { BalancerName, Cluster, HashOn } from '../../types/cluster.ts';

const HASH_KEYS = ['source_ip', 'header', 'cookie', 'query'] as const;
const HASH_ON = { what: '"hashOn"', keys: HASH_KEYS };
const MAX_LOAD_FACTOR = 100;

const STICKY = 'write sticky: COOKIE, which works with every balancer, and leave balancer out';

const balancer = withRemedies(
  oneOf<BalancerName>('round_robin', 'least_connections', 'random', 'p2c', 'source_ip', 'consistent_hash'),
  { cookie: STICKY, sticky: STICKY, ip_hash: 'write source_ip' },
);

/** Reads the keys that choose the endpoint of a connection. */
export function readBalancing(cluster: Section): Pick<Cluster, 'balancer' | 'hashOn' | 'loadFactor'> {
  const name = cluster.optional('balancer', balancer, 'round_robin');
  if (name !== 'consistent_hash') {
    for (const key of ['hashOn', 'loadFactor']) {
      if (cluster.has(key))
        cluster.problemAt(key, `only the balancer consistent_hash uses it, and this one is ${name}`);
    }
  }
  return {
    balancer: name,
    hashOn: readHashOn(cluster),
    loadFactor: cluster.optional('loadFactor', loadFactor, 1.25),
  };
}

function readHashOn(cluster: Section): HashOn {
  const source: HashOn = { kind: 'source_ip' };
  if (!cluster.has('hashOn')) return source;
  const isWord = (value: unknown): boolean => value === 'source_ip';
  if (cluster.isForm('hashOn', { type: 'word', words: ['source_ip'] }, isWord)) return source;
  const section = cluster.section('hashOn', HASH_ON);
  if (section === null) return source;
  const [kind, ...others] = HASH_KEYS.filter((key) => section.has(key));
  if (kind === undefined || others.length > 0) {
    section.problem('"hashOn" needs exactly one of header, cookie, query; or write hashOn: source_ip');
    return source;
  }
  if (kind === 'source_ip') {
    section.problemAt(kind, 'write hashOn: source_ip');
    return source;
  }
  if (kind === 'query') return { kind, name: section.required(kind, line("a parameter's name"), '') };
  const name = section.required(kind, token(`the name of a ${kind}`), '');
  return { kind, name: kind === 'header' ? name.toLowerCase() : name };
}

const loadFactor = described({ type: 'number', min: 1, max: MAX_LOAD_FACTOR, zero: 'no bound' }, (value) => {
  if (typeof value === 'number' && (value === 0 || (value > 1 && value <= MAX_LOAD_FACTOR))) return value;
  throw new FormatError(
    `${describe(value)} is out of range: write more than 1 and up to ${MAX_LOAD_FACTOR}, or 0 for no bound`,
  );
});
