import { X509Certificate } from 'node:crypto';
import type { Certificate } from '../config/types/listener.ts';
import { ServerNames } from './server-names.ts';

/**
 * Chooses the TLS context for a server name. A context holds one certificate per type of key, so that clients
 * limited to one type are served, too.
 */
export class CertificateChoice<T> {
  readonly #default: T;
  readonly #names: ServerNames<T>;

  /**
   * @param certificates one or more. The first is for clients whose server name matches none, along with
   * certificates of other key types that cover all of its names
   * @param make creates a context from certificates with different types of keys
   */
  constructor(certificates: readonly Certificate[], make: (certificates: readonly Certificate[]) => T) {
    const kinds = new Map(certificates.map((certificate) => [certificate, kindOfKey(certificate)]));
    const made = new Map<string, T>();
    const serve = (candidates: readonly Certificate[]): T => {
      const chosen = candidates.filter(
        (candidate, index) =>
          candidates.findIndex((other) => kinds.get(other) === kinds.get(candidate)) === index,
      );
      const key = chosen.map((certificate) => certificates.indexOf(certificate)).join();
      let value = made.get(key);
      if (value === undefined) made.set(key, (value = make(chosen)));
      return value;
    };
    const [first] = certificates;
    if (first === undefined) throw new Error('no certificate');
    const own = first.serverNames;
    this.#default = serve(
      certificates.filter(
        (other) =>
          other === first || (own.length > 0 && own.every((name) => other.serverNames.includes(name))),
      ),
    );
    const byName = new Map<string, Certificate[]>();
    for (const certificate of certificates) {
      for (const name of new Set(certificate.serverNames)) {
        const having = byName.get(name);
        if (having === undefined) byName.set(name, [certificate]);
        else having.push(certificate);
      }
    }
    this.#names = new ServerNames([...byName].map(([name, having]) => [name, serve(having)]));
  }

  /**
   * Returns the context for a server name. A certificate's wildcard matches one label (RFC 6125 section
   * 6.4.3).
   *
   * @param serverName in the form of `ClientHello`
   */
  of(serverName: string | null): T {
    return this.#names.find(serverName, 'one') ?? this.#default;
  }
}

/** Returns the type of a certificate's public key. OpenSSL serves one certificate per type. */
function kindOfKey({ certPem }: Certificate): string {
  return new X509Certificate(certPem).publicKey.asymmetricKeyType ?? '';
}
