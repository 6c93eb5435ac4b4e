import { STATUS_CODES } from 'node:http';
import { createRequire } from 'node:module';
import { extname } from 'node:path';
import type * as MimeTypes from 'mime-types';
import type { StaticAction } from '../../config/types/route.ts';
import { codeOf } from '../../core/errors.ts';
import { CLIENT_GONE, type HeaderList, type HttpReply } from '../contract/http-reply.ts';
import { sendOwn } from '../contract/own-refusal.ts';
import { parseRange } from './byte-range.ts';
import { acceptedCodings, type ContentCoding } from './content-coding.ts';
import { sendRange } from './file-body.ts';
import { namesOf, openBelow, type OpenFile } from './file-lookup.ts';
import { failedPrecondition, rangeApplies, validatorsOf, type Validators } from './validators.ts';

/** The parts of a request that determine the answer. */
interface FileRequest {
  /** In capitals. */
  readonly method: string;
  /** Normalised by `normalizePath`. */
  readonly path: string;
  /** Returns the value of a header by its lower-case name. */
  header(name: string): string | undefined;
}

let table: typeof MimeTypes | null = null;

/**
 * Loads the table of content types once. It costs 2 MB per thread and up to 90 ms, so it is loaded only for
 * routes that need it, before their first request.
 */
export function loadContentTypes(): typeof MimeTypes {
  return (table ??= createRequire(import.meta.url)('mime-types') as typeof MimeTypes);
}

const NO_SNIFFING = ['X-Content-Type-Options', 'nosniff'] as const;

/** A file to send, and its labels. */
interface Found {
  readonly file: OpenFile;
  /** The name whose ending determines the content type. */
  readonly name: string;
  readonly coding: ContentCoding | null;
  /** Whether the file replaces a missing one. */
  readonly isFallback: boolean;
}

/**
 * Serves the files below a directory: GET and HEAD, conditional requests, single ranges, precompressed files,
 * and one fallback for all missing files. Cache-Control is sent only if configured: caches can revalidate any
 * copy by its ETag and Last-Modified.
 */
export class StaticFiles {
  readonly #action: StaticAction;
  readonly #mimeTypes: typeof MimeTypes;

  constructor(action: StaticAction) {
    this.#action = action;
    this.#mimeTypes = loadContentTypes();
  }

  /**
   * Answers one request.
   *
   * @param done called once, when the reply has ended and the file is closed. Gets the status of the answer,
   * 499 if the client disconnected first.
   */
  serve(request: FileRequest, reply: HttpReply, done: (status: number) => void): void {
    this.#answer(request, reply).then(done, () => done(this.#fail(reply, 500)));
  }

