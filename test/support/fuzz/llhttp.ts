/** Node's own parser of HTTP/1.x, llhttp, as a reference for other parsers. */
import { createRequire } from 'node:module';

/** What llhttp has found in one request. */
export interface LlhttpRequest {
  readonly method: string;
  readonly target: string;
  readonly minorVersion: number;
  /** name, value, name, value ... */
  readonly headers: readonly string[];
  body: Buffer;
  trailers: readonly string[];
  complete: boolean;
}

interface Parser {
  initialize(kind: number, resource: object): void;
  execute(bytes: Buffer): number | Error;
  [callback: number]: unknown;
}

interface ParserClass {
  new (): Parser;
  readonly REQUEST: number;
  readonly kOnHeaders: number;
  readonly kOnHeadersComplete: number;
  readonly kOnBody: number;
  readonly kOnMessageComplete: number;
}

const { HTTPParser, methods } = createRequire(import.meta.url)('_http_common') as {
  readonly HTTPParser: ParserClass;
  readonly methods: readonly string[];
};

const KNOWN_METHODS: ReadonlySet<string> = new Set(methods);

/** Returns true if llhttp knows a method: it refuses all others. */
export function isKnownMethod(method: string): boolean {
  return KNOWN_METHODS.has(method);
}

/** Reads one request. Returns llhttp's reason if it is refused; null if its head is incomplete. */
export function readByLlhttp(bytes: Buffer): LlhttpRequest | string | null {
  const parser = new HTTPParser();
  parser.initialize(HTTPParser.REQUEST, {});
  let request: LlhttpRequest | null = null;
  let earlier: string[] = [];
  let target = '';
  parser[HTTPParser.kOnHeaders] = (headers: string[], url: string): void => {
    earlier = [...earlier, ...headers];
    target += url;
  };
  parser[HTTPParser.kOnHeadersComplete] = (
    _major: number,
    minorVersion: number,
    headers: string[] | undefined,
    method: number,
    url: string | undefined,
  ): number => {
    request = {
      method: methods[method]!,
      target: url ?? target,
      minorVersion,
      headers: [...earlier, ...(headers ?? [])],
      body: Buffer.alloc(0),
      trailers: [],
      complete: false,
    };
    earlier = [];
    return 0;
  };
  parser[HTTPParser.kOnBody] = (body: Buffer): void => {
    request!.body = Buffer.concat([request!.body, body]);
  };
  parser[HTTPParser.kOnMessageComplete] = (): void => {
    request!.trailers = earlier;
    request!.complete = true;
  };
  const result = parser.execute(bytes);
  if (result instanceof Error) return (result as Error & { readonly reason: string }).reason;
  return request;
}
