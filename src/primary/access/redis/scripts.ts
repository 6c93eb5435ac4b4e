import { createHash } from 'node:crypto';
import type { RedisLink } from './redis-link.ts';

/** A Lua script that Redis runs atomically (EVAL). Times come from the Redis server's clock. */
interface Script {
  readonly text: string;
  readonly digest: string;
}

/**
 * Takes units from buckets.
 *
 * Keys: one bucket each. Its value is the time in microseconds at which the bucket is full again. Arguments:
 * the max level, then for each key the fields of its `BucketClaim`: `cost`, `over`, `known`, `ceiling`.
 * Answer: the levels.
 */
export const TAKE = script(`
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local max = tonumber(ARGV[1])
local levels = {}
for index, key in ipairs(KEYS) do
  local at = 4 * index - 2
  local cost, over = tonumber(ARGV[at]), tonumber(ARGV[at + 1])
  local known, ceiling = tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3])
  local stored = redis.call('GET', key)
  local full = stored and tonumber(stored) or now + known
  full = math.max(math.min(full, now + max), now - over)
  full = math.max(full, math.min(full + cost, now + ceiling))
  local level = full - now
  if cost > 0 or (not stored and level > 0) then
    redis.call('SET', key, string.format('%.0f', full), 'PX', math.ceil(math.max(level, 0) / 1000) + 2000)
  end
  levels[index] = level
end
return levels
`);

/**
 * Renews a process's lease.
 *
 * Keys: a sorted set of all processes, scored by the end of their leases in milliseconds. Arguments: the
 * process, and the length of the lease in milliseconds. Answer: 1 if the previous lease was still valid,
 * otherwise 0.
 */
export const RENEW = script(`
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local before = redis.call('ZSCORE', KEYS[1], ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - 60000)
redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[1])
redis.call('PEXPIRE', KEYS[1], 120000)
return before and tonumber(before) > now and 1 or 0
`);

/**
 * Stores the number of connections of a process.
 *
 * Keys: the set of {@link RENEW}, then one hash per key of a limit, with the connections of each process.
 * Arguments: the process, then its connections for each hash. Answer: the connections of other processes
 * whose leases are valid.
 */
export const HOLD = script(`
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local alive = {}
for _, process in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], now, '+inf')) do alive[process] = true end
local sums = {}
for index = 2, #KEYS do
  local key, held = KEYS[index], tonumber(ARGV[index])
  if held > 0 then redis.call('HSET', key, ARGV[1], held) else redis.call('HDEL', key, ARGV[1]) end
  local all = redis.call('HGETALL', key)
  local sum = 0
  for at = 1, #all, 2 do
    if all[at] ~= ARGV[1] then
      if alive[all[at]] then sum = sum + all[at + 1] else redis.call('HDEL', key, all[at]) end
    end
  end
  redis.call('PEXPIRE', key, 3600000)
  sums[index - 1] = sum
end
return sums
`);

/** Runs a script. Rejects like {@link RedisLink.send}. */
export async function run(
  link: Pick<RedisLink, 'send'>,
  { text, digest }: Script,
  keys: readonly string[],
  args: readonly (string | number)[],
): Promise<unknown> {
  const rest = [String(keys.length), ...keys, ...args.map(String)];
  try {
    return await link.send(['EVALSHA', digest, ...rest]);
  } catch (error) {
    // A restarted server has lost its cached scripts.
    if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
    return link.send(['EVAL', text, ...rest]);
  }
}

/** Parses an answer of integers. @throws Error if the answer has another form */
export function numbersOf(answer: unknown, count: number): number[] {
  const list = Array.isArray(answer) ? answer.map(Number) : [];
  if (list.length !== count || list.some((number) => !Number.isSafeInteger(number)))
    throw new Error('Redis sent an unexpected answer: expected numbers');
  return list;
}

function script(text: string): Script {
  return { text, digest: createHash('sha1').update(text).digest('hex') };
}
