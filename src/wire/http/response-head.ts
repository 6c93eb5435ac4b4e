import { BYTE_CLASSES, IS_VALUE } from './byte-classes.ts';
import { HeadScan } from './head-scan.ts';

/** The head of an HTTP/1.x response. */
export interface ResponseHead {
  /** Whether the response is HTTP/1.0, which has no chunks and closes the connection after each response. */
  readonly isHttp10?: true;
  readonly status: number;
  /** name (lower case), value, name, value ... */
  readonly headers: readonly string[];
  /** Names as the endpoint spelled them, in the order of `headers`; missing if all are in lower case. */
  readonly names?: readonly string[];
}

/** Why a response is unusable. */
type ResponseHeadProblem =
  | 'malformed response head'
  | 'response head too large'
  | 'too many response headers'
  | 'too many interim responses'
  | 'the endpoint switches protocols unasked';

/** Max bytes of a response head, including its empty line. */
const MAX_HEAD_BYTES = 64 * 1024;
const MAX_HEADERS = 1000;
/** Max interim responses (1xx except 101, RFC 9110 section 15.2) before the final one. */
const MAX_INTERIM_RESPONSES = 16;
/** sluice handles Expect itself, and so also 100 (RFC 9110 section 10.1.1). */
const CONTINUE = 100;
/** The only 1xx status that is final (RFC 9110 section 15.2.2). */
export const SWITCHING_PROTOCOLS = 101;

const STARTS = ['HTTP/1.1 ', 'HTTP/1.0 '] as const;
/** Start of every HTTP/1.x status line. */
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

/** Receives the interim responses before a final one, except 100 (Continue). */
export interface InterimSink {
  interimResponse(head: ResponseHead): void;
}

/**
 * Reads the final response head for one request, and reports earlier interim responses (RFC 9112 sections 4
 * and 5, RFC 9110 section 15.2). It is strict: folded lines, bare LF, a space before a colon, and an invalid
 * status are malformed. A status from 600 to 999 passes, as in nginx and HAProxy. The work is linear in the
 * number of bytes, however they are cut.
 */
export class ResponseHeadReader {
  /** Offset after the last head in the input of the last {@link push}. */
  headEnd = 0;
  #interim = 0;
  /** The incomplete head is `kept[0, size)`. */
  #kept: Buffer = EMPTY;
  #size = 0;
  /** Complete lines of the incomplete head. */
  #lines = 0;
  /** Bytes so far of the head's last line. */
  #lineBytes = 0;
  readonly #takesSwitch: boolean;
  readonly #interims: InterimSink | null;

  /**
   * @param takesSwitch whether a 101 is final; otherwise it is a problem, because no upgrade was requested
   * @param interims called within {@link push}; null to skip interim responses
   */
  constructor(takesSwitch = false, interims: InterimSink | null = null) {
    this.#takesSwitch = takesSwitch;
    this.#interims = interims;
  }

  /**
   * Takes the next bytes, and copies those it keeps. Must not be called after it returned a head or a
   * problem.
   *
   * @returns the final response's head, `incomplete` until it has arrived, or the problem
   */
  push(input: Buffer, start: number, end: number): ResponseHead | ResponseHeadProblem | 'incomplete' {
    this.headEnd = start;
    for (;;) {
      const head = this.#read(input, this.headEnd, end);
      if (typeof head === 'string') return head;
      if (head.status >= 200 || head.status === SWITCHING_PROTOCOLS) {
        const isUnasked = head.status === SWITCHING_PROTOCOLS && !this.#takesSwitch;
        return isUnasked ? 'the endpoint switches protocols unasked' : head;
      }
      if (++this.#interim > MAX_INTERIM_RESPONSES) return 'too many interim responses';
      if (head.status !== CONTINUE) this.#interims?.interimResponse(head);
    }
  }

  /** Reads the head that ends in `input[start, end)`, and sets {@link headEnd}. */
  #read(input: Buffer, start: number, end: number): ResponseHead | ResponseHeadProblem | 'incomplete' {
    if (this.#size === 0) {
      // Most heads arrive in one read, and need no copy.
      const headEnd = scanHead(input, start, Math.min(end, start + MAX_HEAD_BYTES));
      if (headEnd >= 0) {
        this.headEnd = headEnd;
        return scannedHead(input, start, headEnd);
      }
    }
    return this.#readPart(input.subarray(start, end));
  }

  /** Reads the rest of an incomplete head, or the start of one. */
  #readPart(input: Buffer): ResponseHead | ResponseHeadProblem | 'incomplete' {
    const end = this.#findEnd(input);
    if (typeof end === 'string') return end;
    if (end < 0) return this.#keep(input);
    if (this.#size + end > MAX_HEAD_BYTES) return 'response head too large';
    this.headEnd += end;
    return this.#parse(input, end);
  }

  /** Returns the end of the head in the input, or -1. Does not rescan bytes of earlier calls. */
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

  /** Reports whether the first bytes can start a response, so that another protocol fails at once. */
  #isPlausible(): boolean {
    const length = Math.min(this.#size, STARTS[0].length);
    const found = this.#kept.toString('latin1', 0, length);
    return STARTS.some((start) => start.slice(0, length) === found);
  }

  /** Parses the head that ends at `end` of the input, and drops the kept bytes. */
  #parse(input: Buffer, end: number): ResponseHead | ResponseHeadProblem {
    if (this.#size === 0) return parseHead(input, end);
    const whole = Buffer.concat([this.#kept.subarray(0, this.#size), input.subarray(0, end)]);
    this.#kept = EMPTY;
    this.#size = this.#lines = this.#lineBytes = 0;
    return parseHead(whole, whole.length);
  }
}

/** Scans the header lines of one head after another. */
const scan = new HeadScan();

/** Parses the whole head `input[0, end)`. */
function parseHead(input: Buffer, end: number): ResponseHead | ResponseHeadProblem {
  if (scanHead(input, 0, end) === end) return scannedHead(input, 0, end);
  return scan.problem?.reason === 'too_many_headers'
    ? 'too many response headers'
    : 'malformed response head';
}

/**
 * Scans the head at the start of `input[start, end)`.
 *
 * @returns the offset after the head; negative if it is malformed or incomplete
 */
function scanHead(input: Buffer, start: number, end: number): number {
  scan.beginFields();
  const fields = statusLineEnd(input, start, end);
  return fields < 0 ? fields : scan.scan(input, start, fields, end, MAX_HEADERS);
}

/** Builds the head `input[start, end)` from the marks of {@link scanHead}. */
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

/** Returns the offset after the status line at the start of the input; -1 if malformed or incomplete. */
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
