/** The order of fields in pretty lines, and how their values are written. */

/** Fields that a person asks for first. */
const FIRST = [
  'status',
  'method',
  'path',
  'code',
  'side',
  'reason',
  'cause',
  'client',
  'endpoint',
  'seconds',
  'bytes',
  'bytesUpstream',
  'bytesDownstream',
  'sent',
  'received',
];
/** Fields that may be left out of lines about clients. */
const SECOND = [
  'messagesUpstream',
  'messagesDownstream',
  'count',
  'suppressed',
  'detail',
  'cut',
  'listener',
  'route',
  'cluster',
];
/** Fields that a person asks for last: they are ids, or long. */
const LAST = [
  'principal',
  'host',
  'peer',
  'serverName',
  'subprotocol',
  'origin',
  'userAgent',
  'certSubject',
  'vpcEndpointId',
  'requestId',
  'tunnelId',
  'traceId',
  'spanId',
  'certFingerprint',
];
const RANKS: ReadonlyMap<string, number> = new Map([
  ...FIRST.map((key, index) => [key, index - FIRST.length - SECOND.length] as const),
  ...SECOND.map((key, index) => [key, index - SECOND.length] as const),
  ...LAST.map((key, index) => [key, index + 1] as const),
]);
/** Texts that need no quotes. */
const PLAIN = /^[^\s"=]+$/;

/** Sorts the fields of a line, most important first. Unknown fields stand in the middle, in the order of the line. */
export function ranked(fields: Readonly<Record<string, unknown>>): (readonly [string, unknown])[] {
  return Object.entries(fields).sort(([left], [right]) => rankOf(left) - rankOf(right));
}

/** Whether a person asks for a field first. */
export function isFirst(key: string): boolean {
  return rankOf(key) < -SECOND.length;
}

/** Writes a value on one line, in quotes if it would not be clear where it ends. */
export function valueText(value: unknown): string {
  if (typeof value === 'string') return PLAIN.test(value) ? value : JSON.stringify(value);
  return JSON.stringify(value);
}

function rankOf(key: string): number {
  return RANKS.get(key) ?? 0;
}
