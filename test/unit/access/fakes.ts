/** Requests, methods and limits as the check of access sees them. */
import type { AccessRequest } from '../../../src/access/contract/access-request.ts';
import type {
  CheckOwner,
  CredentialMethod,
  Decision,
  Granted,
  PendingCheck,
} from '../../../src/access/contract/credential-method.ts';
import type {
  LimitGuard,
  LimitGuards,
  LimitHolds,
  LimitRefusal,
  LimitStage,
} from '../../../src/access/contract/limit-guard.ts';
import type { Principal } from '../../../src/access/contract/principal.ts';
import type { ClientIdentity } from '../../../src/wire/forwarding/client-identity.ts';

export const CLIENT: ClientIdentity = {
  address: '192.0.2.7',
  requestId: 'id-1',
  proto: 'https',
  secure: true,
  certificate: null,
  vpcEndpointId: null,
  trace: null,
  report: null,
};

export function requestOf(changes: Partial<AccessRequest> = {}): AccessRequest {
  return {
    head: { method: 'GET', path: '/', query: '', headers: ['host', 'example.com'] },
    client: CLIENT,
    route: 'all',
    host: 'example.com',
    path: '/',
    wantsUpgrade: true,
    ...changes,
  };
}

export function principalOf(name: string, changes: Partial<Principal> = {}): Principal {
  return { kind: 'jwt', name, issuedAt: null, expiresAt: Infinity, claims: null, ...changes };
}

export function granted(changes: Partial<Granted> = {}): Granted {
  return { granted: true, principal: null, forwarded: [], head: null, subprotocol: null, ...changes };
}

export const WRONG: Decision = {
  granted: false,
  status: 401,
  reason: 'bad_password',
  detail: 'wrong password',
  headers: [['WWW-Authenticate', 'Basic realm="a"']],
  body: null,
};

/** A method that decides as it is told, at once or when {@link decide} is called. */
export class FakeMethod implements CredentialMethod, PendingCheck {
  readonly asked: AccessRequest[] = [];
  cancelled = 0;
  readonly #decision: Decision | 'later';
  #owner: CheckOwner | null = null;

  constructor(decision: Decision | 'later') {
    this.#decision = decision;
  }

  check(request: AccessRequest, owner: CheckOwner): Decision | PendingCheck {
    this.asked.push(request);
    this.#owner = owner;
    return this.#decision === 'later' ? this : this.#decision;
  }

  cancel(): void {
    this.cancelled++;
  }

  decide(decision: Decision): void {
    this.#owner!.decided(decision);
  }
}

export const TOO_MANY: LimitRefusal = {
  limit: 'address',
  kind: 'handshakes',
  status: 429,
  detail: 'too many handshakes',
  headers: [['Retry-After', '1']],
};

/** Limits that note what they are asked, and refuse at one stage. */
export class FakeLimits implements LimitGuard {
  readonly entered: string[] = [];
  held = 0;
  readonly #refusesAt: LimitStage | null;

  constructor(refusesAt: LimitStage | null = null) {
    this.#refusesAt = refusesAt;
  }

  open(): LimitHolds {
    let isReleased = false;
    return {
      meter: null,
      release: () => {
        if (!isReleased) this.held = 0;
        isReleased = true;
      },
    };
  }

  enter(stage: LimitStage, _request: AccessRequest, principal: Principal | null): LimitRefusal | null {
    this.entered.push(`${stage} ${principal === null ? '-' : principal.name}`);
    if (stage === this.#refusesAt) return TOO_MANY;
    this.held++;
    return null;
  }

  enterConnection(address: string): LimitRefusal | null {
    this.entered.push(`connection ${address}`);
    if (this.#refusesAt === 'address') return TOO_MANY;
    this.held++;
    return null;
  }
}

/** Guards that make one and the same for every listener; null for none. */
export function guardsOf(guard: LimitGuard | null): LimitGuards {
  return { guardFor: () => guard };
}
