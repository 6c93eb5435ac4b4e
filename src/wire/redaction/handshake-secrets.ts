/**
 * Removes secrets from an opening handshake, so that a recording can be shared. Recognizes names and forms,
 * and prefers to cut too much: users can supply missing secrets when they replay a handshake.
 */
import type { Redaction } from './redaction.ts';
import { cutTokens, percentDecoded, hasSecret } from './secret-forms.ts';
import type { SecretNames } from './secret-names.ts';

/** Replaces each secret. */
export const CUT = '[cut]';

/** An opening handshake. */
interface Handshake {
  /** Target of the request line, including its query. */
  readonly target: string;
  readonly headers: Iterable<readonly [name: string, value: string]>;
  /** Agreed subprotocol; empty for none. */
  readonly subprotocol: string;
}

/** A handshake without secrets. */
interface CutHandshake {
  readonly target: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly subprotocol: string;
}

const PROTOCOL_HEADER = 'sec-websocket-protocol';
/** Headers of the handshake itself, which hold no secrets. */
const PLAIN_HEADERS: ReadonlySet<string> = new Set([
  'host',
  'sec-websocket-key',
  'sec-websocket-version',
  'sec-websocket-extensions',
]);
/** Headers whose value is a URL. */
const URL_HEADERS = /^(?:origin|referer|x-(?:original|forwarded|rewrite)-ur[il])$/;
/** Other known headers, shown unless they contain a recognized secret. */
const KNOWN_HEADERS =
  /^(?:user-agent|accept(?:-.*)?|upgrade|connection|cache-control|pragma|priority|dnt|te|date|content-.*|sec-(?:fetch|ch|gpc).*|forwarded|via|x-forwarded-.*|x-real-ip|(?:x-|true-|cf-)?(?:client|connecting)-ip|x-request-id|x-correlation-id|x-requested-with|traceparent|tracestate|x?-?b3.*|x-amzn-trace-id|cf-ray|cdn-loop)$/;
/** A long run without spaces may be a secret: values of unknown headers that have one are cut. */
const LONG_RUN = /\S{16}/;

/** Max path segments, and max parameters, to check. A client could send thousands. */
const MAX_PARTS = 256;

/** Max characters of a subprotocol that is shown. */
const MAX_SUBPROTOCOL_CHARACTERS = 128;
/** A subprotocol made of a name and a secret: `bearer.authorization.k8s.io.` and others. */
const NAMED_SECRET = /^(.*?(?:token|secret|auth|bearer|jwt|key)[^.:=|-]*[.:=|-])(?=.*\d)[^\s]{16,}$/i;

/** Removes secrets from handshakes, for one tap. */
export class HandshakeSecrets {
  readonly #redaction: Redaction | null;
  readonly #names: SecretNames;

  /** @param redaction also applied to the target and to header values; null for none */
  constructor(redaction: Redaction | null, names: SecretNames) {
    this.#redaction = redaction;
    this.#names = names;
  }

  /** Returns the handshake without its secrets. Header names stay. */
  cut({ target, headers, subprotocol }: Handshake): CutHandshake {
    return {
      target: this.#redact(this.#cutUrl(target)),
      headers: Array.from(
        headers,
        ([name, value]) => [name, this.#cutHeader(name, value, subprotocol)] as const,
      ),
      subprotocol: this.#redact(cutSubprotocol(subprotocol)),
    };
  }

  #cutHeader(name: string, value: string, chosen: string): string {
    const lower = name.toLowerCase();
    if (value === '' || PLAIN_HEADERS.has(lower)) return value;
    if (lower === PROTOCOL_HEADER) return this.#redact(this.#cutSubprotocols(value, chosen));
    if (this.#names.has('header', lower)) return CUT;
    if (URL_HEADERS.test(lower)) return this.#redact(this.#cutUrl(value));
    if (!KNOWN_HEADERS.test(lower) && LONG_RUN.test(value)) return CUT;
    return hasSecret(value, this.#names) ? CUT : this.#redact(value);
  }

  /** Cuts the secrets of a URL, or of a path and query. Keeps the rest. */
  #cutUrl(url: string): string {
    const mark = url.indexOf('?');
    const path = mark < 0 ? url : url.slice(0, mark);
    const [, scheme = '', authority = ''] = /^((?:[a-z][a-z\d+.-]*:)?\/\/)([^/]*)/i.exec(path) ?? [];
    const rest = path.slice(scheme.length + authority.length);
    const host = authority.includes('@') ? `${CUT}${authority.slice(authority.lastIndexOf('@'))}` : authority;
    const shown = scheme + host + cutParts(rest, '/', (segment) => this.#cutSegment(segment));
    if (mark < 0) return shown;
    return `${shown}?${cutParts(url.slice(mark + 1), '&', (parameter) => this.#cutParameter(parameter))}`;
  }

  #cutSegment(segment: string): string {
    const text = cutTokens(segment, CUT);
    const mark = text.indexOf(';');
    const name = mark < 0 ? text : text.slice(0, mark);
    const shown = hasSecret(name.replace(CUT, ''), this.#names) ? CUT : name;
    if (mark < 0) return shown;
    return `${shown};${cutParts(text.slice(mark + 1), ';', (parameter) => this.#cutParameter(parameter))}`;
  }

  /**
   * Cuts the secrets of a query or path parameter. A query value extends to the next `&`, whatever it
   * contains.
   */
  #cutParameter(parameter: string): string {
    const equals = parameter.indexOf('=');
    if (equals < 0) return hasSecret(parameter, this.#names) ? CUT : parameter;
    const name = parameter.slice(0, equals);
    const value = parameter.slice(equals + 1);
    if (value === '') return parameter;
    const isSecret = this.#names.has('query', percentDecoded(name)) || hasSecret(parameter, this.#names);
    return `${hasSecret(name, this.#names) ? CUT : name}=${isSecret ? CUT : value}`;
  }

  /** @param chosen the agreed subprotocol, which is not a secret even after the name of a secret */
  #cutSubprotocols(list: string, chosen: string): string {
    let before = '';
    return list
      .split(',')
      .map((element) => {
        const name = element.trim();
        const isBehindName = before !== '' && this.#names.has('subprotocol', before) && name !== chosen;
        before = name;
        if (name === '') return element;
        return element.replace(name, () => (isBehindName ? CUT : cutSubprotocol(name)));
      })
      .join(',');
  }

  #redact(text: string): string {
    return this.#redaction === null ? text : (this.#redaction.redactText(text) ?? CUT);
  }
}

/** Cuts the secrets of each part, and all parts beyond the limit. */
function cutParts(text: string, separator: string, cutPart: (part: string) => string): string {
  const parts = text.split(separator);
  const shown = parts.slice(0, MAX_PARTS).map(cutPart);
  return (parts.length > MAX_PARTS ? [...shown, CUT] : shown).join(separator);
}

function cutSubprotocol(name: string): string {
  if (name.length > MAX_SUBPROTOCOL_CHARACTERS || looksRandom(name)) return CUT;
  const cut = cutTokens(name, CUT);
  return cut === name ? name.replace(NAMED_SECRET, `$1${CUT}`) : cut;
}

/** Reports whether a name looks random, unlike a subprotocol that a person would choose. */
function looksRandom(name: string): boolean {
  if (!/^[\w~+-]{16,}={0,2}$/.test(name)) return false;
  const digits = name.replaceAll(/\D/g, '').length;
  return digits >= 4 || (digits > 0 && (name.length >= 32 || (/[a-z]/.test(name) && /[A-Z]/.test(name))));
}
