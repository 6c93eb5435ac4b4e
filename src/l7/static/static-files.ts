import { STATUS_CODES } from 'node:http';
import { extname } from 'node:path';
import { contentType } from 'mime-types';
import type { StaticAction } from '../../config/types.ts';
import { codeOf } from '../../core/errors.ts';
import type { HeaderList, HttpReply } from '../http-reply.ts';
import { parseRange } from './byte-range.ts';
import { sendRange } from './file-body.ts';
import { namesOf, openBelow, type OpenFile } from './file-lookup.ts';
import { failedPrecondition, rangeApplies, validatorsOf, type Validators } from './validators.ts';

/** What of a request the answer depends on. */
interface FileRequest {
  /** In capitals. */
  readonly method: string;
  /** As `normalizePath` gives it. */
  readonly path: string;
  /** The value of a header by its lower-case name. */
  header(name: string): string | undefined;
}

const NO_SNIFFING = ['X-Content-Type-Options', 'nosniff'] as const;
/** The client was gone before it could be answered: nginx's number, seen in counters and never on the wire. */
const CLIENT_GONE = 499;

/**
 * Serves the files below a directory: GET and HEAD, conditional requests and single ranges. There is no
 * Cache-Control, as there is none from nginx: how long a copy is fresh is for the operator to say, and what it
 * says with ETag and Last-Modified lets any copy be checked.
 */
export class StaticFiles {
  readonly #action: StaticAction;

  constructor(action: StaticAction) {
    this.#action = action;
  }

  /**
   * Answers one request.
   *
   * @param done called once, when the reply is over and the file closed, with the status that was sent, or 499
   *   where the client went before that
   */
  serve(request: FileRequest, reply: HttpReply, done: (status: number) => void): void {
    this.#serve(request, reply).then(done, () => {
      reply.cut();
      done(500);
    });
  }

  async #serve(request: FileRequest, reply: HttpReply): Promise<number> {
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      return refuse(reply, 405, [['Allow', 'GET, HEAD']]);
    }
    const names = namesOf(request.path);
    if (names === null) return refuse(reply, 404);
    const asksDirectory = request.path.endsWith('/');
    const fileNames = asksDirectory ? [...names, this.#action.index] : names;
    let found: OpenFile | 'directory' | null;
    try {
      found = await openBelow(this.#action.root, fileNames);
    } catch (error) {
      return refuse(reply, statusOf(error));
    }
    if (found === null || found === 'directory') {
      const isRedirected = found === 'directory' && !asksDirectory;
      return isRedirected
        ? refuse(reply, 301, [['Location', directoryOf(request.path)]])
        : refuse(reply, 404);
    }
    try {
      return await sendFile(request, reply, found, fileNames.at(-1) ?? '');
    } finally {
      await found.handle.close();
    }
  }
}

async function sendFile(
  request: FileRequest,
  reply: HttpReply,
  file: OpenFile,
  name: string,
): Promise<number> {
  if (reply.aborted) return CLIENT_GONE;
  const validators = validatorsOf(file.stats);
  const version: HeaderList = [
    ['ETag', validators.etag],
    ['Last-Modified', new Date(validators.lastModified).toUTCString()],
  ];
  const failed = failedPrecondition((header) => request.header(header), validators);
  if (failed === 412) return refuse(reply, 412);
  if (failed === 304) {
    reply.sendHead(304, version, null);
    return 304;
  }

  const size = Number(file.stats.size);
  const range = rangeOf(request, size, validators);
  if (range === 'unsatisfiable') return refuse(reply, 416, [['Content-Range', `bytes */${size}`]]);
  const status = range === null ? 200 : 206;
  const part = range ?? { first: 0, last: size - 1 };
  const headers: (readonly [string, string])[] = [
    ['Content-Type', contentType(extname(name)) || 'application/octet-stream'],
    NO_SNIFFING,
    ['Accept-Ranges', 'bytes'],
    ...version,
  ];
  if (range !== null) headers.push(['Content-Range', `bytes ${part.first}-${part.last}/${size}`]);
  if (request.method === 'HEAD' || size === 0) {
    reply.sendHead(status, headers, size);
    return status;
  }
  reply.begin(status, headers, part.last - part.first + 1);
  try {
    await sendRange(file.handle, part, reply);
  } catch {
    reply.cut();
  }
  return status;
}

/** A Range means something to a GET only (RFC 9110 section 14.2). */
function rangeOf(request: FileRequest, size: number, validators: Validators): ReturnType<typeof parseRange> {
  const header = request.method === 'GET' ? request.header('range') : undefined;
  if (header === undefined || !rangeApplies(request.header('if-range'), validators)) return null;
  return parseRange(header, size);
}

/** Answers with a status and its name, and returns the status. */
function refuse(reply: HttpReply, status: number, headers: HeaderList = []): number {
  if (reply.aborted) return CLIENT_GONE;
  const body = `${status} ${STATUS_CODES[status] ?? ''}\n`;
  reply.send(status, [['Content-Type', 'text/plain; charset=utf-8'], NO_SNIFFING, ...headers], body);
  return status;
}

/** The path with a slash at its end and one in front: two would make the first name a host. */
function directoryOf(path: string): string {
  return `/${path.replace(/^\/+/, '')}/`;
}

function statusOf(error: unknown): number {
  switch (codeOf(error)) {
    case 'ENOENT':
    case 'ENOTDIR':
    case 'ENAMETOOLONG':
    case 'ELOOP':
    // A UNIX socket cannot be opened.
    case 'ENXIO':
      return 404;
    case 'EACCES':
    case 'EPERM':
      return 403;
    // No descriptor is free.
    case 'EMFILE':
    case 'ENFILE':
      return 503;
    default:
      return 500;
  }
}
