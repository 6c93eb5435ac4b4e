import { FIELD_CONTENT_LENGTH, FIELD_HOST, FIELD_TRANSFER_ENCODING } from './field-names.ts';
import { isChunked, isContentLength } from './framing-headers.ts';
import { HeadScan, REFUSED, type RequestProblem, type RequestProblemReason } from './head-scan.ts';
import { hostOf } from './host-header.ts';
import { listMembers, type RequestHead } from './request-head.ts';
import { readTarget, type RequestTarget } from './request-target.ts';

/** Limits of a request head. */
export interface RequestHeadLimits {
  /** Max bytes from the method through the empty line. */
  readonly maxHeadBytes: number;
  readonly maxHeaders: number;
}

/** Max bytes of empty lines before a request. Old clients send one after a body (RFC 9112 section 2.2). */
const MAX_EMPTY_LINE_BYTES = 16;
const FIRST_KEPT_BYTES = 1024;
const LF = 0x0a;
const CR = 0x0d;
const SLASH = 0x2f;
const EMPTY = Buffer.alloc(0);
/** Placeholder for a head without a complete part. */
const NO_HEAD: RequestHead = { method: '', path: '', query: '', headers: [] };

/** Scan shared by the thread's readers: most heads arrive in one piece. */
let spareScan: HeadScan | null = null;

/**
 * Reads HTTP/1.x request heads, cut at any byte. It is strict: it refuses requests that two servers could
 * read differently. Its work is linear in the number of bytes. It holds no memory between heads.
 */
export class RequestHeadReader {
  /** Bytes of the last {@link push} that belong to the head, or to empty lines before it. */
  used = 0;
  readonly limits: RequestHeadLimits;
  #emptyLineBytes = 0;
  /** The incomplete head is `kept[0, size)`, all scanned. */
  #kept: Buffer = EMPTY;
  #size = 0;
  /** Null before the first byte of a head. */
  #scan: HeadScan | null = null;
  #refusedHead = NO_HEAD;

  constructor(limits: RequestHeadLimits) {
    this.limits = limits;
  }

  /** Whether an incomplete head is present. Empty lines before a head do not count. */
  get begun(): boolean {
    return this.#scan !== null;
  }

  /**
   * Returns the method and path of an incomplete head, or of the head that the last {@link push} refused.
   * Each is empty unless it arrived whole.
   */
  partialHead(): RequestHead {
    return this.#scan === null ? this.#refusedHead : partOf(this.#scan, this.#kept, 0);
  }

