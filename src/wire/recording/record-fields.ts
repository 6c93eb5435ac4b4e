/** Defines the fields of each record type, to check recordings that others wrote. */
import type { TapRecord } from './records.ts';

/** The rule for one field. Fields without a rule are ignored. */
interface FieldRule {
  readonly isRequired: boolean;
  /** The expected value, as error messages name it. */
  readonly expected: string;
  readonly isValid: (value: unknown) => boolean;
}

type FieldRules = Readonly<Record<string, FieldRule>>;

const isText = (value: unknown): boolean => typeof value === 'string';
const isPair = (value: unknown): boolean => Array.isArray(value) && value.length === 2 && value.every(isText);

const text = required('text', isText);
const number = required('a number', (value) => Number.isFinite(value));
const count = required('a whole number from 0', (value) => Number.isSafeInteger(value) && Number(value) >= 0);
const flag = required('true or false', (value) => typeof value === 'boolean');
const texts = required('a list of texts', (value) => Array.isArray(value) && value.every(isText));
const side = oneOf('client', 'endpoint', 'proxy');
const opcode = required(
  'an opcode',
  (value) =>
    typeof value === 'string' && /^(?:continuation|text|binary|close|ping|pong|reserved\d+)$/.test(value),
);
const conditions = required(
  'an object of texts',
  (value) => isObject(value) && Object.values(value).every(isText),
);
const request = required(
  'an object of target and headers',
  (value) =>
    isObject(value) && isText(value.target) && Array.isArray(value.headers) && value.headers.every(isPair),
);

const PLACE: FieldRules = {
  at: number,
  session: text,
  attached: optional(flag),
  openedAt: number,
  listener: text,
  cluster: text,
  endpoint: text,
  client: text,
};

const FIELDS: Readonly<Record<TapRecord['type'], FieldRules>> = {
  tap: {
    version: count,
    at: number,
    sluice: text,
    filter: conditions,
    sample: number,
    payload: flag,
    maxPayload: count,
    redact: texts,
  },
  session: {
    ...PLACE,
    route: text,
    principal: text,
    extensions: optional(text),
    request: optional(request),
    subprotocol: optional(text),
  },
  tunnel: { ...PLACE, serverName: optional(text) },
  frame: {
    at: number,
    session: text,
    from: side,
    to: optional(side),
    opcode,
    fin: optional(flag),
    compressed: optional(flag),
    length: count,
    code: optional(count),
    size: optional(count),
    text: optional(text),
    base64: optional(
      required('base64', (value) => isText(value) && /^[A-Za-z0-9+/]*={0,2}$/.test(String(value))),
    ),
    cut: optional(flag),
    redacted: optional(flag),
    withheld: optional(text),
  },
  bytes: { at: number, session: text, from: side, length: count },
  end: {
    at: number,
    session: text,
    side: optional(side),
    code: optional(count),
    reason: optional(text),
    seconds: number,
    messagesUpstream: optional(count),
    messagesDownstream: optional(count),
    bytesUpstream: count,
    bytesDownstream: count,
  },
  lost: { at: number, worker: optional(text), frames: count, sessions: count, lines: count },
  done: { at: number, reason: text },
};

/** The result of a check: a record, an unknown record type (both null), or a short fault. */
type CheckedRecord =
  | { readonly record: TapRecord | null; readonly fault: null }
  | { readonly record: null; readonly fault: string };

/** Checks a parsed JSON value. The fault never quotes the value. */
export function checkRecord(value: unknown): CheckedRecord {
  if (!isObject(value)) return faulty('not a JSON object');
  const { type } = value;
  if (typeof type !== 'string') return faulty('no "type"');
  if (!Object.hasOwn(FIELDS, type)) return { record: null, fault: null };
  for (const [name, { isRequired, expected: what, isValid: fits }] of Object.entries(
    FIELDS[type as TapRecord['type']],
  )) {
    const isThere = Object.hasOwn(value, name);
    if (!isThere && isRequired) return faulty(`a record of type "${type}" needs "${name}": ${what}`);
    if (isThere && !fits(value[name]))
      return faulty(`"${name}" of a record of type "${type}" is not ${what}`);
  }
  return { record: value as unknown as TapRecord, fault: null };
}

function faulty(fault: string): CheckedRecord {
  return { record: null, fault };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function required(what: string, fits: FieldRule['isValid']): FieldRule {
  return { isRequired: true, expected: what, isValid: fits };
}

function optional(form: FieldRule): FieldRule {
  return { ...form, isRequired: false };
}

function oneOf(...words: readonly string[]): FieldRule {
  return required(
    `one of ${words.join(', ')}`,
    (value) => typeof value === 'string' && words.includes(value),
  );
}
