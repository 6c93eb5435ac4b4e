/** From bytes of a recording to its records. */
import type { TapRecord } from '../../wire/recording/records.ts';

/** A payload of 64 KiB has at most 400,000 characters as JSON. */
const MAX_LINE_LENGTH = 1024 * 1024;
const NEWLINE = '\n';

/** Cuts a stream into lines, of which it keeps an incomplete one. */
export class LineSplitter {
  readonly #decoder = new TextDecoder();
  #rest = '';

  /** Whether an incomplete line waits for its end. */
  get hasRest(): boolean {
    return this.#rest !== '';
  }

  /**
   * Returns the lines that a piece completes, without empty ones: they show that the proxy is alive.
   *
   * @throws Error for a line of more than 1 MiB
   */
  push(piece: Uint8Array): readonly string[] {
    const lines = (this.#rest + this.#decoder.decode(piece, { stream: true })).split(NEWLINE);
    this.#rest = lines.pop() ?? '';
    if (this.#rest.length > MAX_LINE_LENGTH || lines.some((line) => line.length > MAX_LINE_LENGTH)) {
      throw new Error(`a line has more than ${MAX_LINE_LENGTH} characters`);
    }
    return lines.filter((line) => line !== '');
  }
}

/** A JSON object with a type. What the type needs is checked where it is used. */
type Fields = Readonly<Record<string, unknown>>;

const TEXTS: Readonly<Record<string, readonly string[]>> = {
  session: ['session', 'listener', 'cluster', 'endpoint', 'client', 'route', 'principal'],
  tunnel: ['session', 'listener', 'cluster', 'endpoint', 'client'],
  frame: ['session', 'from', 'opcode'],
  bytes: ['session', 'from'],
  end: ['session'],
  done: ['reason'],
};
const NUMBERS: Readonly<Record<string, readonly string[]>> = {
  tap: ['at', 'version'],
  session: ['at', 'openedAt'],
  tunnel: ['at', 'openedAt'],
  frame: ['at', 'length'],
  bytes: ['at', 'length'],
  end: ['at', 'seconds', 'bytesUpstream', 'bytesDownstream'],
  lost: ['at', 'frames', 'sessions', 'lines'],
  done: ['at'],
};
const OPTIONAL_TEXTS = [
  'text',
  'base64',
  'to',
  'withheld',
  'side',
  'reason',
  'serverName',
  'worker',
] as const;

/**
 * Reads a line.
 *
 * @returns null for a type that this version does not know
 * @throws Error if the line is no record
 */
export function parseLine(line: string): TapRecord | null {
  const fields = objectOf(line);
  const { type } = fields;
  if (typeof type !== 'string') throw new Error('a line has no type');
  const numbers = Object.hasOwn(NUMBERS, type) ? NUMBERS[type] : undefined;
  if (numbers === undefined) return null;
  const wrong =
    numbers.find((name) => !Number.isFinite(fields[name])) ??
    TEXTS[type]?.find((name) => typeof fields[name] !== 'string') ??
    OPTIONAL_TEXTS.find((name) => fields[name] !== undefined && typeof fields[name] !== 'string');
  if (wrong !== undefined) throw new Error(`a line of type ${type} has no usable "${wrong}"`);
  return fields as unknown as TapRecord;
}

function objectOf(line: string): Fields {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw new Error('a line is no JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Error('a line is no JSON object');
  }
  return value as Fields;
}
