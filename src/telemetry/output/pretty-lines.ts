import { isFirst, ranked, valueText } from './pretty-fields.ts';
import { printable, printableOnceParsed } from './printable.ts';

const MAX_COLUMNS = 120;
const MIN_COLUMNS = 40;
const INDENT = '    ';
const ELLIPSIS = '...';
const LEVEL_CHARACTERS = 5;
/**
 * Messages of lines about clients. There are many of these lines, so each takes at most two lines and omits
 * what does not fit.
 */
const ACCESS_MESSAGES: ReadonlySet<string> = new Set([
  'request',
  'request refused',
  'handshake refused',
  'connection refused',
  'session opened',
  'session closed',
  'tunnel opened',
  'tunnel closed',
  'tunnel failed',
]);
/** Max characters of a value in a line about a client. */
const MAX_ACCESS_VALUE_CHARACTERS = 60;
/** Min length of a path that is truncated to the rest of its line. */
const MIN_PATH_CHARACTERS = 24;
/** Fields of lines about clients that are clear without their names. */
const UNNAMED_FIELDS: ReadonlySet<string> = new Set(['status', 'method', 'path']);

/** SGR codes of the levels (ECMA-48). */
const LEVEL_COLOURS: Readonly<Record<string, number>> = {
  debug: 34,
  info: 32,
  warn: 33,
  error: 31,
  fatal: 31,
};
const DIM = 2;
const BOLD = 1;
const RED = 31;

export interface PrettyStyle {
  /** Width of the terminal. At most 120 columns are used. */
  readonly columns: () => number;
  readonly colours: boolean;
}

/** Formats JSON lines for people. Other lines, for example access lines, stay unchanged. */
export class PrettyLines {
  readonly #style: PrettyStyle;

  constructor(style: PrettyStyle) {
    this.#style = style;
  }

