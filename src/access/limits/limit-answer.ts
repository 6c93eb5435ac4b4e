import type { LimitSettings, RateLimit } from '../../config/types/limits.ts';
import type { LimitKind, LimitRefusal } from '../contract/limit-guard.ts';

/** Retry-After if nothing tells when a place becomes free, in seconds. */
const RETRY_SECONDS = 5;

/** Max Retry-After of a count that clients share: others may use it up, or give room, at any time. */
const MAX_SHARED_RETRY_SECONDS = 60;

/** What {@link refusalOf} writes. */
interface Excess {
  readonly kind: LimitKind;
  /** When the request would pass; null if that is not known. */
  readonly seconds: number | null;
  /** Whether the count is shared with clients of other keys. */
  readonly isOverflow: boolean;
}

/**
 * Writes the refusal of a request. The headers follow draft-ietf-httpapi-ratelimit-headers-10: the exceeded
 * policy, nothing remaining, and the seconds until a retry.
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
    // Others may have used up what the clients without a slot share: the client is not to blame.
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

/** The quota of a rate, and the seconds in which all of it comes back. */
function windowOf(rate: RateLimit | null): string | null {
  if (rate === null) return null;
  const burst = Math.floor(rate.burst);
  return `q=${burst};w=${Math.max(1, Math.ceil(burst / rate.perSecond))}`;
}

/**
 * Writes a string of structured fields (RFC 9651 section 3.3.3). Characters that it cannot have become `?`.
 */
function quoted(text: string): string {
  return `"${text.replaceAll(/[^\x20-\x7e]/g, '?').replaceAll(/["\\]/g, String.raw`\$&`)}"`;
}