  /** Drops an incomplete head. */
  reset(): void {
    if (this.#scan !== null) spareScan = this.#scan;
    this.#scan = null;
    this.#kept = EMPTY;
    this.#size = this.#emptyLineBytes = 0;
  }

  /**
   * Takes the next bytes, and copies those it keeps. After a complete head, the reader is ready for the next
   * one. Must not be called after a problem.
   *
   * @returns null until the head is complete
   */
  push(input: Buffer, start: number, end: number): RequestHead | RequestProblem | null {
    if (this.#scan !== null) return this.#pushNext(input, start, end);
    const at = this.#skipEmptyLines(input, start, end);
    if (at === REFUSED) {
      this.reset();
      this.#refusedHead = NO_HEAD;
      return problemOf(400, 'bad_line_end', 'malformed or too many empty lines');
    }
    this.used = at - start;
    if (at === end) return null;
    this.#scan = spareScan ?? new HeadScan();
    spareScan = null;
    this.#scan.begin();
    return this.#pushFirst(input, start, at, end);
  }

  /** Reads a head that starts at `at`: in place, if it is whole. */
  #pushFirst(input: Buffer, start: number, at: number, end: number): RequestHead | RequestProblem | null {
    const { maxHeadBytes, maxHeaders } = this.limits;
    const stop = Math.min(end, at + maxHeadBytes);
    const headEnd = this.#scan!.scan(input, at, at, stop, maxHeaders);
    if (headEnd >= 0) {
      this.used = headEnd - start;
      return this.#finish(input, at, headEnd);
    }
    const size = stop - at;
    const problem = this.#problemAt(headEnd, size);
    if (problem !== null) return this.#refuse(problem, input, at);
    this.#kept = Buffer.allocUnsafe(Math.min(maxHeadBytes, Math.max(FIRST_KEPT_BYTES, size)));
    input.copy(this.#kept, 0, at, stop);
    this.#size = size;
    this.used = end - start;
    return null;
  }

  /** Appends to the incomplete head, and continues in the copy. */
  #pushNext(input: Buffer, start: number, end: number): RequestHead | RequestProblem | null {
    const { maxHeadBytes, maxHeaders } = this.limits;
    const begun = this.#size;
    const size = Math.min(maxHeadBytes, begun + end - start);
    if (this.#kept.length < size) {
      const larger = Buffer.allocUnsafe(Math.min(maxHeadBytes, Math.max(size, 2 * this.#kept.length)));
      this.#kept.copy(larger, 0, 0, begun);
      this.#kept = larger;
    }
    input.copy(this.#kept, begun, start, start + size - begun);
    this.#size = size;
    this.used = end - start;
    const headEnd = this.#scan!.scan(this.#kept, 0, begun, size, maxHeaders);
    if (headEnd < 0) {
      const problem = this.#problemAt(headEnd, size);
      return problem === null ? null : this.#refuse(problem, this.#kept, 0);
    }
    this.used = headEnd - begun;
    return this.#finish(this.#kept, 0, headEnd);
  }

  /** Returns the problem of a head without an end in `size` bytes; null if more bytes may complete it. */
  #problemAt(result: number, size: number): RequestProblem | null {
    const scan = this.#scan!;
    if (result === REFUSED) return scan.problem;
    if (size < this.limits.maxHeadBytes) return null;
    return scan.isBeforeVersion
      ? problemOf(414, 'target_too_long', 'request target too long')
      : problemOf(431, 'head_too_large', 'request head too large');
  }

  /** Returns the offset of the first byte of a head. */
  #skipEmptyLines(input: Buffer, start: number, end: number): number {
    let at = start;
    for (; at < end; at++) {
      const byte = input[at]!;
      const expected = (this.#emptyLineBytes & 1) === 0 ? CR : LF;
      if (byte !== expected) return expected === LF || byte === LF ? REFUSED : at;
      if (++this.#emptyLineBytes > MAX_EMPTY_LINE_BYTES) return REFUSED;
    }
    return at;
  }

  #finish(input: Buffer, base: number, end: number): RequestHead | RequestProblem {
    const head = this.#assemble(input.toString('latin1', base, end));
    if ('status' in head) return this.#refuse(head, input, base);
    this.reset();
    return head;
  }

  /** Assembles the head from the scan, and checks rules that span several headers. */
  #assemble(text: string): RequestHead | RequestProblem {
    const scan = this.#scan!;
    const method = scan.method!.spelled;
    if (method === 'CONNECT') return problemOf(400, 'bad_method', 'CONNECT is not supported');
    const target = this.#target(text, method);
    if (target === null) return problemOf(400, 'bad_target', 'bad request target');
    const headers: string[] = [];
    const names: string[] = [];
    let host = -1;
    let length: string | undefined;
    let encoding: string | undefined;
    for (let index = 0; index < scan.headers; index++) {
      const name = scan.names[index]!;
      const value = text.slice(scan.values[2 * index], scan.values[2 * index + 1]);
      if (name.kind === FIELD_HOST) {
        if (host >= 0) return problemOf(400, 'bad_host', 'more than one host header');
        host = index;
      } else if (name.kind === FIELD_CONTENT_LENGTH) {
        if (length !== undefined) return problemOf(400, 'bad_framing', 'more than one content-length header');
        length = value;
      } else if (name.kind === FIELD_TRANSFER_ENCODING) {
        if (encoding !== undefined)
          return problemOf(400, 'bad_framing', 'more than one transfer-encoding header');
        encoding = value;
      }
      headers.push(name.lower, value);
      names.push(name.spelled);
    }
    const { isHttp10 } = scan;
    const hasEmptyQuery = scan.query === scan.targetEnd - 1;
    if (host < 0 && !isHttp10) return problemOf(400, 'bad_host', 'no host header');
    if (length !== undefined && !isContentLength(length))
      return problemOf(400, 'bad_framing', 'bad content-length');
    if (encoding !== undefined) {
      const problem = encodingProblem(encoding, length, isHttp10);
      if (problem !== null) return problem;
    }
    const { path, query, authority } = target;
    if (authority !== null) {
      // RFC 9112 section 3.2.2: the target's authority overrides Host.
      if (host < 0) {
        headers.unshift('host', authority);
        names.unshift('Host');
      } else {
        const received = headers[2 * host + 1]!;
        if (received !== '' && hostOf(received) === null)
          return problemOf(400, 'bad_host', 'bad host header');
        headers[2 * host + 1] = authority;
      }
    }
    const head = { method, path, query, headers, names };
    if (!isHttp10 && !hasEmptyQuery) return head;
    return { ...head, ...(isHttp10 && { isHttp10 }), ...(hasEmptyQuery && { hasEmptyQuery }) };
  }

  #target(text: string, method: string): RequestTarget | null {
    const { targetStart, targetEnd, query } = this.#scan!;
    if (text.charCodeAt(targetStart) !== SLASH) return readTarget(method, text.slice(targetStart, targetEnd));
    if (query < 0) return { path: text.slice(targetStart, targetEnd), query: '', authority: null };
    return {
      path: text.slice(targetStart, query),
      query: text.slice(query + 1, targetEnd),
      authority: null,
    };
  }

  /** Keeps the complete parts of a refused head, which starts at `base`. */
  #refuse(problem: RequestProblem, input: Buffer, base: number): RequestProblem {
    this.#refusedHead = partOf(this.#scan!, input, base);
    this.reset();
    return problem;
  }
}

function problemOf(
  status: RequestProblem['status'],
  reason: RequestProblemReason,
  detail: string,
): RequestProblem {
  return { status, reason, detail };
}

/** Returns the method and path of the head that starts at `base`, each if it arrived whole. */
function partOf({ method, targetStart, targetEnd }: HeadScan, input: Buffer, base: number): RequestHead {
  if (method === null) return NO_HEAD;
  const name = method.spelled;
  if (targetEnd === 0) return { ...NO_HEAD, method: name };
  const text = input.toString('latin1', base + targetStart, base + targetEnd);
  // Leave out a target that is neither a path nor a valid URL: it may contain a password.
  const path = text.startsWith('/') ? text.replace(/\?.*/, '') : readTarget(name, text)?.path;
  return { ...NO_HEAD, method: name, path: path ?? '' };
}

/** Checks that this Transfer-Encoding determines the body's end (RFC 9112 section 6.1). */
function encodingProblem(
  encoding: string,
  length: string | undefined,
  isHttp10: boolean,
): RequestProblem | null {
  if (isHttp10) return { status: 400, reason: 'bad_framing', detail: 'transfer-encoding in HTTP/1.0' };
  if (length !== undefined)
    return { status: 400, reason: 'bad_framing', detail: 'both content-length and transfer-encoding' };
  if (isChunked(encoding)) return null;
  // 501 for an unknown coding, 400 for one that leaves the body's end uncertain.
  const codings = listMembers(encoding).map((coding) => coding.toLowerCase());
  const isKnownEnd = codings.indexOf('chunked') === codings.length - 1 && codings.length > 1;
  return {
    status: isKnownEnd ? 501 : 400,
    reason: 'bad_framing',
    detail: 'transfer-encoding other than chunked',
  };
}
