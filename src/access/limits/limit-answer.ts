import type { LimitSettings, RateLimit } from '../../config/types/limits.ts';
import type { LimitKind, LimitRefusal } from '../contract/limit-guard.ts';

/** Retry-After in seconds if the time until a place is free is unknown. */
const RETRY_SECONDS = 5;

/** Max Retry-After of a count shared by clients. Others may exhaust it or free it at any time. */
const MAX_SHARED_RETRY_SECONDS = 60;

/** Facts for {@link refusalOf}. */
interface Excess {
  readonly kind: LimitKind;
  /** Time until the request would pass. Null if unknown. */
  readonly seconds: number | null;
  /** Whether the count is shared with clients of other keys. */
  readonly isOverflow: boolean;
}

/**
 * Creates the refusal of a request. Its headers follow draft-ietf-httpapi-ratelimit-headers-10: the exceeded
 * policy, a remaining quota of 0, and the seconds until a retry.
 */
export function refusalOf(settings: LimitSettings, { kind, seconds, isOverflow }: Excess): LimitRefusal {
  const wait = seconds === null ? RETRY_SECONDS : Math.max(1, Math.ceil(seconds));
  const retryAfter = isOverflow ? Math.min(wait, MAX_SHARED_RETRY_SECONDS) : wait;
  const headers: [string, string][] = [['retry-after', String(retryAfter)]];
  const policy = policyOf(settings, kind);
  if (policy !== null) {
    const name = quoted(settings.name);
    headers.push(['ratelimit-policy', `${name};${policy}`], ['ratelimit', `${name};r=0;t=${retryAfter}`]);
  }
  return {
    limit: settings.name,
    kind,
    // Clients without their own slot share a count. Others may have exhausted it, so the client is not to
    // blame.
    status: kind === 'unavailable' || isOverflow ? 503 : 429,
    detail: kind === 'unavailable' ? 'limit not available' : `too many ${kind}`,
    headers,
  };
}

function policyOf(settings: LimitSettings, kind: LimitKind): string | null {
  switch (kind) {
    case 'connections':
      return `q=${settings.connections};qu="concurrent-requests"`;
    case 'handshakes':
    case 'requests':
      return windowOf(settings[kind]);
    case 'messages':
    case 'bytes':
    case 'unavailable':
      return null;
  }
}

/** Returns the quota of a rate, and the seconds until it is restored in full. */
function windowOf(rate: RateLimit | null): string | null {
  if (rate === null) return null;
  const burst = Math.floor(rate.burst);
  return `q=${burst};w=${Math.max(1, Math.ceil(burst / rate.perSecond))}`;
}

/** Formats a structured-field string (RFC 9651 section 3.3.3). Unsupported characters become `?`. */
function quoted(text: string): string {
  return `"${text.replaceAll(/[^\x20-\x7e]/g, '?').replaceAll(/["\\]/g, String.raw`\$&`)}"`;
}