  async #answer(request: FileRequest, reply: HttpReply): Promise<number> {
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      return this.#refuse(reply, 405, [['Allow', 'GET, HEAD']]);
    }
    const names = namesOf(request.path);
    if (names === null) return this.#refuse(reply, 404);
    const asksDirectory = request.path.endsWith('/');
    const fileNames = asksDirectory ? [...names, this.#action.index] : names;
    let found: Found | 'directory' | null;
    try {
      found = await this.#find(request, fileNames, asksDirectory);
    } catch (error) {
      return this.#refuse(reply, statusOf(error));
    }
    if (found === null) return this.#refuse(reply, 404);
    if (found === 'directory') return this.#refuse(reply, 301, [['Location', directoryOf(request.path)]]);
    try {
      return await this.#send(request, reply, found);
    } finally {
      await found.file.handle.close();
    }
  }

  /** Finds the file to send, or its replacement. @throws the file system's error, unless no file was found */
  async #find(
    request: FileRequest,
    names: readonly string[],
    asksDirectory: boolean,
  ): Promise<Found | 'directory' | null> {
    const found = await this.#open(request, names);
    if (found === 'directory' && !asksDirectory) return 'directory';
    if (found !== null && found !== 'directory') return { ...found, isFallback: false };
    const { fallback } = this.#action;
    if (fallback === null) return null;
    const instead = await this.#open(request, fallback.split('/'));
    return instead === null || instead === 'directory' ? null : { ...instead, isFallback: true };
  }

  /** Opens a file, or its compressed version. */
  async #open(
    request: FileRequest,
    names: readonly string[],
  ): Promise<Omit<Found, 'isFallback'> | 'directory' | null> {
    const name = names.at(-1) ?? '';
    if (this.#action.precompressed && name !== '') {
      for (const coding of acceptedCodings(request.header('accept-encoding'))) {
        const file = await openOrNull(this.#action.root, [...names.slice(0, -1), name + coding.ending]);
        if (file !== null && file !== 'directory') return { file, name, coding };
      }
    }
    const file = await openOrNull(this.#action.root, names);
    return file === null || file === 'directory' ? file : { file, name, coding: null };
  }

  async #send(request: FileRequest, reply: HttpReply, found: Found): Promise<number> {
    if (reply.aborted) return CLIENT_GONE;
    const { file } = found;
    const validators = validatorsOf(file.stats);
    const version = this.#versionHeaders(found, validators);
    const failed = failedPrecondition((header) => request.header(header), validators);
    if (failed === 412) return this.#refuse(reply, 412);
    if (failed === 304) {
      reply.sendHead(304, version, null);
      return 304;
    }

    const size = Number(file.stats.size);
    const range = rangeOf(request, size, validators);
    if (range === 'unsatisfiable') return this.#refuse(reply, 416, [['Content-Range', `bytes */${size}`]]);
    const status = range === null ? 200 : 206;
    const part = range ?? { first: 0, last: size - 1 };
    const headers: (readonly [string, string])[] = [
      ['Content-Type', this.#mimeTypes.contentType(extname(found.name)) || 'application/octet-stream'],
      NO_SNIFFING,
      ['Accept-Ranges', 'bytes'],
      ...version,
    ];
    if (found.coding !== null) headers.push(['Content-Encoding', found.coding.name]);
    if (range !== null) headers.push(['Content-Range', `bytes ${part.first}-${part.last}/${size}`]);
    if (request.method === 'HEAD' || size === 0) {
      reply.sendHead(status, headers, size);
      return status;
    }
    reply.begin(status, headers, part.last - part.first + 1);
    try {
      await sendRange(file.handle, part, reply);
    } catch {
      return this.#fail(reply, status);
    }
    return status;
  }

  /** Returns the headers that a 304 also has (RFC 9110 section 15.4.5). */
  #versionHeaders({ isFallback }: Found, { etag, lastModified }: Validators): (readonly [string, string])[] {
    const { cacheControl, precompressed } = this.#action;
    const headers: (readonly [string, string])[] = [
      ['ETag', etag],
      ['Last-Modified', new Date(lastModified).toUTCString()],
    ];
    // The file that a fallback replaces may exist a moment later.
    if (cacheControl !== null) headers.push(['Cache-Control', isFallback ? 'no-cache' : cacheControl]);
    if (precompressed) headers.push(['Vary', 'Accept-Encoding']);
    return headers;
  }

  /**
   * Ends the reply for a file that cannot be read.
   *
   * @param status status of a response that has begun
   * @returns the status of the answer
   */
  #fail(reply: HttpReply, status: number): number {
    if (!reply.begun) return this.#refuse(reply, 500);
    reply.cut('file');
    return status;
  }

  /** Answers with a status and its name, and returns the status. */
  #refuse(reply: HttpReply, status: number, headers: HeaderList = []): number {
    if (reply.aborted) return CLIENT_GONE;
    const body = `${status} ${STATUS_CODES[status] ?? ''}\n`;
    sendOwn(reply, status, [NO_SNIFFING, ...headers], body);
    return status;
  }
}

/** Like {@link openBelow}, but returns null if the file does not exist. */
async function openOrNull(root: string, names: readonly string[]): Promise<OpenFile | 'directory' | null> {
  try {
    return await openBelow(root, names);
  } catch (error) {
    if (statusOf(error) === 404) return null;
    throw error;
  }
}

/** Returns the range to send, null for the whole file. Only GET supports ranges (RFC 9110 section 14.2). */
function rangeOf(request: FileRequest, size: number, validators: Validators): ReturnType<typeof parseRange> {
  const header = request.method === 'GET' ? request.header('range') : undefined;
  if (header === undefined || !rangeApplies(request.header('if-range'), validators)) return null;
  return parseRange(header, size);
}

/**
 * Returns the path with a trailing slash and only one leading slash: after two, the first name would be a
 * host.
 */
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
