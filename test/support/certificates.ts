/** Certificates made with openssl for one test, valid for two days. */
import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Absolute paths of PEM files. */
export interface IssuedCertificate {
  readonly cert: string;
  readonly key: string;
}

export interface IssueOptions {
  readonly keyType?: 'ec' | 'rsa';
  /** Whether it ended yesterday. */
  readonly isExpired?: boolean;
}

const NEW_KEY = {
  ec: ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'],
  rsa: ['-newkey', 'rsa:2048'],
} as const;
/** What `openssl ca` needs to sign a list of revoked certificates. */
const CA_SETTINGS = `
[ca]
default_ca = authority
[authority]
database = index.txt
default_md = sha256
default_crl_days = 2
`;

/** An authority in a temporary directory. */
export class CertificateAuthority {
  readonly #directory = mkdtempSync(join(tmpdir(), 'sluice-certificates-'));
  /** Path of the authority's own certificate. */
  readonly file = join(this.#directory, 'ca.pem');
  readonly #key = join(this.#directory, 'ca.key');
  readonly #revoked: IssuedCertificate[] = [];

  /** @param issuer the authority above; null for a root */
  constructor(name = 'sluice test authority', issuer: CertificateAuthority | null = null) {
    this.#request(name, this.#key, this.file, 'ec', [
      ...(issuer === null ? [] : issuer.#signature),
      ...['-addext', 'basicConstraints=critical,CA:TRUE'],
    ]);
  }

  /** The authority's own certificate as PEM text. */
  get pem(): string {
    return readFileSync(this.file, 'utf8');
  }

  /** A certificate for these names, as openssl writes them: `DNS:a.example`, `IP:127.0.0.1`. */
  issue(commonName: string, names: readonly string[], options: IssueOptions = {}): IssuedCertificate {
    const cert = join(this.#directory, `${commonName}.pem`);
    const key = join(this.#directory, `${commonName}.key`);
    this.#request(commonName, key, cert, options.keyType ?? 'ec', [
      ...this.#signature,
      ...['-addext', 'basicConstraints=critical,CA:FALSE'],
      ...['-addext', `subjectAltName=${names.join(',')}`],
    ]);
    if (options.isExpired === true) this.#expire(commonName, cert, key);
    return { cert, key };
  }

  /** Revokes a certificate. The next {@link revocations} has it. */
  revoke(certificate: IssuedCertificate): void {
    this.#revoked.push(certificate);
  }

  /** Signs a list of all revoked certificates, and returns the path of its PEM file. */
  revocations(): string {
    const lines = this.#revoked.map(({ cert }) => {
      const { serialNumber } = new X509Certificate(readFileSync(cert));
      return `R\t400101000000Z\t240101000000Z\t${serialNumber}\tunknown\t/CN=revoked\n`;
    });
    writeFileSync(join(this.#directory, 'index.txt'), lines.join(''));
    writeFileSync(join(this.#directory, 'ca.cnf'), CA_SETTINGS);
    const list = join(this.#directory, 'crl.pem');
    const args = ['-keyfile', this.#key, '-cert', this.file, '-gencrl', '-out', list];
    openssl(['ca', '-config', 'ca.cnf', ...args], this.#directory);
    return list;
  }

  remove(): void {
    rmSync(this.#directory, { recursive: true, force: true });
  }

  /** Replaces a certificate by one that has ended. Only `x509` takes a negative number of days. */
  #expire(commonName: string, cert: string, key: string): void {
    const request = join(this.#directory, 'request.pem');
    openssl(['req', '-new', '-key', key, '-subj', `/CN=${commonName}`, '-out', request]);
    openssl(['x509', '-req', '-in', request, '-days', '-1', ...this.#signature, '-out', cert]);
  }

  get #signature(): readonly string[] {
    return ['-CA', this.file, '-CAkey', this.#key];
  }

  #request(
    commonName: string,
    key: string,
    cert: string,
    keyType: 'ec' | 'rsa',
    more: readonly string[],
  ): void {
    openssl([
      ...['req', '-x509', '-days', '2', '-subj', `/CN=${commonName}`, '-nodes'],
      ...NEW_KEY[keyType],
      ...['-keyout', key, '-out', cert],
      ...more,
    ]);
  }
}

function openssl(args: readonly string[], directory?: string): void {
  execFileSync('openssl', args, { stdio: 'pipe', timeout: 30_000, cwd: directory });
}
