import { lookup, Resolver } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { ResolveSettings } from '../config/types.ts';
import type { Address, TcpAddress } from '../core/address.ts';
import { messageOf } from '../core/errors.ts';

/** One endpoint that a name stands for. */
export interface FoundEndpoint {
  /** Of one host: the first, or the other where that does not answer. */
  readonly addresses: readonly Address[];
  /** Of an SRV record; null for the weight of the name's own entry. */
  readonly weight: number | null;
  readonly priority: number;
}

interface Answer {
  readonly endpoints: readonly FoundEndpoint[];
  /** How long it holds by its records; Infinity where they do not say. */
  readonly ttlMs: number;
}

interface FoundAddress {
  readonly host: string;
  readonly ttlMs: number;
}

/** A query to one server, and how often it is tried. */
const QUERY_MS = 2000;
const QUERY_TRIES = 2;

/** Looks names up, by the system's resolver or by DNS. */
export class NameLookup {
  readonly #settings: ResolveSettings;
  readonly #resolver: Resolver;

  constructor(settings: ResolveSettings) {
    this.#settings = settings;
    this.#resolver = new Resolver({ timeout: QUERY_MS, tries: QUERY_TRIES });
    if (settings.servers.length > 0) this.#resolver.setServers(settings.servers);
  }

  /** Finds what a name stands for; rejects where it cannot be told, or stands for nothing. */
  async find({ host, port }: TcpAddress): Promise<Answer> {
    switch (this.#settings.type) {
      case 'system': {
        const found = await lookup(host, { all: true });
        return answerOf(
          found.map(({ address }) => ({ host: address, ttlMs: Infinity })),
          port,
        );
      }
      case 'a':
        return answerOf(await this.#addresses(host), port);
      case 'srv':
        return this.#services(host);
    }
  }

  /** All A and AAAA records. One kind may be missing, or fail while the other is there. */
  async #addresses(host: string): Promise<FoundAddress[]> {
    if (isIP(host) !== 0) return [{ host, ttlMs: Infinity }];
    const both = await Promise.allSettled([
      this.#resolver.resolve6(host, { ttl: true }),
      this.#resolver.resolve4(host, { ttl: true }),
    ]);
    const found = both.flatMap((result) => (result.status === 'fulfilled' ? result.value : []));
    if (found.length === 0) throw new Error(`${host} has no address: ${both.map(reasonOf).join(', ')}`);
    return found.map(({ address, ttl }) => ({ host: address, ttlMs: ttl * 1000 }));
  }

  /** The targets of SRV records (RFC 2782), those whose own names cannot be found left out. */
  async #services(name: string): Promise<Answer> {
    const records = await this.#resolver.resolveSrv(name);
    const answers = await Promise.allSettled(
      records.map(async ({ name: target, port, weight, priority }) => {
        const { endpoints, ttlMs } = answerOf(await this.#addresses(target), port);
        // Weight 0 is for a target that need hardly be chosen; a balancer knows none below 1.
        return {
          endpoints: endpoints.map((found) => ({ ...found, weight: Math.max(1, weight), priority })),
          ttlMs,
        };
      }),
    );
    const good = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
    if (good.length === 0) {
      throw new Error(`no target of ${name} has an address: ${answers.map(reasonOf).join(', ')}`);
    }
    return {
      endpoints: good.flatMap(({ endpoints }) => endpoints),
      ttlMs: Math.min(...good.map(({ ttlMs }) => ttlMs)),
    };
  }
}

function reasonOf(result: PromiseSettledResult<unknown>): string {
  return result.status === 'rejected' ? messageOf(result.reason) : 'none';
}

/**
 * Each address is an endpoint. Where there are some of both families, the nth of one stands behind the nth of the
 * other: they are taken for two ways to the same host, as RFC 8305 (Happy Eyeballs) has it.
 */
function answerOf(found: readonly FoundAddress[], port: number): Answer {
  const hosts = [...new Set(found.map(({ host }) => host))];
  const first = isIP(hosts[0] ?? '');
  const preferred = hosts.filter((host) => isIP(host) === first).sort();
  const others = hosts.filter((host) => isIP(host) !== first).sort();
  const count = Math.max(preferred.length, others.length);
  const endpoints = Array.from({ length: count }, (_, index): FoundEndpoint => {
    const ways = [preferred[index], others[index]].filter((host) => host !== undefined);
    return { addresses: ways.map((host) => ({ kind: 'tcp', host, port })), weight: null, priority: 0 };
  });
  return { endpoints, ttlMs: Math.min(...found.map(({ ttlMs }) => ttlMs)) };
}
