/** The order of fields in pretty lines, and the format of their values. */

/** The most important fields. */
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
/** Fields that lines about clients may omit. */
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
/** The least important fields: ids and long values. */
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

/** Sorts the fields of a line, most important first. Unknown fields go to the middle, in the line's order. */
export function ranked(fields: Readonly<Record<string, unknown>>): (readonly [string, unknown])[] {
  return Object.entries(fields).sort(([left], [right]) => rankOf(left) - rankOf(right));
}

/** Whether a field is among the most important ones. */
export function isFirst(key: string): boolean {
  return rankOf(key) < -SECOND.length;
}

/** Formats a value on one line, quoted if its end would be ambiguous. */
export function valueText(value: unknown): string {
  if (typeof value === 'string') return PLAIN.test(value) ? value : JSON.stringify(value);
  return JSON.stringify(value);
}

function rankOf(key: string): number {
  return RANKS.get(key) ?? 0;
}
