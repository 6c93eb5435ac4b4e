import type { JwtSettings } from '../../../../../src/config/types/access.ts';
import type { AccessRequest } from '../../../../../src/access/contract/access-request.ts';
import type { AccessServices, KeySet } from '../../../../../src/access/contract/access-services.ts';
import {
  isPending,
  type Decision,
  type PendingCheck,
} from '../../../../../src/access/contract/credential-method.ts';
import type { Principal } from '../../../../../src/access/contract/principal.ts';
import { JwtMethod } from '../../../../../src/access/credentials/jwt/jwt-method.ts';
import { createLogger } from '../../../../../src/telemetry/primary-logger.ts';
import { NOW_SECONDS } from './issuer.ts';

const SETTINGS: Omit<JwtSettings, 'keys'> = {
  algorithms: ['ES256'],
  issuers: ['https://id.example.com'],
  audiences: ['chat'],
  from: [{ kind: 'header', name: 'authorization' }],
  requiredClaims: new Map(),
  forward: new Map(),
  atExpiry: 'close',
  graceMs: 0,
  leewayMs: 30_000,
};

/** A request for a WebSocket with some header lines: name, value, name, value ... */
export function requestOf(headers: readonly string[], query = ''): AccessRequest {
  return {
    head: { method: 'GET', path: '/chat', query, headers },
    client: {
      address: '192.0.2.1',
      requestId: 'r',
      proto: 'https',
      secure: true,
      certificate: null,
      vpcEndpointId: null,
      trace: null,
      report: null,
    },
    route: 'chat',
    host: 'chat.example.com',
    path: '/',
    wantsUpgrade: true,
  };
}

/** A worker's services as a method sees them. */
export class MethodRig {
  readonly services: AccessServices;
  nowMs = NOW_SECONDS * 1000;
  /** Times that Node was given a turn. */
  turns = 0;
  readonly sets = new Map<string, KeySet>();
  /** Waiting answers of {@link refresh}, by URL. */
  readonly refreshes: { readonly url: string; readonly done: () => void }[] = [];
  readonly revoked = new Set<string>();

  constructor() {
    const refresh = (url: string, done: () => void): (() => void) => {
      const entry = { url, done };
      this.refreshes.push(entry);
      return () => void this.refreshes.splice(this.refreshes.indexOf(entry), 1);
    };
    this.services = {
      log: createLogger({ level: 'silent' }, { write: () => undefined }),
      now: () => this.nowMs,
      yieldToNode: () => {
        this.turns++;
      },
      passwords: { verify: () => () => undefined },
      keySets: { of: (url) => this.sets.get(url) ?? null, refresh },
      revocations: { isRevoked: ({ name }: Principal) => this.revoked.has(name) },
    };
  }

  /** Makes a method with the keys of a file. */
  method(jwks: string, changes: Partial<JwtSettings> = {}): JwtMethod {
    return this.methodOf({ keys: { kind: 'file', file: '/etc/jwks.json', jwks }, ...changes });
  }

  /** Makes a method with the keys of a URL. */
  remote(url: string, changes: Partial<JwtSettings> = {}): JwtMethod {
    return this.methodOf({ keys: { kind: 'url', url }, ...changes });
  }

  private methodOf(changes: Partial<JwtSettings> & Pick<JwtSettings, 'keys'>): JwtMethod {
    return new JwtMethod({ ...SETTINGS, ...changes }, this.services);
  }
}

/** A request with a token in its Authorization header. */
export function bearer(token: string): AccessRequest {
  return requestOf(['host', 'chat.example.com', 'authorization', `Bearer ${token}`]);
}

/** A check, decided or not. */
export interface Begun {
  /** Null if it was decided at once. */
  readonly pending: PendingCheck | null;
  readonly decision: Promise<Decision>;
}

/** Begins a check. */
export function begin(method: JwtMethod, request: AccessRequest): Begun {
  const { promise, resolve } = Promise.withResolvers<Decision>();
  const result = method.check(request, { decided: resolve });
  if (!isPending(result)) resolve(result);
  return { pending: isPending(result) ? result : null, decision: promise };
}

/** Decides about a request. */
export function decide(method: JwtMethod, request: AccessRequest): Promise<Decision> {
  return begin(method, request).decision;
}

/** Describes a decision in one word: the principal's name, or the reason of the refusal. */
export function outcome(decision: Decision): string {
  return decision.granted ? (decision.principal?.name ?? '') : decision.reason;
}
