/** Names of secrets in a handshake: headers, and parameters in queries and text. */

/** A route's source of credentials: `TokenSource` in the configuration. */
interface SecretSource {
  readonly kind: 'header' | 'cookie' | 'query' | 'subprotocol';
  readonly name: string;
}

/** Parts or endings of secret names. Engine.IO and others call a session `sid`. */
const SECRET_PART =
  /token|secret|pass|pwd|auth|sess|credential|signature|cookie|jwt|bearer|assertion|saml|verifier|totp|(?:key|sid)$/;
/** Whole names of secrets. */
const SECRET_NAMES: ReadonlySet<string> = new Set(['sig', 'code', 'pin', 'pw', 'ticket', 'otp']);

/** Classifies names as secret. Compares only letters, ignoring case, and digits. */
export class SecretNames {
  readonly #own: Record<SecretSource['kind'], ReadonlySet<string>>;

  /** @param sources additional names from the configuration */
  constructor(sources: Iterable<SecretSource>) {
    this.#own = { header: new Set(), cookie: new Set(), query: new Set(), subprotocol: new Set() };
    this.replace(sources);
  }

  /** Replaces the additional names, for example after a reload. */
  replace(sources: Iterable<SecretSource>): void {
    const all = [...sources];
    for (const kind of ['header', 'cookie', 'query', 'subprotocol'] as const) {
      this.#own[kind] = new Set(all.flatMap((source) => (source.kind === kind ? [plain(source.name)] : [])));
    }
  }

  /** Reports whether the values of a name are secrets. A header name may start with `X-`. */
  has(kind: 'header' | 'query' | 'subprotocol', name: string): boolean {
    const bare = plain(name);
    if (SECRET_PART.test(bare) || this.#own[kind].has(bare)) return true;
    return SECRET_NAMES.has(bare) || (kind === 'header' && SECRET_NAMES.has(bare.replace(/^x/, '')));
  }
}

function plain(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
}
