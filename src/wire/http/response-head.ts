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

const STATUS_LINE = /^HTTP\/1\.([01]) ([1-9]\d\d)(?: [\t\x20-\x7e\x80-\xff]*)?$/;
const STARTS = ['HTTP/1.1 ', 'HTTP/1.0 '] as const;
const CR = 13;
const LF = 10;
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
  /** Bytes behind the final head. They are valid as long as the input of {@link push}. */
  rest: Buffer = EMPTY;
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
  push(input: Buffer): ResponseHead | ResponseHeadProblem | 'incomplete' {
    let left = input;
    for (;;) {
      const end = this.#findEnd(left);
      if (typeof end === 'string') return end;
      if (end < 0) return this.#keep(left);
      if (this.#size + end > MAX_HEAD_BYTES) return 'response head too large';
      const head = this.#parse(left, end);
      if (typeof head === 'string') return head;
      left = left.subarray(end);
      if (head.status >= 200 || head.status === SWITCHING_PROTOCOLS) {
        this.rest = left;
        const isUnasked = head.status === SWITCHING_PROTOCOLS && !this.#takesSwitch;
        return isUnasked ? 'the endpoint switches protocols unasked' : head;
      }
      if (++this.#interim > MAX_INTERIM_RESPONSES) return 'too many interim responses';
      if (head.status !== CONTINUE) this.#interims?.interimResponse(head);
    }
  }

  /** Returns the end of the head in the input; -1 without one. Does not read the bytes of earlier calls again. */
  #findEnd(input: Buffer): number | ResponseHeadProblem {
    if (this.#size === 0) {
      // Most heads come in one read, and the runtime's own search finds their end.
      const end = input.indexOf('\r\n\r\n');
      if (end >= 0) return end + 4;
    }
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
  const text = input.toString('latin1', 0, end);
  const lineEnd = text.indexOf('\r\n');
  const match = STATUS_LINE.exec(text.slice(0, lineEnd));
  if (match === null) return 'malformed response head';
  const fields = lineEnd + 2;
  scan.beginFields();
  if (scan.scan(input, fields, fields, end, MAX_HEADERS) !== end) {
    const isCrowded = scan.problem?.reason === 'too_many_headers';
    return isCrowded ? 'too many response headers' : 'malformed response head';
  }
  const headers: string[] = [];
  const names: string[] = [];
  for (let index = 0; index < scan.headers; index++) {
    const { lower, spelled } = scan.names[index]!;
    headers.push(lower, text.slice(fields + scan.values[2 * index]!, fields + scan.values[2 * index + 1]!));
    names.push(spelled);
  }
  const head = { status: Number(match[2]), headers, names };
  return match[1] === '0' ? { ...head, isHttp10: true } : head;
}
