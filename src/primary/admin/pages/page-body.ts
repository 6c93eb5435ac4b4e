import { promisify } from 'node:util';
import { constants, gzip } from 'node:zlib';

const compress = promisify(gzip);

/** Shorter bodies gain nothing. */
const MIN_COMPRESSED_BYTES = 1024;

/** The body of a page, shared by all answers that have it, and compressed at most once. */
export class PageBody {
  readonly type: string;
  readonly #plain: Buffer;
  #compressed: Promise<Buffer> | null = null;

  constructor(type: string, text: string) {
    this.type = type;
    this.#plain = Buffer.from(text);
  }

  /** Returns the bytes for a client with this Accept-Encoding header; another thread compresses them. */
  async encode(
    acceptEncoding: string,
  ): Promise<{ readonly bytes: Buffer; readonly encoding: 'gzip' | null }> {
    if (this.#plain.length < MIN_COMPRESSED_BYTES || !acceptsGzip(acceptEncoding)) {
      return { bytes: this.#plain, encoding: null };
    }
    this.#compressed ??= compress(this.#plain, { level: constants.Z_BEST_SPEED });
    return { bytes: await this.#compressed, encoding: 'gzip' };
  }
}

/** Tells whether an Accept-Encoding header admits gzip and does not prefer the plain body (RFC 9110, 12.5.3). */
export function acceptsGzip(header: string): boolean {
  const weights = new Map<string, number>();
  for (const part of header.split(',')) {
    const [coding = '', ...parameters] = part.split(';').map((text) => text.trim().toLowerCase());
    const weight = parameters.find((parameter) => /^q *=/.test(parameter));
    const q = weight === undefined ? 1 : Number(weight.slice(weight.indexOf('=') + 1));
    if (coding !== '') weights.set(coding, q >= 0 && q <= 1 ? q : 0);
  }
  const any = weights.get('*') ?? 0;
  const wanted = weights.get('gzip') ?? weights.get('x-gzip') ?? any;
  return wanted > 0 && wanted >= (weights.get('identity') ?? 0);
}
