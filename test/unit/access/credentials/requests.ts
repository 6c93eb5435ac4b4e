/** Requests for the methods, and services of fakes. */
import type { AccessRequest } from '../../../../src/access/contract/access-request.ts';
import type { CheckOwner, Decision } from '../../../../src/access/contract/credential-method.ts';
import type { Principal } from '../../../../src/access/contract/principal.ts';

interface Shape {
  readonly method?: string;
  readonly path?: string;
  readonly query?: string;
  readonly wantsUpgrade?: boolean;
  /** The path that endpoints get, if it is not the same. */
  readonly normalized?: string;
}

/** A request of the client 192.0.2.7. @param headers name, value, name, value ... */
export function requestWith(headers: readonly string[], shape: Shape = {}): AccessRequest {
  const { method = 'GET', path = '/chat', query = '', wantsUpgrade = false, normalized = path } = shape;
  return {
    head: { method, path, query, headers },
    client: {
      address: '192.0.2.7',
      requestId: 'id',
      proto: 'https',
      secure: true,
      certificate: null,
      vpcEndpointId: null,
      trace: null,
      report: null,
    },
    route: 'route',
    host: 'chat.example.com',
    path: normalized,
    wantsUpgrade,
  };
}

/** Keeps what a check decides. */
export class Decisions implements CheckOwner {
  readonly all: Decision[] = [];

  decided(decision: Decision): void {
    this.all.push(decision);
  }

  get only(): Decision | undefined {
    return this.all.length === 1 ? this.all[0] : undefined;
  }
}

/** Revocations of principals by their names. */
export class FakeRevocations {
  readonly names = new Set<string>();

  isRevoked({ name }: Principal): boolean {
    return this.names.has(name);
  }
}
