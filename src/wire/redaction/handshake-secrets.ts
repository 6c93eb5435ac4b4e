/**
 * Cuts the secrets out of an opening handshake, so that a recording can be passed on. It looks at names and forms, and rather
 * cuts too much. All functions take time in proportion to the text.
 */
import type { Redaction } from './redaction.ts';

/** What stands in the place of a secret. */
export const CUT = '[cut]';

/** An opening handshake. */
interface Handshake {
  /** The target of the request line, with its query. */
  readonly target: string;
  readonly headers: Iterable<readonly [name: string, value: string]>;
  /** The subprotocol in the answer; empty for none. */
  readonly subprotocol: string;
}

/** A handshake without secrets. */
export interface CutHandshake {
  readonly target: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly subprotocol: string;
}

/** Where a route takes a credential from: `TokenSource` of the configuration. */
interface SecretSource {
  readonly kind: 'header' | 'cookie' | 'query' | 'subprotocol';
  readonly name: string;
}

/** Parts of names of secrets, in lower case, without `-` and `_`. */
const SECRET_PART =
  /token|secret|passw|apikey|accesskey|privatekey|auth|session|credential|signature|cookie|jwt|bearer/;
/** Names of secrets in queries, written in the same way. Engine.IO and others call a session `sid`. */
const SECRET_PARAMETERS: ReadonlySet<string> = new Set([
  'key',
  'sig',
  'code',
  'pass',
  'pwd',
  'sid',
  'ticket',
  'otp',
]);
/** Headers of the handshake itself, which hold no secret. */
const PLAIN_HEADERS: ReadonlySet<string> = new Set([
  'host',
  'sec-websocket-key',
  'sec-websocket-version',
  'sec-websocket-extensions',
]);
const PROTOCOL_HEADER = 'sec-websocket-protocol';

