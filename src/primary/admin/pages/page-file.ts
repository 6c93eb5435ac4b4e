import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { constants, gunzip, gzip } from 'node:zlib';
import { jsonAnswer, type AdminRequest, type Answer } from '../admin-answer.ts';
import { encodingFor } from './accepted-encoding.ts';

const compress = promisify(gzip);
const decompress = promisify(gunzip);

/** The file as it is kept. */
interface HeldFile {
  readonly gzip: Buffer;
  /** Number of bytes of the text. */
  readonly length: number;
  readonly headers: Readonly<Record<string, string>> & { readonly ETag: string };
}

/**
 * The page for people, `GET /`: one file that the build has made.
 *
 * It is read at its first request and then kept in gzip, a third of its size. Its policy lets a browser run the script and the
 * style that are in the file, by their hashes, ask this server alone, and nothing else: no text that a client of the proxy has
 * chosen becomes a script, and no other page shows this one in a frame.
 */
export class PageFile {
  readonly #path: URL;
  #held: Promise<HeldFile> | null = null;

  /** @param path the built file */
  constructor(path = new URL(import.meta.resolve('#page.html'))) {
    this.#path = path;
  }

  /** Answers a request: 304 for a page that the browser has already, 503 if the page has not been built. */
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
      // Weak: the tag is the same in each encoding (RFC 9110 section 8.8.1).
      ETag: `W/"${createHash('sha256').update(text).digest('base64url').slice(0, 22)}"`,
      // A new version must not meet the page of the old one.
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

/** Returns the hashes of all elements of a name, as a policy lists them (Content Security Policy 3, section 2.3.1). */
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
