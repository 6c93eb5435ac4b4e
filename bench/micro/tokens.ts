import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import type { AccessRequest } from '../../src/access/contract/access-request.ts';
import type { AccessServices } from '../../src/access/contract/access-services.ts';
import { isPending } from '../../src/access/contract/credential-method.ts';
import { JwtMethod } from '../../src/access/credentials/jwt/jwt-method.ts';
import type { JwtSettings } from '../../src/config/types/access.ts';
import { createLogger } from '../../src/telemetry/primary-logger.ts';
import type { MicroCase } from './micro-case.ts';

const SERVICES: AccessServices = {
  log: createLogger({ level: 'silent' }, { write: () => undefined }),
  now: () => Date.now(),
  yieldToNode: () => undefined,
  passwords: { verify: () => () => undefined },
  keySets: { of: () => null, refresh: () => () => undefined },
  revocations: { isRevoked: () => false },
};
const SETTINGS: Omit<JwtSettings, 'keys'> = {
  algorithms: ['ES256'],
  issuers: ['https://id.example.com'],
  audiences: ['chat'],
  from: [
    { kind: 'header', name: 'authorization' },
    { kind: 'cookie', name: 'session' },
    { kind: 'query', name: 'token' },
  ],
  requiredClaims: new Map([['role', ['user', 'admin']]]),
  forward: new Map([['x-user', 'sub']]),
  atExpiry: 'close',
  graceMs: 0,
  leewayMs: 30_000,
};

const ready = await prepare();

/** Checks a token that has been verified before. */
export default function cases(): MicroCase[] {
  const { method, request } = ready;
  const owner = { decided: () => undefined };
  return [{ name: 'verified ES256 token', run: () => method.check(request, owner) }];
}

async function prepare(): Promise<{ method: JwtMethod; request: AccessRequest }> {
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
  const jwks = JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: 'key' }] });
  const method = new JwtMethod({ ...SETTINGS, keys: { kind: 'file', file: 'jwks.json', jwks } }, SERVICES);
  const token = await new SignJWT({
    iss: 'https://id.example.com',
    aud: 'chat',
    sub: 'alice',
    role: ['user'],
  })
    .setExpirationTime('1h')
    .setIssuedAt()
    .setProtectedHeader({ alg: 'ES256', kid: 'key' })
    .sign(privateKey);
  const request = requestOf(token);
  await new Promise<void>((settle) => {
    const result = method.check(request, { decided: () => settle() });
    if (!isPending(result)) throw new Error('the token was decided at once');
  });
  const again = method.check(request, { decided: () => undefined });
  if (isPending(again) || !again.granted) throw new Error('the token was not accepted');
  return { method, request };
}

function requestOf(token: string): AccessRequest {
  const headers = [
    ...['host', 'chat.example.com', 'upgrade', 'websocket', 'connection', 'Upgrade'],
    ...['sec-websocket-version', '13', 'sec-websocket-key', 'dGhlIHNhbXBsZSBub25jZQ=='],
    ...['user-agent', 'Mozilla/5.0', 'authorization', `Bearer ${token}`],
  ];
  const client = {
    address: '192.0.2.1',
    requestId: 'request',
    proto: 'https',
    secure: true,
    certificate: null,
    vpcEndpointId: null,
    trace: null,
    report: null,
  } as const;
  const head = { method: 'GET', path: '/chat', query: '', headers };
  return { head, client, route: 'chat', host: 'chat.example.com', path: '/chat', wantsUpgrade: true };
}
