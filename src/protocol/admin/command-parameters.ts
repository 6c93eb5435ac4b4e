/** Parameters of admin commands. The command line and the admin server share these rules. */
import { formatByteSize, parseByteSize } from '../../core/units/byte-size.ts';
import { MAX_DURATION_MS, formatDuration, parseDuration } from '../../core/units/duration.ts';
import { parseQuantity } from '../../core/units/quantity.ts';
import { formatRate, parseRate } from '../../core/units/rate.ts';

/** Parses one parameter. */
export interface CommandParameter {
  /**
   * Returns connections per second, milliseconds, bytes, or a number. Undefined if the text is invalid or out
   * of range.
   */
  readonly parse: (text: string) => number | undefined;
  /** What to write instead of an invalid text. */
  readonly remedy: string;
}

/** Parameters of every path that ends in `/drain`, and of `sluice drain`. A rate of 0 ends no connections. */
export const DRAIN_PARAMETERS = {
  rate: rateWithin(0, 1_000_000),
  deadline: durationUpTo(MAX_DURATION_MS),
  jitter: durationUpTo(MAX_DURATION_MS),
} as const;

export type DrainParameter = keyof typeof DRAIN_PARAMETERS;

/** `rate` of `/clusters/NAME/rebalance`. */
export const REBALANCE_RATE = rateWithin(1, 100_000);

/** `for` of `/debug/workers/NAME/freeze`. */
export const FREEZE_TIME = durationUpTo(600_000);

/** `pid` of `POST /handover`: the process that takes over. */
export const PROCESS_ID: CommandParameter = {
  parse: (text) => (/^[1-9]\d{0,9}$/.test(text) ? Number(text) : undefined),
  remedy: 'write the number of a process',
};

/** `limit` of `GET /sessions`, `GET /principals` and `GET /events`, and of `sluice sessions`. */
export const PAGE_LIMIT: CommandParameter = {
  parse: (text) => wholeNumber(text, (limit) => limit >= 1 && limit <= 1000),
  remedy: 'write a number from 1 to 1000',
};

/** `after` of `GET /events`: the number of a row. */
export const EVENT_NUMBER: CommandParameter = {
  parse: (text) => (/^\d{1,15}$/.test(text) ? Number(text) : undefined),
  remedy: 'write "last" from the previous answer',
};

/** `--duration` of `sluice tap`. */
export const TAP_DURATION: CommandParameter = {
  parse: (text) => {
    const ms = durationUpTo(MAX_DURATION_MS).parse(text);
    return ms === 0 ? undefined : ms;
  },
  remedy: durationUpTo(MAX_DURATION_MS).remedy,
};

/** `--frames` of `sluice tap`. */
export const TAP_FRAMES: CommandParameter = {
  parse: (text) => (/^[1-9]\d{0,14}$/.test(text) ? Number(text) : undefined),
  remedy: 'write a number from 1',
};

/**
 * `code` of a session's close, and of `sluice kick`. Only codes that an application may send (RFC 6455
 * section 7.4).
 */
export const CLOSE_CODE: CommandParameter = {
  parse: (text) => wholeNumber(text, isClosable),
  remedy: 'write 1000, 1001, 1008, 1011 to 1013, or 3000 to 4999',
};

/** `by` of `/sessions/ID/extend`. */
export const EXTEND_TIME: CommandParameter = {
  parse: (text) => {
    const ms = durationUpTo(MAX_DURATION_MS).parse(text);
    return ms === 0 ? undefined : ms;
  },
  remedy: durationUpTo(MAX_DURATION_MS).remedy,
};

/** Filters of `POST /tap`, and options of `sluice tap`. */
export const TAP_FILTERS = [
  'session',
  'listener',
  'route',
  'cluster',
  'endpoint',
  'principal',
  'client',
] as const;

/** `sample` of `POST /tap`: fraction of sessions to show, above 0 and at most 1. */
export const TAP_SAMPLE: CommandParameter = {
  parse: (text) => {
    const { amount, unit } = parseQuantity(text) ?? { amount: NaN, unit: '' };
    const part = unit === '%' ? amount / 100 : unit === '' ? amount : NaN;
    return part > 0 && part <= 1 ? part : undefined;
  },
  remedy: 'write a fraction of the sessions, such as 1% or 0.01, above 0 and up to 100%',
};

/** Max value of `maxPayload`. */
const MAX_TAP_PAYLOAD_BYTES = 64 * 1024;
/** Default of `maxPayload`. */
export const DEFAULT_TAP_PAYLOAD_BYTES = 4096;

/** `maxPayload` of `POST /tap`: max bytes to show of a message. */
export const TAP_PAYLOAD: CommandParameter = {
  parse: (text) => {
    const bytes = parseByteSize(text);
    return bytes !== undefined && bytes >= 1 && bytes <= MAX_TAP_PAYLOAD_BYTES ? bytes : undefined;
  },
  remedy: `write a size, such as 4KiB, up to ${formatByteSize(MAX_TAP_PAYLOAD_BYTES)}`,
};

/** Format of a session's id. */
export const SESSION_ID = /^[0-9a-z]{1,32}-\d{1,16}$/;

/** Max bytes of a close frame's reason (RFC 6455 section 5.5). */
const MAX_REASON_BYTES = 123;
/** Remedy for a reason that {@link isReason} rejects. */
export const REASON_REMEDY = `write at most ${MAX_REASON_BYTES} bytes of UTF-8`;

/** Whether the text fits as the reason of a close frame. */
export function isReason(text: string): boolean {
  return Buffer.byteLength(text) <= MAX_REASON_BYTES;
}

function isClosable(code: number): boolean {
  return [1000, 1001, 1008, 1011, 1012, 1013].includes(code) || (code >= 3000 && code <= 4999);
}

function wholeNumber(text: string, isAllowed: (value: number) => boolean): number | undefined {
  const value = /^\d{1,4}$/.test(text) ? Number(text) : NaN;
  return isAllowed(value) ? value : undefined;
}

/** Parses rates of connections. A number without a unit is per second. */
function rateWithin(min: number, max: number): CommandParameter {
  const range = min === 0 ? `up to ${formatRate(max)}` : `from ${formatRate(min)} to ${formatRate(max)}`;
  return {
    parse: (text) => {
      const perSecond = parseRate(text, '/s');
      return perSecond !== undefined && perSecond >= min && perSecond <= max ? perSecond : undefined;
    },
    remedy: `write a number and a unit, such as 100/s, ${range}`,
  };
}

function durationUpTo(maxMs: number): CommandParameter {
  return {
    parse: (text) => {
      const ms = parseDuration(text);
      return ms !== undefined && ms <= maxMs ? ms : undefined;
    },
    remedy: `write a number and a unit, such as 5m, up to ${formatDuration(maxMs)}`,
  };
}