  /** Returns one entry for each line. Only the first line of an entry starts with a visible character. */
  format(lines: string): string {
    const columns = Math.min(Math.max(this.#style.columns(), MIN_COLUMNS), MAX_COLUMNS);
    let text = '';
    for (const line of lines.split('\n')) {
      if (line === '') continue;
      const fields = parsed(line);
      text += fields === null ? `${printable(line).trimStart()}\n` : this.#entry(fields, columns);
    }
    return text;
  }

  #entry(fields: Record<string, unknown>, columns: number): string {
    const { level, time, worker, msg, err, ...others } = fields;
    const name = textOf(level, '-');
    const message = typeof msg === 'string' ? msg : valueText(msg ?? '');
    const [title = '', ...more] = message.split('\n');
    const page = new Page(columns, this.#style.colours);
    page.add(clockTime(time), DIM);
    page.add(name.toUpperCase().padEnd(LEVEL_CHARACTERS), LEVEL_COLOURS[name]);
    if (worker !== undefined) page.add(valueText(worker), DIM);
    page.addWords(title, BOLD);
    if (ACCESS_MESSAGES.has(title)) addAccessFields(page, others);
    else for (const [key, value] of ranked(others)) page.addField(key, valueText(value));
    for (const line of more) page.addLine(line);
    if (err !== undefined) addError(page, err);
    return `${page.text}\n`;
  }
}

/** Puts the most important fields on the first line, and as many others as fit on a second. */
function addAccessFields(page: Page, fields: Record<string, unknown>): void {
  const texts = ranked(fields).map(([key, value]) => [key, accessText(value)] as const);
  const first = texts.filter(([key]) => isFirst(key));
  const others = texts.filter(([key]) => !isFirst(key));
  const room =
    page.room - first.reduce((sum, [key, text]) => sum + 1 + (key === 'path' ? 0 : widthOf(key, text)), 0);
  const late: (readonly [string, string])[] = [];
  let isFull = false;
  for (const [key, text] of first) {
    const short = key === 'path' ? truncate(text, Math.max(room, MIN_PATH_CHARACTERS)) : text;
    isFull ||= page.room <= widthOf(key, short);
    if (isFull) late.push([key, short]);
    else page.addField(UNNAMED_FIELDS.has(key) ? '' : key, short);
  }
  const rest = [...late, ...others];
  if (rest.length === 0) return;
  page.endLine();
  for (const [key, text] of rest) if (page.room > key.length + 1 + text.length) page.addField(key, text);
}

function accessText(value: unknown): string {
  if (typeof value === 'number' && !Number.isInteger(value)) return String(Number(value.toPrecision(3)));
  return truncate(valueText(value), MAX_ACCESS_VALUE_CHARACTERS);
}

function widthOf(key: string, text: string): number {
  return UNNAMED_FIELDS.has(key) ? text.length : key.length + 1 + text.length;
}

function addError(page: Page, err: unknown): void {
  if (typeof err !== 'object' || err === null) {
    page.addField('err', valueText(err));
    return;
  }
  const { type, message, stack, ...others } = err as Record<string, unknown>;
  const title = `${textOf(type, 'Error')}: ${textOf(message, '')}`;
  const trace = textOf(stack, title);
  const lines = trace.split('\n');
  // V8 omits a message from the stack if it was set later.
  if (!trace.includes(textOf(message, ''))) lines.unshift(title);
  lines.forEach((line, index) => page.addLine(line, index === 0 ? RED : undefined));
  for (const [key, value] of Object.entries(others)) page.addLine(`${key}=${valueText(value)}`);
}

function textOf(value: unknown, otherwise: string): string {
  return typeof value === 'string' ? value : otherwise;
}

/** The lines of one entry, filled from left to right. */
class Page {
  text = '';
  readonly #columns: number;
  readonly #colours: boolean;
  /** Visible characters of the last line. */
  #used = 0;
  #isIndented = false;

  constructor(columns: number, colours: boolean) {
    this.#columns = columns;
    this.#colours = colours;
  }

  /** Remaining columns of the last line. */
  get room(): number {
    return this.#columns - this.#used;
  }

  /** Starts a new line. */
  endLine(): void {
    this.#endLine(INDENT);
  }

  /** @param key empty for a value without a name */
  addField(key: string, value: string): void {
    const name = truncate(key, this.#columns - INDENT.length - 2 * ELLIPSIS.length);
    const label = name === '' ? '' : `${name}=`;
    const text = truncate(value, this.#columns - INDENT.length - label.length);
    this.#place(label.length + text.length);
    if (label !== '') this.#write(label, DIM);
    this.#write(text);
  }

  addWords(text: string, colour?: number): void {
    for (const word of text.split(' ')) if (word !== '') this.add(word, colour);
  }

  /** Adds a piece of text, split if it is longer than a line. */
  add(text: string, colour?: number): void {
    const most = this.#columns - INDENT.length;
    for (let at = 0; at < text.length; at += most) {
      const part = text.slice(at, at + most);
      this.#place(part.length);
      this.#write(part, colour);
    }
  }

  /** Adds a line. Splits it if it is too long. */
  addLine(line: string, colour?: number): void {
    const text = line.replaceAll('\t', ' ').trimEnd();
    const own = /^ */.exec(text)![0].length;
    const indent = INDENT + ' '.repeat(Math.min(own, INDENT.length));
    const most = this.#columns - indent.length;
    for (let at = own; at < text.length; at += most) {
      this.#endLine(indent);
      this.#write(text.slice(at, at + most), colour);
    }
    // The next field must start a new line.
    this.#used = this.#columns;
  }

  /** Makes room for a piece: adds a space before it, or a new line. */
  #place(length: number): void {
    if (this.#used === 0) return;
    if (this.#used + 1 + length > this.#columns) this.#endLine(INDENT);
    else if (!this.#isIndented) this.#write(' ');
    this.#isIndented = false;
  }

  #endLine(indent: string): void {
    this.text = `${this.text.trimEnd()}\n${indent}`;
    this.#used = indent.length;
    this.#isIndented = true;
  }

  #write(text: string, colour?: number): void {
    this.text += this.#colours && colour !== undefined ? `\u001b[${colour}m${text}\u001b[0m` : text;
    this.#used += text.length;
  }
}

function parsed(line: string): Record<string, unknown> | null {
  if (!line.startsWith('{')) return null;
  try {
    return JSON.parse(printableOnceParsed(line)) as Record<string, unknown>;
  } catch {
    return null;
  }
}

/** Returns the local time of day. */
function clockTime(time: unknown): string {
  const date = new Date(typeof time === 'string' ? time : Number.NaN);
  if (Number.isNaN(date.getTime())) return valueText(time ?? '-');
  const parts = [date.getHours(), date.getMinutes(), date.getSeconds()];
  const millis = String(date.getMilliseconds()).padStart(3, '0');
  return `${parts.map((part) => String(part).padStart(2, '0')).join(':')}.${millis}`;
}

/** Truncates a long text. */
function truncate(text: string, most: number): string {
  return text.length > most ? text.slice(0, most - ELLIPSIS.length) + ELLIPSIS : text;
}
