/** An identity provider: it publishes its keys as a JSON Web Key Set, and signs tokens with the newest. */
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK, type JWTPayload } from 'jose';
import type { RequestListener } from 'node:http';
import { HttpEndpoint } from './http-endpoint.ts';

interface SigningKey {
  readonly name: string;
  readonly jwk: JWK;
  readonly secret: CryptoKey;
}

export class TokenIssuer {
  /** Answers of the key set so far. */
  fetches = 0;
  /** Whether the key set is answered with 503. */
  isDown = false;
  readonly #server: HttpEndpoint;
  readonly #keys: SigningKey[];
  #made = 1;

  private constructor(server: HttpEndpoint, first: SigningKey) {
    this.#server = server;
    this.#keys = [first];
  }

  static async listen(): Promise<TokenIssuer> {
    const first = await makeKey('key-1');
    const holder: { issuer?: TokenIssuer } = {};
    const server = await HttpEndpoint.listen((request, response) =>
      holder.issuer!.#answer(request, response),
    );
    return (holder.issuer = new TokenIssuer(server, first));
  }

  get keysUrl(): string {
    return `http://${this.#server.address}/keys`;
  }

  /** Publishes another key and signs with it from now on. Earlier keys stay published. */
  async rotate(): Promise<void> {
    this.#keys.push(await makeKey(`key-${++this.#made}`));
  }

  /** Publishes another key and forgets the others: their tokens count no more. */
  async replace(): Promise<void> {
    this.#keys.splice(0, Infinity, await makeKey(`key-${++this.#made}`));
  }

  /** Signs a token that lives for 10 minutes. */
  token(subject: string, claims: JWTPayload = {}): Promise<string> {
    const { name, secret } = this.#keys.at(-1)!;
    const now = Math.floor(Date.now() / 1000);
    return new SignJWT({ iss: 'https://id.example.com', aud: 'chat', iat: now, exp: now + 600, ...claims })
      .setSubject(subject)
      .setProtectedHeader({ alg: 'ES256', kid: name })
      .sign(secret);
  }

  close(): void {
    this.#server.close();
  }

  readonly #answer: RequestListener = (_request, response) => {
    this.fetches++;
    if (this.isDown) response.writeHead(503).end();
    else response.end(JSON.stringify({ keys: this.#keys.map(({ jwk }) => jwk) }));
  };
}

async function makeKey(name: string): Promise<SigningKey> {
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
  return { name, jwk: { ...(await exportJWK(publicKey)), kid: name }, secret: privateKey };
}
