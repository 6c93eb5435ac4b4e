import { randomBytes } from 'node:crypto';
import type { RecordWithTtl } from 'node:dns';
import { lookup, Resolver } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { ResolveSettings } from '../config/types/cluster.ts';
import { formatAddress, type Address, type TcpAddress } from '../core/address.ts';
import { codeOf, messageOf } from '../core/errors.ts';
import { hashText } from './balancers/key-hash.ts';

/** One endpoint of a name. */
export interface FoundEndpoint {
  /** Addresses of one host: the second is dialled if the first does not answer. */
  readonly addresses: readonly Address[];
  /** Relative to the other endpoints of the name that have the same priority; above 0. */
  readonly weight: number;
  readonly priority: number;
}

interface Answer {
  readonly endpoints: readonly FoundEndpoint[];
  /** Addresses and targets beyond the bounds, which are not used. */
  readonly leftOut: number;
  /** Time to live by the records; Infinity if they have none. */
  readonly ttlMs: number;
  /** Why a part of the answer is from an earlier query; null if all of it is new. */
  readonly failure: string | null;
}

interface FoundAddress {
  readonly host: string;
  readonly ttlMs: number;
  /** Why this is an old answer; null for a new one. */
  readonly failure: string | null;
}

interface Found {
  readonly addresses: readonly FoundAddress[];
  /** Addresses beyond the bound. */
  readonly leftOut: number;
}

/** Last answers to the queries behind one name, by query: the fallback if a query fails. */
type Memory = Map<string, Found>;

/** Max addresses of one name: an answer of DNS has 64 KiB at most, which is room for about 4,096. */
const MAX_ADDRESSES = 4096;
/** Max targets of one service: each costs two queries. The targets of the lowest priorities are used. */
const MAX_TARGETS = 1024;
/**
 * Max addresses of one family that all targets of a service may have, in equal parts: 64 for each of 1,024 targets. Of
 * these {@link MAX_ADDRESSES} are used. Without this bound all targets together could have millions.
 */
const MAX_GATHERED = 16 * MAX_ADDRESSES;
/** Max targets of one service that are looked up at the same time. */
const MAX_LOOKUPS = 32;
/** Max reasons in the message of a failed look-up. */
const MAX_REASONS = 3;
/** Key of this process for the hash that decides which addresses are left out. */
const SALT = randomBytes(8).toString('hex');
/** Answers, and no failures: there is no such name, or no record of that kind. */
const NOTHING = new Set(['ENOTFOUND', 'ENODATA']);
const WITH_TTL = { ttl: true } as const;
/** A query to one server, and how often it is tried. */
const QUERY_MS = 2000;
const QUERY_TRIES = 2;

/** Looks names up, by the system's resolver or by DNS. */
export class NameLookup {
  readonly #settings: ResolveSettings;
  readonly #resolver: Queries;
  /** By the name that was looked up. */
  readonly #memories = new Map<string, Memory>();

  /** @param resolver asks DNS servers */
  constructor(settings: ResolveSettings, resolver: Queries = resolverOf(settings)) {
    this.#settings = settings;
    this.#resolver = resolver;
  }

  /** Looks a name up. Rejects if the look-up fails or the name has no address. */
  async find({ host, port }: TcpAddress): Promise<Answer> {
    const { type } = this.#settings;
    if (type === 'system') {
      const found = await lookup(host, { all: true });
      const addresses = found.map(({ address }) => ({ host: address, ttlMs: Infinity, failure: null }));
      return bounded(answerOf({ addresses, leftOut: 0 }, port));
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
   * Queries all A and AAAA records. One kind may be missing or fail if the other is there.
   *
   * @param max of each kind
   */
  async #addresses(host: string, max: number, before: Memory, memory: Memory): Promise<Found> {
    if (isIP(host) !== 0) return { addresses: [{ host, ttlMs: Infinity, failure: null }], leftOut: 0 };
    const both = await Promise.allSettled([
      this.#query(`6 ${host}`, () => this.#resolver.resolve6(host, WITH_TTL), max, before, memory),
      this.#query(`4 ${host}`, () => this.#resolver.resolve4(host, WITH_TTL), max, before, memory),
    ]);
    const found = both.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    const addresses = found.flatMap((one) => one.addresses);
    if (addresses.length === 0) throw new Error(`${host} has no address: ${both.map(reasonOf).join(', ')}`);
    return { addresses, leftOut: found.reduce((sum, { leftOut }) => sum + leftOut, 0) };
  }

  /** Queries the records of one kind. Returns those that were found before if the query fails. */
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
      const used = firstOf(records, max, ({ address }) => address);
      found = {
        addresses: used.map(({ address, ttl }) => ({ host: address, ttlMs: ttl * 1000, failure: null })),
        leftOut: records.length - used.length,
      };
    } catch (error) {
      const known = before.get(key);
      if (known === undefined || NOTHING.has(codeOf(error))) throw error;
      const failure = messageOf(error);
      found = {
        addresses: known.addresses.map((address) => ({ ...address, ttlMs: 0, failure })),
        leftOut: known.leftOut,
      };
    }
    memory.set(key, found);
    return found;
  }

  /** Queries the targets of SRV records (RFC 2782). Targets whose names have no address are left out. */
  async #services(name: string, before: Memory, memory: Memory): Promise<Answer> {
    const records = await this.#resolver.resolveSrv(name);
    const used = firstOf(
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
          // The weight is the target's, shared by its addresses. Weight 0 is for targets that are hardly ever chosen (RFC
          // 2782); it counts as 1, because a balancer's weights are above 0.
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
      leftOut: records.length - used.length + good.reduce((sum, { leftOut }) => sum + leftOut, 0),
      ttlMs: Math.min(...good.map(({ ttlMs }) => ttlMs)),
      failure: firstFailure(good),
    };
  }
}

/** Cuts an answer to the bound. */
function bounded(answer: Answer): Answer {
  const { endpoints } = answer;
  const used = firstOf(
    endpoints,
    MAX_ADDRESSES,
    ({ addresses }) => formatAddress(addresses[0]!),
    ({ priority }) => priority,
  );
  return { ...answer, endpoints: used, leftOut: answer.leftOut + endpoints.length - used.length };
}

/**
 * Takes the `max` items of the lowest priorities. Among equal priorities a hash decides: servers rotate their answers, and
 * another order must replace no endpoint. Several proxies leave out different items.
 */
function firstOf<T>(
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

/** Looks hosts up, {@link MAX_LOOKUPS} at a time. Resolves when all look-ups have ended, failed ones too. */
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
  await Promise.all(Array.from({ length: MAX_LOOKUPS }, run));
  return results;
}

function firstFailure(parts: readonly { readonly failure: string | null }[]): string | null {
  return parts.find(({ failure }) => failure !== null)?.failure ?? null;
}

type Queries = Pick<Resolver, 'resolve4' | 'resolve6' | 'resolveSrv'>;

function resolverOf({ servers }: ResolveSettings): Queries {
  const resolver = new Resolver({ timeout: QUERY_MS, tries: QUERY_TRIES });
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
 * Makes an endpoint of each address. If a name has both families, the nth address of one and the nth of the other make one
 * endpoint: two ways to the same host, as in RFC 8305 (Happy Eyeballs).
 */
function answerOf({ addresses, leftOut }: Found, port: number): Answer {
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
    leftOut,
    ttlMs: Math.min(...addresses.map(({ ttlMs }) => ttlMs)),
    failure: firstFailure(addresses),
  };
}
