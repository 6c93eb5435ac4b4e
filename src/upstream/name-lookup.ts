import { randomBytes } from 'node:crypto';
import type { RecordWithTtl } from 'node:dns';
import { lookup, Resolver } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { ResolveSettings } from '../config/types/cluster.ts';
import { formatAddress, type Address, type TcpAddress } from '../core/address.ts';
import { codeOf, messageOf } from '../core/errors.ts';
import { hashText } from './balancers/key-hash.ts';

/** One endpoint that a name resolves to. */
export interface FoundEndpoint {
  /** Addresses of one host: the second is dialled if the first does not answer. */
  readonly addresses: readonly Address[];
  /** Relative to endpoints of the same name and priority. Above 0. */
  readonly weight: number;
  readonly priority: number;
}

interface Answer {
  readonly endpoints: readonly FoundEndpoint[];
  /** Number of addresses and targets dropped because they exceed the bounds. */
  readonly omitted: number;
  /** Min TTL of the records. Infinity if they have none. */
  readonly ttlMs: number;
  /** Why part of the answer is from an earlier query. Null if all of it is new. */
  readonly failure: string | null;
}

interface FoundAddress {
  readonly host: string;
  readonly ttlMs: number;
  /** Why the address is from an earlier query. Null for a new answer. */
  readonly failure: string | null;
}

interface Found {
  readonly addresses: readonly FoundAddress[];
  /** Number of addresses dropped because they exceed the bound. */
  readonly omitted: number;
}

/** Last answers for one name, keyed by query. Used if a query fails. */
type Memory = Map<string, Found>;

/** Max addresses of one name. A DNS response has at most 64 KiB, room for about 4,096 addresses. */
const MAX_ADDRESSES = 4096;
/** Max targets of one service, lowest priorities first. Each target costs two queries. */
const MAX_TARGETS = 1024;
/**
 * Max addresses of one family over all targets of a service, in equal parts: 64 for each of 1,024 targets.
 * {@link MAX_ADDRESSES} of these are used. Without this bound, the targets together could have millions.
 */
const MAX_GATHERED = 16 * MAX_ADDRESSES;
/** Max concurrent lookups of one service's targets. */
const MAX_CONCURRENT_LOOKUPS = 32;
/** Max reasons in the message of a failed lookup. */
const MAX_REASONS = 3;
/** Random key of this process for the hash that decides which addresses are dropped. */
const SALT = randomBytes(8).toString('hex');
/** Answers rather than failures: the name or the record type does not exist. */
const NO_RECORD_CODES = new Set(['ENOTFOUND', 'ENODATA']);
const WITH_TTL = { ttl: true } as const;
/** Timeout of one query to one server, and the number of tries. */
const QUERY_TIMEOUT_MS = 2000;
const MAX_QUERY_TRIES = 2;

/** Resolves names with the system's resolver or with DNS queries. */
export class NameLookup {
  readonly #settings: ResolveSettings;
  readonly #resolver: Queries;
  /** Keyed by host name. */
  readonly #memories = new Map<string, Memory>();

  /** @param resolver sends queries to DNS servers */
  constructor(settings: ResolveSettings, resolver: Queries = resolverOf(settings)) {
    this.#settings = settings;
    this.#resolver = resolver;
  }

  /** Resolves a name. Rejects if the lookup fails or the name has no address. */
  async find({ host, port }: TcpAddress): Promise<Answer> {
    const { type } = this.#settings;
    if (type === 'system') {
      const found = await lookup(host, { all: true });
      const addresses = found.map(({ address }) => ({ host: address, ttlMs: Infinity, failure: null }));
      return bounded(answerOf({ addresses, omitted: 0 }, port));
    }
    const before: Memory = this.#memories.get(host) ?? new Map<string, Found>();
    const memory: Memory = new Map();
    const answer =
      type === 'a'
        ? answerOf(await this.#addresses(host, MAX_ADDRESSES, before, memory), port)
        : await this.#services(host, before, memory);
    this.#memories.set(host, memory);
    return bounded(answer);
  }

  /**
   * Queries A and AAAA records. One kind may be missing or fail if the other succeeds.
   *
   * @param max addresses of each kind
   */
  async #addresses(host: string, max: number, before: Memory, memory: Memory): Promise<Found> {
    if (isIP(host) !== 0) return { addresses: [{ host, ttlMs: Infinity, failure: null }], omitted: 0 };
    const both = await Promise.allSettled([
      this.#query(`6 ${host}`, () => this.#resolver.resolve6(host, WITH_TTL), max, before, memory),
      this.#query(`4 ${host}`, () => this.#resolver.resolve4(host, WITH_TTL), max, before, memory),
    ]);
    const found = both.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    const addresses = found.flatMap((one) => one.addresses);
    if (addresses.length === 0) throw new Error(`${host} has no address: ${both.map(reasonOf).join(', ')}`);
    return { addresses, omitted: found.reduce((sum, { omitted }) => sum + omitted, 0) };
  }

