import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Paths of PEM files. `both` holds the certificate and the key. */
export interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
  readonly both: string;
}

/**
 * Creates a key and a certificate for localhost, valid for two days. Replaces existing ones in the directory.
 */
export function makeCertificate(directory: string): CertificateFiles {
  mkdirSync(directory, { mode: 0o755, recursive: true });
  const cert = join(directory, 'cert.pem');
  const key = join(directory, 'key.pem');
  const both = join(directory, 'both.pem');
  const args =
    'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost ' +
    '-addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout';
  execFileSync('openssl', [...args.split(' '), key, '-out', cert], { stdio: 'pipe', timeout: 30_000 });
  writeFileSync(both, readFileSync(cert, 'utf8') + readFileSync(key, 'utf8'));
  // Proxies that start as root read these files as another user.
  for (const file of [key, both]) chmodSync(file, 0o644);
  return { cert, key, both };
}
