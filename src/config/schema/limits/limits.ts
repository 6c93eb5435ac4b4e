/** Reads the key `limits` of a listener or a route: the usage limits of clients. */
import { integer, oneOf, toggle } from '../../syntax/formats.ts';
import type { Located } from '../../syntax/section.ts';
import { Section } from '../../syntax/section.ts';
import type { LimitSettings } from '../../types/limits.ts';
import { readLimitKey } from './limit-key.ts';
import type { LimitNames } from './limit-names.ts';
import { RATE_KEYS, readRates } from './limit-rates.ts';

const L7 = {
  what: 'a limit',
  keys: ['name', 'key', 'connections', ...RATE_KEYS, 'burst', 'over', 'shared', 'maxKeys'],
};
const L7_KEYS = ['requests', 'messages', 'bytes', 'over'];
const L4 = {
  what: 'a limit of a listener of mode l4',
  keys: L7.keys.filter((key) => !L7_KEYS.includes(key)),
  notes: Object.fromEntries(
    L7_KEYS.map((key) => [
      key,
      `"${key}" needs a listener of mode l7: at layer 4 only connections and handshakes are counted`,
    ]),
  ),
};
/** Max limits of one listener or route: each request checks all of them. */
const MAX_LIMITS = 16;
const DEFAULT_MAX_KEYS = 65_536;

/** Facts about the listener that decide which limits are valid. */
export interface LimitTerms {
  readonly mode: 'l4' | 'l7';
  readonly names: LimitNames;
  /** Whether the configuration has Redis, which `shared` needs. */
  readonly hasRedis: boolean;
  /** Key that selects the engine `uws`, which cannot slow clients. Null for another engine. */
  readonly uwsKey: string | null;
}

/** Reads the optional limits: one, or a list. */
export function readLimits(owner: Section, terms: LimitTerms): readonly LimitSettings[] {
  const entries = owner.anyNumber('limits', 'limits such as { key: address, connections: 100 }');
  if (entries.length > MAX_LIMITS) {
    owner.problemAt(
      'limits',
      `${entries.length} limits are too many for one place: write ${MAX_LIMITS} at most`,
    );
  }
  return entries.flatMap((entry) => readLimit(entry, owner, terms) ?? []);
}

function readLimit(entry: Located<unknown>, owner: Section, terms: LimitTerms): LimitSettings | null {
  const limit = Section.of(entry.value, entry.path, owner.problems, terms.mode === 'l4' ? L4 : L7);
  if (limit === null) return null;
  const key = readLimitKey(limit);
  if (key === null) return null;
  if (terms.mode === 'l4' && key.kind !== 'address') {
    limit.problemAt('key', 'at layer 4 only the address of a client is known: write address');
  }
  const counted = ['connections', ...(terms.mode === 'l4' ? ['handshakes'] : RATE_KEYS)];
  if (!counted.some((each) => limit.has(each))) {
    limit.problem(`a limit needs at least one of ${counted.join(', ')}`);
  }
  const isShared = limit.optional('shared', toggle, false);
  if (isShared && !terms.hasRedis) {
    limit.problemAt('shared', 'a shared limit is counted in Redis: set redis.url, or leave shared out');
  }
  return {
    name: terms.names.read(limit, key),
    key,
    connections: limit.optional('connections', integer({ min: 1, max: 100_000_000 }), null),
    ...readRates(limit),
    over: readOver(limit, terms.uwsKey),
    isShared,
    maxKeys: limit.optional('maxKeys', integer({ min: 64, max: 4_194_304 }), DEFAULT_MAX_KEYS),
  };
}

function readOver(limit: Section, uwsKey: string | null): LimitSettings['over'] {
  const over = limit.optional('over', oneOf('close', 'slow'), 'close');
  if (!limit.has('over')) return over;
  if (!limit.has('messages') && !limit.has('bytes')) {
    limit.problemAt('over', 'over is for limits of messages or bytes; others answer 429: leave it out');
  } else if (over === 'slow' && uwsKey !== null) {
    limit.problemAt(
      'over',
      `only the engines raw and net can read less from a client, and the listener uses uws because of "${uwsKey}": write close`,
    );
  }
  return over;
}
