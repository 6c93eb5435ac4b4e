/** Certificates made with openssl for one test, valid for two days. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Absolute paths of PEM files. */
export interface IssuedCertificate {
  readonly cert: string;
  readonly key: string;
}

/** An authority in a temporary directory. */
export class CertificateAuthority {
  readonly #directory = mkdtempSync(join(tmpdir(), 'sluice-certificates-'));
  /** Path of the authority's own certificate. */
  readonly file = join(this.#directory, 'ca.pem');
  readonly #key = join(this.#directory, 'ca.key');

  constructor() {
    this.#openssl('sluice test authority', this.#key, this.file, [
      ...['-addext', 'basicConstraints=critical,CA:TRUE'],
    ]);
  }

  /** The authority's own certificate as PEM text. */
  get pem(): string {
    return readFileSync(this.file, 'utf8');
  }

  /** A certificate for these names, as openssl writes them: `DNS:a.example`, `IP:127.0.0.1`. */
  issue(commonName: string, names: readonly string[]): IssuedCertificate {
    const cert = join(this.#directory, `${commonName}.pem`);
    const key = join(this.#directory, `${commonName}.key`);
    this.#openssl(commonName, key, cert, [
      ...['-CA', this.file, '-CAkey', this.#key],
      ...['-addext', 'basicConstraints=critical,CA:FALSE'],
      ...['-addext', `subjectAltName=${names.join(',')}`],
    ]);
    return { cert, key };
  }

  remove(): void {
    rmSync(this.#directory, { recursive: true, force: true });
  }

  #openssl(commonName: string, key: string, cert: string, more: readonly string[]): void {
    const args = [
      ...['req', '-x509', '-days', '2', '-subj', `/CN=${commonName}`],
      ...[
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:prime256v1',
        '-nodes',
        '-keyout',
        key,
        '-out',
        cert,
      ],
      ...more,
    ];
    execFileSync('openssl', args, { stdio: 'pipe', timeout: 30_000 });
  }
}
