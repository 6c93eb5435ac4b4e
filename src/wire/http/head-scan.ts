import { BYTE_CLASSES as CLASSES, IS_TARGET, IS_TOKEN } from './byte-classes.ts';
import { fieldNameAt, hashOf, type FieldName } from './field-names.ts';

/** Why a request is refused: label values of its counter. */
export type RequestProblemReason =
  | 'bad_method'
  | 'bad_target'
  | 'bad_version'
  | 'bad_line_end'
  | 'bad_header'
  | 'bad_host'
  | 'bad_framing'
  | 'target_too_long'
  | 'head_too_large'
  | 'too_many_headers';

/** The refusal of a request whose head is malformed or too large. */
export interface RequestProblem {
  readonly status: 400 | 414 | 431 | 501 | 505;
  readonly reason: RequestProblemReason;
  /** Short description for the client and the log. */
  readonly detail: string;
}

/** The longest registered method has 17 bytes. */
const MAX_METHOD_BYTES = 32;
const VERSION_BYTES = 8;

const TAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const QUESTION_MARK = 0x3f;
const COLON = 0x3a;
const DELETE = 0x7f;

/** States, named after what the next byte belongs to. */
const METHOD = 0;
const TARGET = 1;
const VERSION = 2;
const LINE_LF = 3;
const FIELD = 4;
const NAME = 5;
const VALUE_START = 6;
const VALUE = 7;
const END_LF = 8;

/** Results of a scan that are not offsets. */
const INCOMPLETE = -1;
export const REFUSED = -2;

/**
 * Finds the parts of a request head, cut at any byte (RFC 9112 sections 2, 3 and 5). Looks at each byte once.
 * All offsets count from the first byte of the head. One object scans many heads in turn.
 */
export class HeadScan {
  /** Null until all of it arrived. */
  method: FieldName | null = null;
  targetStart = 0;
  /** 0 until the whole target arrived. */
  targetEnd = 0;
  /** Offset of the first `?` in the target; -1 without one. */
  query = -1;
  isHttp10 = false;
  headers = 0;
  readonly names: FieldName[] = [];
  /** Start and end of each value. */
  readonly values: number[] = [];
  /** Why the head is refused. */
  problem: RequestProblem | null = null;
  #state = METHOD;
  /** Start of the current part: version, name or value. */
  #mark = 0;
  #hash = 0;

  /** Starts the next head. */
  begin(): void {
    this.#state = METHOD;
    this.#hash = this.headers = this.targetEnd = 0;
    this.method = null;
    this.query = -1;
    this.problem = null;
  }

  /** Starts header lines without a request line, such as trailers. */
  beginFields(): void {
    this.begin();
    this.#state = FIELD;
  }

  /** Whether the end of the request target has not arrived. */
  get isBeforeVersion(): boolean {
    return this.#state < VERSION;
  }

