/** Names of secrets in a handshake: of headers, and of parameters in queries and texts. */

/** Where a route takes a credential from: `TokenSource` of the configuration. */
interface SecretSource {
  readonly kind: 'header' | 'cookie' | 'query' | 'subprotocol';
  readonly name: string;
}

/** What a name of a secret has in it, or ends with. Engine.IO and others call a session `sid`. */
const SECRET_PART =
  /token|secret|pass|pwd|auth|sess|credential|signature|cookie|jwt|bearer|assertion|saml|verifier|totp|(?:key|sid)$/;
/** Whole names of secrets. */
const SECRET_NAMES: ReadonlySet<string> = new Set(['sig', 'code', 'pin', 'pw', 'ticket', 'otp']);

/** Says which names are those of secrets. Only their letters, without case, and digits count. */
export class SecretNames {
  readonly #own: Record<SecretSource['kind'], ReadonlySet<string>>;

  /** @param sources further names, which a configuration knows */
  constructor(sources: Iterable<SecretSource>) {
    this.#own = { header: new Set(), cookie: new Set(), query: new Set(), subprotocol: new Set() };
    this.replace(sources);
  }

  /** Replaces the further names, as after a reload. */
  replace(sources: Iterable<SecretSource>): void {
    const all = [...sources];
    for (const kind of ['header', 'cookie', 'query', 'subprotocol'] as const) {
      this.#own[kind] = new Set(all.flatMap((source) => (source.kind === kind ? [plain(source.name)] : [])));
    }
  }

  /** Tells whether the values of a name are secrets. A header's name may begin with `X-`. */
  has(kind: 'header' | 'query' | 'subprotocol', name: string): boolean {
    const bare = plain(name);
    if (SECRET_PART.test(bare) || this.#own[kind].has(bare)) return true;
    return SECRET_NAMES.has(bare) || (kind === 'header' && SECRET_NAMES.has(bare.replace(/^x/, '')));
  }
}

function plain(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
}
