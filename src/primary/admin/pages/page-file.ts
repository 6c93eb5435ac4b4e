import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { constants, gunzip, gzip } from 'node:zlib';
import { jsonAnswer, type AdminRequest, type Answer } from '../admin-answer.ts';
import { encodingFor } from './accepted-encoding.ts';

const compress = promisify(gzip);
const decompress = promisify(gunzip);

/** The file as it is cached. */
interface HeldFile {
  readonly gzip: Buffer;
  /** Bytes of the text. */
  readonly length: number;
  readonly headers: Readonly<Record<string, string>> & { readonly ETag: string };
}

/**
 * The page for people, `GET /`: one file that the build creates.
 *
 * The first request reads the file. After that it stays in memory as gzip, a third of its size. Its
 * Content-Security-Policy allows only the file's own script and style, by hash, and requests to this server.
 * Text that a client of the proxy has chosen thus cannot become a script. No other page can show this one in
 * a frame.
 */
export class PageFile {
  readonly #path: URL;
  #held: Promise<HeldFile> | null = null;

  /** @param path path of the built file */
  constructor(path = new URL(import.meta.resolve('#page.html'))) {
    this.#path = path;
  }

  /** Answers a request. 304 if the browser has the page, 503 if the page was not built. */
  async answer({ headers }: AdminRequest): Promise<Answer> {
    let held: HeldFile;
    try {
      held = await (this.#held ??= readPage(this.#path));
    } catch (error) {
      this.#held = null;
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      return jsonAnswer(503, 'the page is not built: run "npm run build", then load it again');
    }
    const type = 'text/html; charset=utf-8';
    if (matches(headers['if-none-match'], held.headers.ETag)) {
      return { status: 304, type, body: '', headers: held.headers };
    }
    const encoding = encodingFor(headers['accept-encoding'] ?? '', held.length);
    if (encoding === null) {
      return { status: 200, type, body: await decompress(held.gzip), headers: held.headers };
    }
    return { status: 200, type, body: held.gzip, headers: { ...held.headers, 'Content-Encoding': encoding } };
  }
}

async function readPage(path: URL): Promise<HeldFile> {
  const text = await readFile(path);
  const html = text.toString();
  return {
    gzip: await compress(text, { level: constants.Z_BEST_COMPRESSION }),
    length: text.length,
    headers: {
      // A weak tag is the same for all encodings (RFC 9110 section 8.8.1).
      ETag: `W/"${createHash('sha256').update(text).digest('base64url').slice(0, 22)}"`,
      // After an upgrade, the browser must not use the old version's page.
      'Cache-Control': 'no-cache',
      Vary: 'Accept-Encoding',
      'Content-Security-Policy': policyFor(html),
      'Referrer-Policy': 'no-referrer',
      'X-Frame-Options': 'DENY',
      'Cross-Origin-Opener-Policy': 'same-origin',
      'Cross-Origin-Resource-Policy': 'same-origin',
      'Cross-Origin-Embedder-Policy': 'require-corp',
      'Permissions-Policy': 'camera=(), geolocation=(), microphone=()',
    },
  };
}

function policyFor(html: string): string {
  return [
    "default-src 'none'",
    `script-src ${hashesOf(html, 'script')}`,
    `style-src ${hashesOf(html, 'style')}`,
    "connect-src 'self'",
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; ');
}

/**
 * Returns the hashes of all elements with a name, in the form of a policy (Content Security Policy 3, section
 * 2.3.1).
 */
function hashesOf(html: string, element: 'script' | 'style'): string {
  const texts = html.matchAll(new RegExp(`<${element}>([^]*?)</${element}>`, 'g'));
  const hashes = Array.from(
    texts,
    ([, text = '']) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`,
  );
  return hashes.length === 0 ? "'none'" : hashes.join(' ');
}

/** Compares tags weakly (RFC 9110 section 13.1.2). */
function matches(header: string | undefined, tag: string): boolean {
  if (header === undefined) return false;
  const bare = (text: string): string => text.trim().replace(/^W\//, '');
  return header.split(',').some((one) => one.trim() === '*' || bare(one) === bare(tag));
}