/** `name=value`, as in queries, matrix parameters and lists of parameters. */
const PARAMETER = /([?&;,\s"]|^)([^=?&;,\s"#]+)=([^?&;,\s"#]+)/g;
/** The user info of a URL. Its slashes may be percent-encoded, if it is a parameter of another. */
const USER_INFO = /(\/\/|%2f%2f)[^/?#\s@"<>]{0,256}?(?:@|%40)/gi;
/** The scheme of a credential, wherever it stands. */
const SCHEME = /\b(basic|bearer|digest|negotiate|ntlm)[ \t]+[^\s,;]+/gi;
/** A run of the characters of a JSON Web Token (RFC 7519), or of one that is base64url again. */
const TOKEN_RUN = /[\w.-]{20,}/g;
/** Max times that a value of a parameter is decoded in search of secrets. */
const MAX_DECODINGS = 3;
/** Max characters of a subprotocol that is shown. */
const MAX_SUBPROTOCOL_CHARACTERS = 256;
/** A text that a person would not choose as the name of a subprotocol. */
const RANDOM_NAME = /^(?=.*\d)[\w~+-]{32,}={0,2}$/;
/** A subprotocol that is a name and a secret: `bearer.authorization.k8s.io.` and others. */
const NAMED_SECRET = /^(.*?(?:token|secret|auth|bearer|jwt|key)[^.:=|-]*[.:=|-])(?=.*\d)[^\s]{16,}$/i;

/** Further names of secrets, which a configuration knows. Cookies are always cut. */
export class SecretNames {
  readonly #names: Record<SecretSource['kind'], ReadonlySet<string>>;

  constructor(sources: Iterable<SecretSource>) {
    this.#names = { header: new Set(), cookie: new Set(), query: new Set(), subprotocol: new Set() };
    this.replace(sources);
  }

  /** Replaces all names, as after a reload. */
  replace(sources: Iterable<SecretSource>): void {
    const all = [...sources];
    for (const kind of ['header', 'cookie', 'query', 'subprotocol'] as const) {
      this.#names[kind] = new Set(
        all.flatMap((source) => (source.kind === kind ? [plainName(source.name)] : [])),
      );
    }
  }

  /** @param plain the name in lower case, without `-` and `_` */
  has(kind: SecretSource['kind'], plain: string): boolean {
    return this.#names[kind].has(plain);
  }
}

/** Cuts the secrets of handshakes for one tap. */
export class HandshakeSecrets {
  readonly #redaction: Redaction | null;
  readonly #names: SecretNames;

  /** @param redaction applied to the target and to the values of headers, too; null for none */
  constructor(redaction: Redaction | null, names: SecretNames) {
    this.#redaction = redaction;
    this.#names = names;
  }

  /** Returns the handshake without its secrets. Names of headers stay as they are. */
  cut({ target, headers, subprotocol }: Handshake): CutHandshake {
    return {
      target: this.#redact(this.#cutText(target)),
      headers: Array.from(
        headers,
        ([name, value]) => [name, this.#cutHeader(name, value, subprotocol)] as const,
      ),
      subprotocol: this.#redact(this.#cutSubprotocol(subprotocol, '')),
    };
  }

  #cutHeader(name: string, value: string, chosen: string): string {
    const lower = name.toLowerCase();
    if (value === '' || PLAIN_HEADERS.has(lower)) return value;
    if (lower === PROTOCOL_HEADER) return this.#redact(this.#cutSubprotocols(value, chosen));
    const plain = plainName(lower);
    if (SECRET_PART.test(plain) || this.#names.has('header', plain)) return CUT;
    return this.#redact(this.#cutText(value));
  }

  /** Cuts what looks like a secret in a target, or in the value of a header. */
  #cutText(text: string, decodings = 0): string {
    return cutTokens(text)
      .replace(USER_INFO, `$1${CUT}@`)
      .replace(SCHEME, `$1 ${CUT}`)
      .replace(PARAMETER, (whole, before: string, name: string, value: string) =>
        this.#isSecret(name, value, decodings) ? `${before}${name}=${CUT}` : whole,
      );
  }

  #isSecret(name: string, value: string, decodings: number): boolean {
    const plain = plainName(decoded(name));
    if (SECRET_PART.test(plain) || SECRET_PARAMETERS.has(plain) || this.#names.has('query', plain))
      return true;
    if (!value.includes('%')) return false;
    if (decodings === MAX_DECODINGS) return true;
    const inner = decoded(value);
    return inner !== value && this.#cutText(inner, decodings + 1) !== inner;
  }

  /** @param chosen the subprotocol in the answer, which is no secret only because of the name before it */
  #cutSubprotocols(list: string, chosen: string): string {
    let before = '';
    return list
      .split(',')
      .map((element) => {
        const name = element.trim();
        const isBehindName = this.#namesSecret(before) && name !== chosen;
        before = name;
        return element.replace(name, () =>
          isBehindName && name !== '' ? CUT : this.#cutSubprotocol(name, chosen),
        );
      })
      .join(',');
  }

  #cutSubprotocol(name: string, chosen: string): string {
    const tokensCut = cutTokens(name);
    if (tokensCut !== name) return tokensCut;
    if (name === chosen) return name;
    if (name.length > MAX_SUBPROTOCOL_CHARACTERS) return CUT;
    return RANDOM_NAME.test(name) ? CUT : name.replace(NAMED_SECRET, `$1${CUT}`);
  }

  /** Tells whether a credential follows a subprotocol. */
  #namesSecret(name: string): boolean {
    const plain = plainName(name);
    return plain !== '' && (SECRET_PART.test(plain) || this.#names.has('subprotocol', plain));
  }

  #redact(text: string): string {
    return this.#redaction === null ? text : (this.#redaction.text(text) ?? CUT);
  }
}

/** Cuts JSON Web Tokens: `{"` is `eyJ` in base64url, which is `ZXlK` in base64url again. */
function cutTokens(text: string): string {
  return text.replace(TOKEN_RUN, (run) => {
    const at = firstOf(run.indexOf('eyJ'), run.indexOf('ZXlK'));
    if (at < 0) return run;
    const isToken = run.startsWith('ZXlK', at)
      ? run.length - at >= 40
      : /^[\w-]{6,}\.[\w-]{2,}/.test(run.slice(at));
    return isToken ? run.slice(0, at) + CUT : run;
  });
}

function firstOf(a: number, b: number): number {
  if (a < 0 || b < 0) return Math.max(a, b);
  return Math.min(a, b);
}

function plainName(name: string): string {
  return name.toLowerCase().replaceAll(/[-_]/g, '');
}

/** Decodes the percent-encoding, as far as it is right. */
function decoded(text: string): string {
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return text.replaceAll(/%[2-7][0-9a-f]/gi, (escape) =>
      String.fromCharCode(Number.parseInt(escape.slice(1), 16)),
    );
  }
}
