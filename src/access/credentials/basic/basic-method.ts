import type { BasicSettings } from '../../../config/types/access.ts';
import { toByteText } from '../../../core/byte-text.ts';
import type { AccessRequest } from '../../contract/access-request.ts';
import type { AccessServices } from '../../contract/access-services.ts';
import type {
  AccessRefusalReason,
  CheckOwner,
  CredentialMethod,
  Decision,
  PendingCheck,
} from '../../contract/credential-method.ts';
import type { Principal } from '../../contract/principal.ts';
import { readCredentials } from './basic-credentials.ts';
import { slowestOf } from './hash-cost.ts';

/** Retry-After of a client whose password did not fit into the queue. */
const RETRY_AFTER_SECONDS = 5;

type Services = Pick<AccessServices, 'passwords' | 'revocations'>;

/** Basic authentication (RFC 7617) with an htpasswd file. */
export class BasicMethod implements CredentialMethod {
  readonly #users: ReadonlyMap<string, string>;
  /**
   * Compared with the passwords of unknown users, so that response times do not reveal which users exist. The
   * slowest hash of the file. Null without users.
   */
  readonly #decoy: string | null;
  readonly #challenge: readonly [name: string, value: string];
  readonly #services: Services;

  constructor({ users, realm }: BasicSettings, services: Services) {
    this.#users = users;
    this.#decoy = slowestOf(users.values());
    const quoted = toByteText(realm).replace(/["\\]/g, '\\$&');
    this.#challenge = ['WWW-Authenticate', `Basic realm="${quoted}", charset="UTF-8"`];
    this.#services = services;
  }

  check({ head, client }: AccessRequest, owner: CheckOwner): Decision | PendingCheck {
    const credentials = readCredentials(head);
    if (credentials === undefined) return this.#unauthorized('no_credential', 'a password is required');
    if (credentials === null) return this.#unauthorized('no_credential', 'the password is malformed');
    const { user, password } = credentials;
    const own = this.#users.get(user);
    const hash = own ?? this.#decoy;
    if (hash === null) return this.#decide(user, false);
    const result = this.#services.passwords.verify({ hash, password, client: client.address }, (matches) => {
      owner.decided(this.#decide(user, matches === null ? null : matches && own !== undefined));
    });
    if (typeof result === 'boolean') return this.#decide(user, result && own !== undefined);
    return { cancel: result };
  }

  /** @param matches null if the password could not be verified */
  #decide(user: string, matches: boolean | null): Decision {
    if (matches === null) return busy();
    if (!matches) return this.#unauthorized('bad_password', 'wrong user or password');
    const principal: Principal = {
      kind: 'basic',
      name: user,
      issuedAt: null,
      expiresAt: Infinity,
      claims: null,
    };
    if (this.#services.revocations.isRevoked(principal)) return this.#unauthorized('revoked', 'revoked');
    return { granted: true, principal, forwarded: [], head: null, subprotocol: null };
  }

  #unauthorized(reason: AccessRefusalReason, detail: string): Decision {
    return { granted: false, status: 401, reason, detail, headers: [this.#challenge], body: null };
  }
}

function busy(): Decision {
  return {
    granted: false,
    status: 503,
    reason: 'password_queue',
    detail: 'too many passwords are waiting',
    headers: [['Retry-After', String(RETRY_AFTER_SECONDS)]],
    body: null,
  };
}
