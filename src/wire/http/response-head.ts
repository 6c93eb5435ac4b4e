import { BYTE_CLASSES, IS_VALUE } from './byte-classes.ts';
import { HeadScan } from './head-scan.ts';

/** An HTTP/1.x response's head. */
export interface ResponseHead {
  /** Whether the response is HTTP/1.0, which has no chunks and closes the connection after each response. */
  readonly isHttp10?: true;
  readonly status: number;
  /** name (lower case), value, name, value ... */
  readonly headers: readonly string[];
  /** The names as the endpoint spelled them, in the order of `headers`; missing if they are spelled in lower case. */
  readonly names?: readonly string[];
}

/** The reason for which a response cannot be used. */
type ResponseHeadProblem =
  | 'malformed response head'
  | 'response head too large'
  | 'too many response headers'
  | 'too many interim responses'
  | 'the endpoint switches protocols unasked';

/** Max bytes of one response head, its empty line included. */
const MAX_HEAD_BYTES = 64 * 1024;
const MAX_HEADERS = 1000;
/** Max interim responses (1xx except 101, RFC 9110 section 15.2) before the final one. */
const MAX_INTERIM_RESPONSES = 16;
/** Expect ends at the proxy, and with it 100 (RFC 9110 section 10.1.1). */
const CONTINUE = 100;
/** The only 1xx that is final (RFC 9110 section 15.2.2). */
export const SWITCHING_PROTOCOLS = 101;

const STARTS = ['HTTP/1.1 ', 'HTTP/1.0 '] as const;
/** What every status line of HTTP/1.x begins with. */
const VERSION = 'HTTP/1.';
/** Offsets of the parts of a status line. */
const MINOR_VERSION = VERSION.length;
const STATUS = MINOR_VERSION + 2;
const REASON = STATUS + 3;
const CR = 0x0d;
const LF = 0x0a;
const SPACE = 0x20;
const ZERO = 0x30;
const ONE = 0x31;
const NINE = 0x39;
const EMPTY = Buffer.alloc(0);

/** Hears of the interim responses before a final one, but not of 100 (Continue). */
export interface InterimSink {
  interimResponse(head: ResponseHead): void;
}

/**
 * Gathers the head of the final response to one request, and tells of the interim responses before it (RFC 9112 sections 4 and
 * 5, RFC 9110 section 15.2). It is strict: folded lines, bare LF, spaces before a colon and an invalid status are malformed.
 * A status from 600 to 999 passes, as with nginx and HAProxy. The work is linear in the number of bytes, in any pieces.
 */
export class ResponseHeadReader {
  /** Offset behind the last head in the input of the last {@link push}. */
  behind = 0;
  #interim = 0;
  /** The incomplete head is `kept[0, size)`. */
  #kept: Buffer = EMPTY;
  #size = 0;
  /** Number of complete lines of the incomplete head. */
  #lines = 0;
  /** Number of bytes of its last line so far. */
  #lineBytes = 0;
  readonly #takesSwitch: boolean;
  readonly #interims: InterimSink | null;

  /**
   * @param takesSwitch whether a 101 is a final response; else it is a problem, because no upgrade was requested
   * @param interims called within {@link push}; null to skip interim responses
   */
  constructor(takesSwitch = false, interims: InterimSink | null = null) {
    this.#takesSwitch = takesSwitch;
    this.#interims = interims;
  }

  /**
   * Takes the next bytes, and copies those that it keeps. Do not call it after it has returned a head or a problem.
   *
   * @returns the final response's head, `incomplete` until its end has arrived, or the problem
   */
  push(input: Buffer, start: number, end: number): ResponseHead | ResponseHeadProblem | 'incomplete' {
    this.behind = start;
    for (;;) {
      const head = this.#read(input, this.behind, end);
      if (typeof head === 'string') return head;
      if (head.status >= 200 || head.status === SWITCHING_PROTOCOLS) {
        const isUnasked = head.status === SWITCHING_PROTOCOLS && !this.#takesSwitch;
        return isUnasked ? 'the endpoint switches protocols unasked' : head;
      }
      if (++this.#interim > MAX_INTERIM_RESPONSES) return 'too many interim responses';
      if (head.status !== CONTINUE) this.#interims?.interimResponse(head);
    }
  }

  /** Reads the head that ends in `input[start, end)`, and sets {@link behind}. */
  #read(input: Buffer, start: number, end: number): ResponseHead | ResponseHeadProblem | 'incomplete' {
    if (this.#size === 0) {
      // Most heads come in one read, and are read in place.
      const behind = scanHead(input, start, Math.min(end, start + MAX_HEAD_BYTES));
      if (behind >= 0) {
        this.behind = behind;
        return scannedHead(input, start, behind);
      }
    }
    return this.#readPart(input.subarray(start, end));
  }

  /** Reads the rest of an incomplete head, or one that is not whole. */
  #readPart(input: Buffer): ResponseHead | ResponseHeadProblem | 'incomplete' {
    const end = this.#findEnd(input);
    if (typeof end === 'string') return end;
    if (end < 0) return this.#keep(input);
    if (this.#size + end > MAX_HEAD_BYTES) return 'response head too large';
    this.behind += end;
    return this.#parse(input, end);
  }

