/** The header `traceparent` (https://www.w3.org/TR/trace-context-1/#traceparent-header). */

/** What a client's header says about its span. */
interface TraceParent {
  /** 32 hexadecimal digits in lower case, not all 0. */
  readonly traceId: string;
  /** 16 hexadecimal digits in lower case, not all 0. */
  readonly spanId: string;
  /** Whether the client may have recorded its span. */
  readonly isSampled: boolean;
}

/** Characters of a header of version 00. */
const LENGTH = 55;
/** Version, trace, parent and flags. A higher version may have more behind another hyphen. */
const FORMAT = /^([\da-f]{2})-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})(?:-.*)?$/;
const NO_TRACE = '0'.repeat(32);
const NO_SPAN = '0'.repeat(16);
const SAMPLED = 1;

/**
 * Reads the header. Of a higher version only the known parts count.
 *
 * @param value of the only header of its name
 * @returns null for a header that does not count, so that a new trace begins
 */
export function readTraceparent(value: string): TraceParent | null {
  const found = FORMAT.exec(value);
  if (found === null) return null;
  const [, version, traceId, spanId, flags] = found as unknown as [string, string, string, string, string];
  if (version === 'ff' || (version === '00' && value.length !== LENGTH)) return null;
  if (traceId === NO_TRACE || spanId === NO_SPAN) return null;
  return { traceId, spanId, isSampled: (Number.parseInt(flags, 16) & SAMPLED) !== 0 };
}

/** Writes the header of version 00. */
export function traceparentText({ traceId, spanId, isSampled }: TraceParent): string {
  return `00-${traceId}-${spanId}-${isSampled ? '01' : '00'}`;
}
