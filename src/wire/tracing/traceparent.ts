/** The header `traceparent` (https://www.w3.org/TR/trace-context-1/#traceparent-header). */

/** A client's span, as its header describes it. */
interface TraceParent {
  /** 32 lower-case hexadecimal digits, not all 0. */
  readonly traceId: string;
  /** 16 lower-case hexadecimal digits, not all 0. */
  readonly spanId: string;
  /** Whether the client may have recorded its span. */
  readonly isSampled: boolean;
}

/** Length of a version 00 header. */
const LENGTH = 55;
/** Version, trace, parent and flags. Higher versions may append more after another hyphen. */
const FORMAT = /^([\da-f]{2})-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})(?:-.*)?$/;
const NO_TRACE = '0'.repeat(32);
const NO_SPAN = '0'.repeat(16);
const SAMPLED = 1;

/**
 * Parses the header. Reads only the known parts of a higher version.
 *
 * @param value value of the only header with this name
 * @returns null for an invalid header, so that a new trace starts
 */
export function readTraceparent(value: string): TraceParent | null {
  const found = FORMAT.exec(value);
  if (found === null) return null;
  const [, version, traceId, spanId, flags] = found as unknown as [string, string, string, string, string];
  if (version === 'ff' || (version === '00' && value.length !== LENGTH)) return null;
  if (traceId === NO_TRACE || spanId === NO_SPAN) return null;
  return { traceId, spanId, isSampled: (Number.parseInt(flags, 16) & SAMPLED) !== 0 };
}

/** Formats a version 00 header. */
export function traceparentText({ traceId, spanId, isSampled }: TraceParent): string {
  return `00-${traceId}-${spanId}-${isSampled ? '01' : '00'}`;
}