  /** Returns the end of the head in the input; -1 without one. Does not read the bytes of earlier calls again. */
  #findEnd(input: Buffer): number | ResponseHeadProblem {
    for (let at = 0; ;) {
      const lf = input.indexOf(LF, at);
      if (lf < 0) {
        this.#lineBytes += input.length - at;
        return -1;
      }
      const before = this.#lineBytes + (lf - at);
      const isEnded = lf > 0 ? input[lf - 1] === CR : this.#size > 0 && this.#kept[this.#size - 1] === CR;
      if (before === 0 || !isEnded) return 'malformed response head';
      this.#lineBytes = 0;
      if (before === 1) return lf + 1;
      // The status line is not a header.
      if (this.#lines++ > MAX_HEADERS) return 'too many response headers';
      at = lf + 1;
    }
  }

  #keep(input: Buffer): ResponseHeadProblem | 'incomplete' {
    const size = this.#size + input.length;
    if (size > MAX_HEAD_BYTES) return 'response head too large';
    if (this.#kept.length < size) {
      const larger = Buffer.allocUnsafe(Math.min(MAX_HEAD_BYTES, Math.max(size, 2 * this.#kept.length)));
      this.#kept.copy(larger, 0, 0, this.#size);
      this.#kept = larger;
    }
    input.copy(this.#kept, this.#size);
    const isBegun = this.#size >= STARTS[0].length;
    this.#size = size;
    return isBegun || this.#isPlausible() ? 'incomplete' : 'malformed response head';
  }

  /** Tells whether the first bytes can begin a response, so that a peer with another protocol fails at once. */
  #isPlausible(): boolean {
    const length = Math.min(this.#size, STARTS[0].length);
    const found = this.#kept.toString('latin1', 0, length);
    return STARTS.some((start) => start.slice(0, length) === found);
  }

  /** Reads the head that ends at `end` of the input, and clears the kept bytes. */
  #parse(input: Buffer, end: number): ResponseHead | ResponseHeadProblem {
    if (this.#size === 0) return parseHead(input, end);
    const whole = Buffer.concat([this.#kept.subarray(0, this.#size), input.subarray(0, end)]);
    this.#kept = EMPTY;
    this.#size = this.#lines = this.#lineBytes = 0;
    return parseHead(whole, whole.length);
  }
}

/** Finds the header lines of one head after the other. */
const scan = new HeadScan();

/** Reads the whole head `input[0, end)`. */
function parseHead(input: Buffer, end: number): ResponseHead | ResponseHeadProblem {
  if (scanHead(input, 0, end) === end) return scannedHead(input, 0, end);
  return scan.problem?.reason === 'too_many_headers'
    ? 'too many response headers'
    : 'malformed response head';
}

/**
 * Finds the parts of the head that `input[start, end)` begins with.
 *
 * @returns the offset behind the head; negative if it is malformed or has no end
 */
function scanHead(input: Buffer, start: number, end: number): number {
  scan.beginFields();
  const fields = statusLineEnd(input, start, end);
  return fields < 0 ? fields : scan.scan(input, start, fields, end, MAX_HEADERS);
}

/** Makes the head `input[start, end)` from the marks of {@link scanHead}. */
function scannedHead(input: Buffer, start: number, end: number): ResponseHead {
  const text = input.toString('latin1', start, end);
  const headers: string[] = [];
  const names: string[] = [];
  for (let index = 0; index < scan.headers; index++) {
    const { lower, spelled } = scan.names[index]!;
    headers.push(lower, text.slice(scan.values[2 * index], scan.values[2 * index + 1]));
    names.push(spelled);
  }
  const status = Number(text.slice(STATUS, REASON));
  return input[start + MINOR_VERSION] === ZERO
    ? { status, headers, names, isHttp10: true }
    : { status, headers, names };
}

/** Returns the offset behind the status line that `input[start, end)` begins with; -1 if it is malformed or has no end. */
function statusLineEnd(input: Buffer, start: number, end: number): number {
  if (end - start < REASON + 2) return -1;
  for (let index = 0; index < MINOR_VERSION; index++) {
    if (input[start + index] !== VERSION.charCodeAt(index)) return -1;
  }
  const minor = input[start + MINOR_VERSION]!;
  if ((minor !== ZERO && minor !== ONE) || input[start + STATUS - 1] !== SPACE) return -1;
  if (input[start + STATUS] === ZERO) return -1;
  for (let index = STATUS; index < REASON; index++) {
    if (!isDigit(input[start + index]!)) return -1;
  }
  let at = start + REASON;
  if (input[at] === SPACE) while (at < end && (BYTE_CLASSES[input[at]!]! & IS_VALUE) !== 0) at++;
  return at + 2 <= end && input[at] === CR && input[at + 1] === LF ? at + 2 : -1;
}

function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= NINE;
}
