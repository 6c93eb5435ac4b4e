/** Renders the keys `limits`, `redis` and `revocations`. */
import { formatByteSize } from '../../core/units/byte-size.ts';
import { formatDuration } from '../../core/units/duration.ts';
import { formatByteRate, formatRate } from '../../core/units/rate.ts';
import { withHiddenPassword } from '../schema/limits/redis.ts';
import type { LimitSettings, RateLimit, RedisSettings, RevocationSettings } from '../types/limits.ts';
import { without, type Tree } from './tree.ts';

/** Renders the limits of a listener or a route. Returns null for none. */
export function limitTrees(limits: readonly LimitSettings[]): readonly Tree[] | null {
  return limits.length === 0 ? null : limits.map(limitTree);
}

function limitTree(limit: LimitSettings): Tree {
  const { name, key, connections, handshakes, requests, messages, bytes, over, isShared, maxKeys } = limit;
  return without({
    name,
    key: 'name' in key ? { [key.kind]: key.name } : key.kind,
    connections,
    handshakes: handshakes === null ? null : rateTree(handshakes),
    requests: requests === null ? null : rateTree(requests),
    messages: messages === null ? null : rateTree(messages),
    bytes:
      bytes === null ? null : { rate: formatByteRate(bytes.perSecond), burst: formatByteSize(bytes.burst) },
    // The loader refuses this key for other limits.
    over: messages === null && bytes === null ? null : over,
    shared: isShared,
    maxKeys,
  });
}

function rateTree({ perSecond, burst }: RateLimit): Tree {
  return { rate: formatRate(perSecond), burst };
}

/** Hides the password, because people share the output. */
export function redisTree(redis: RedisSettings | null): Tree | null {
  if (redis === null) return null;
  return { url: withHiddenPassword(redis.url), onFailure: redis.onFailure, prefix: redis.prefix };
}

/** Renders the storage of revocations. */
export function revocationsTree({ keepMs, file }: RevocationSettings): Tree {
  return without({ keep: formatDuration(keepMs), file });
}