  /** Queries records of one kind. Falls back to the previous answer if the query fails. */
  async #query(
    key: string,
    ask: () => Promise<readonly RecordWithTtl[]>,
    max: number,
    before: Memory,
    memory: Memory,
  ): Promise<Found> {
    let found: Found;
    try {
      const records = await ask();
      const used = lowestPriorities(records, max, ({ address }) => address);
      found = {
        addresses: used.map(({ address, ttl }) => ({ host: address, ttlMs: ttl * 1000, failure: null })),
        omitted: records.length - used.length,
      };
    } catch (error) {
      const known = before.get(key);
      if (known === undefined || NO_RECORD_CODES.has(codeOf(error))) throw error;
      const failure = messageOf(error);
      found = {
        addresses: known.addresses.map((address) => ({ ...address, ttlMs: 0, failure })),
        omitted: known.omitted,
      };
    }
    memory.set(key, found);
    return found;
  }

  /** Queries the targets of SRV records (RFC 2782). Drops targets whose names have no address. */
  async #services(name: string, before: Memory, memory: Memory): Promise<Answer> {
    const records = await this.#resolver.resolveSrv(name);
    const used = lowestPriorities(
      records,
      MAX_TARGETS,
      ({ name: target, port }) => `${target} ${port}`,
      ({ priority }) => priority,
    );
    const hosts = [...new Set(used.map(({ name: target }) => target))];
    const max = Math.min(MAX_ADDRESSES, Math.ceil(MAX_GATHERED / used.length));
    const found = await settled(hosts, (target) => this.#addresses(target, max, before, memory));
    const answers = await Promise.allSettled(
      used.map(async ({ name: target, port, weight, priority }) => {
        const { endpoints, ...rest } = answerOf(await found.get(target)!, port);
        return {
          // The addresses of a target share its weight. RFC 2782 gives weight 0 to targets that are rarely
          // chosen. It counts as 1 because balancers need weights above 0.
          endpoints: endpoints.map((endpoint) => ({
            ...endpoint,
            weight: Math.max(1, weight) / endpoints.length,
            priority,
          })),
          ...rest,
        };
      }),
    );
    const good = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
    if (good.length === 0) {
      throw new Error(`no target of ${name} has an address: ${reasonsOf(answers)}`);
    }
    return {
      endpoints: good.flatMap(({ endpoints }) => endpoints),
      omitted: records.length - used.length + good.reduce((sum, { omitted }) => sum + omitted, 0),
      ttlMs: Math.min(...good.map(({ ttlMs }) => ttlMs)),
      failure: firstFailure(good),
    };
  }
}

/** Limits an answer to {@link MAX_ADDRESSES}. */
function bounded(answer: Answer): Answer {
  const { endpoints } = answer;
  const used = lowestPriorities(
    endpoints,
    MAX_ADDRESSES,
    ({ addresses }) => formatAddress(addresses[0]!),
    ({ priority }) => priority,
  );
  return { ...answer, endpoints: used, omitted: answer.omitted + endpoints.length - used.length };
}

/**
 * Returns the `max` items with the lowest priorities. A hash decides among equal priorities: servers rotate
 * their answers, and a new order must not replace endpoints. Each proxy drops different items.
 */
function lowestPriorities<T>(
  all: readonly T[],
  max: number,
  textOf: (one: T) => string,
  priorityOf: (one: T) => number = () => 0,
): T[] {
  const byPriority = (a: T, b: T): number => priorityOf(a) - priorityOf(b);
  const sorted = all.toSorted(byPriority);
  if (all.length <= max) return sorted;
  const ranks = new Map(all.map((one) => [one, hashText(SALT + textOf(one))]));
  return sorted.sort((a, b) => byPriority(a, b) || ranks.get(a)! - ranks.get(b)!).slice(0, max);
}

/**
 * Resolves hosts, at most {@link MAX_CONCURRENT_LOOKUPS} at a time. Waits for all lookups, including failed
 * ones.
 */
async function settled<T>(
  hosts: readonly string[],
  find: (host: string) => Promise<T>,
): Promise<ReadonlyMap<string, Promise<T>>> {
  const results = new Map<string, Promise<T>>();
  const left = hosts.values();
  const run = async (): Promise<void> => {
    for (const host of left) {
      const result = find(host);
      results.set(host, result);
      await result.catch(() => undefined);
    }
  };
  await Promise.all(Array.from({ length: MAX_CONCURRENT_LOOKUPS }, run));
  return results;
}

function firstFailure(parts: readonly { readonly failure: string | null }[]): string | null {
  return parts.find(({ failure }) => failure !== null)?.failure ?? null;
}

type Queries = Pick<Resolver, 'resolve4' | 'resolve6' | 'resolveSrv'>;

function resolverOf({ servers }: ResolveSettings): Queries {
  const resolver = new Resolver({ timeout: QUERY_TIMEOUT_MS, tries: MAX_QUERY_TRIES });
  if (servers.length > 0) resolver.setServers(servers);
  return resolver;
}

/** Lists the first reasons: a service may have a thousand targets. */
function reasonsOf(results: readonly PromiseSettledResult<unknown>[]): string {
  const first = results.slice(0, MAX_REASONS).map(reasonOf).join(', ');
  const more = results.length - MAX_REASONS;
  return more > 0 ? `${first} and ${more} more` : first;
}

function reasonOf(result: PromiseSettledResult<unknown>): string {
  return result.status === 'rejected' ? messageOf(result.reason) : 'none';
}

/**
 * Creates endpoints from addresses. If a name has both families, the nth addresses of both form one endpoint.
 * They are two ways to the same host, as in RFC 8305 (Happy Eyeballs).
 */
function answerOf({ addresses, omitted }: Found, port: number): Answer {
  const hosts = [...new Set(addresses.map(({ host }) => host))];
  const first = isIP(hosts[0] ?? '');
  const preferred = hosts.filter((host) => isIP(host) === first).sort();
  const others = hosts.filter((host) => isIP(host) !== first).sort();
  const count = Math.max(preferred.length, others.length);
  const endpoints = Array.from({ length: count }, (_, index): FoundEndpoint => {
    const ways = [preferred[index], others[index]].filter((host) => host !== undefined);
    return { addresses: ways.map((host) => ({ kind: 'tcp', host, port })), weight: 1, priority: 0 };
  });
  return {
    endpoints,
    omitted,
    ttlMs: Math.min(...addresses.map(({ ttlMs }) => ttlMs)),
    failure: firstFailure(addresses),
  };
}
