import { X509Certificate } from 'node:crypto';
import type { Certificate } from '../config/types/listener.ts';
import { ServerNames } from './server-names.ts';

/**
 * Chooses what serves a server name: a context of TLS with the certificates of the name, one of each kind of key, so that
 * clients which know only one kind are served, too.
 */
export class CertificateChoice<T> {
  readonly #default: T;
  readonly #names: ServerNames<T>;

  /**
   * @param certificates one or more. The first answers clients whose server name fits none, together with those of another
   *   kind of key that have all of its names
   * @param make makes what serves certificates of different kinds of keys
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
   * A certificate's wildcard stands for one label (RFC 6125 section 6.4.3).
   *
   * @param serverName as a `ClientHello` has it
   */
  of(serverName: string | null): T {
    return this.#names.find(serverName, 'one') ?? this.#default;
  }
}

/** The kind of a certificate's public key: OpenSSL serves one certificate of each. */
function kindOfKey({ certPem }: Certificate): string {
  return new X509Certificate(certPem).publicKey.asymmetricKeyType ?? '';
}