  /**
   * Reads `input[from, end)` of the head that starts at `base`.
   *
   * @returns the offset after the head, {@link INCOMPLETE} or {@link REFUSED}
   */
  scan(input: Buffer, base: number, from: number, end: number, maxHeaders: number): number {
    let at = from;
    let state = this.#state;
    let mark = this.#mark;
    let hash = this.#hash;
    while (at < end) {
      switch (state) {
        case METHOD: {
          let byte = 0;
          while (at < end && (CLASSES[(byte = input[at]!)]! & IS_TOKEN) !== 0) {
            hash = hashOf(hash, byte);
            at++;
          }
          if (at - base > MAX_METHOD_BYTES) return this.#refuse(501, 'bad_method', 'method too long');
          if (at === end) break;
          if (byte !== SPACE || at === base) return this.#refuse(400, 'bad_method', 'bad method');
          this.method = fieldNameAt(input, base, at, hash);
          this.targetStart = ++at - base;
          state = TARGET;
          break;
        }
        case TARGET: {
          let byte = 0;
          while (at < end && (CLASSES[(byte = input[at]!)]! & IS_TARGET) !== 0) {
            if (byte === QUESTION_MARK && this.query < 0) this.query = at - base;
            at++;
          }
          if (at === end) break;
          if (byte === CR || byte === LF)
            return this.#refuse(400, 'bad_version', 'no HTTP version in the request line');
          if (byte !== SPACE || at - base === this.targetStart)
            return this.#refuse(400, 'bad_target', 'bad request target');
          this.targetEnd = at - base;
          mark = ++at - base;
          state = VERSION;
          break;
        }
        case VERSION: {
          while (at < end && input[at] !== CR && at - base - mark <= VERSION_BYTES) at++;
          if (at === end && at - base - mark <= VERSION_BYTES) break;
          const version = input.toString('latin1', base + mark, at);
          if (!this.#readVersion(version)) return REFUSED;
          at++;
          state = LINE_LF;
          break;
        }
        case LINE_LF:
          if (input[at] !== LF) return this.#refuse(400, 'bad_line_end', 'CR without LF');
          at++;
          state = FIELD;
          break;
        case FIELD: {
          const byte = input[at]!;
          if (byte === CR) {
            at++;
            state = END_LF;
          } else if ((CLASSES[byte]! & IS_TOKEN) !== 0) {
            if (this.headers === maxHeaders) return this.#refuse(431, 'too_many_headers', 'too many headers');
            mark = at - base;
            hash = 0;
            state = NAME;
          } else if (byte === SPACE || byte === TAB) {
            return this.#refuse(400, 'bad_header', 'white space before a header');
          } else if (byte === LF) {
            return this.#refuse(400, 'bad_line_end', 'LF without CR');
          } else {
            return this.#refuse(400, 'bad_header', 'bad header name');
          }
          break;
        }
        case NAME: {
          let byte = 0;
          while (at < end && (CLASSES[(byte = input[at]!)]! & IS_TOKEN) !== 0) {
            hash = hashOf(hash, byte);
            at++;
          }
          if (at === end) break;
          if (byte !== COLON) return this.#refuse(400, 'bad_header', 'bad header name');
          this.names[this.headers] = fieldNameAt(input, base + mark, at, hash);
          at++;
          state = VALUE_START;
          break;
        }
        case VALUE_START: {
          let byte = 0;
          while (at < end && ((byte = input[at]!) === SPACE || byte === TAB)) at++;
          if (at === end) break;
          mark = at - base;
          state = VALUE;
          break;
        }
        case VALUE: {
          let byte = 0;
          while (at < end && isValueByte((byte = input[at]!))) at++;
          if (at === end) break;
          if (byte === LF) return this.#refuse(400, 'bad_line_end', 'LF without CR');
          if (byte !== CR) return this.#refuse(400, 'bad_header', 'control character in a header');
          let last = at;
          while (last > base + mark && isBlank(input[last - 1]!)) last--;
          this.values[2 * this.headers] = mark;
          this.values[2 * this.headers + 1] = last - base;
          this.headers++;
          at++;
          state = LINE_LF;
          break;
        }
        default:
          if (input[at] !== LF) return this.#refuse(400, 'bad_line_end', 'CR without LF');
          return at + 1;
      }
    }
    this.#state = state;
    this.#mark = mark;
    this.#hash = hash;
    return INCOMPLETE;
  }

  /** Checks the version in the request line. Returns false if it is refused. */
  #readVersion(version: string): boolean {
    this.isHttp10 = version === 'HTTP/1.0';
    if (version === 'HTTP/1.1' || this.isHttp10) return true;
    // RFC 9110 section 2.5: treat a higher minor version as the highest known one.
    if (/^HTTP\/1\.\d$/.test(version)) return true;
    if (/^HTTP\/[2-9]\.\d$/.test(version)) this.#refuse(505, 'bad_version', 'HTTP version not supported');
    else this.#refuse(400, 'bad_version', 'bad HTTP version');
    return false;
  }

  #refuse(status: RequestProblem['status'], reason: RequestProblemReason, detail: string): typeof REFUSED {
    this.problem = { status, reason, detail };
    return REFUSED;
  }
}

/** Reports whether a value may contain a byte: no control character except the tab (RFC 9110 section 5.5). */
function isValueByte(byte: number): boolean {
  return (byte >= SPACE && byte !== DELETE) || byte === TAB;
}

function isBlank(byte: number): boolean {
  return byte === SPACE || byte === TAB;
}
