/** Checks the PEM files of a certificate before a configuration names them. */
import { certificateFile, keyFile } from '../../config/schema/certificate.ts';
import { BaseDirectory } from '../../config/syntax/files.ts';
import { FormatError, describe } from '../../config/syntax/formats.ts';
import { StartError } from '../../core/errors.ts';
import type { Certificate } from './edge-plan.ts';

/** Checks files that a person names. Relative paths start at the working directory. */
export interface PemChecks {
  /** @throws StartError if the file has no certificate */
  readonly certificate: (cert: string) => void;
  /** @throws StartError if the file has no key, or the key of another certificate */
  readonly key: (key: string, cert: string) => void;
}

export const PEM_CHECKS: PemChecks = {
  certificate: (cert) => void named('--cert', () => readCertificate(cert)),
  key: (key, cert) => {
    const { leaf } = named('--cert', () => readCertificate(cert));
    named('--key', () => {
      if (leaf.checkPrivateKey(readKey(key).key)) return;
      throw new FormatError(`${describe(key)} is not the key of the certificate ${describe(cert)}`);
    });
  },
};

/**
 * Checks the certificate of `--cert` and the key of `--key`.
 *
 * @throws StartError that names the option
 */
export function checkPair({ cert, key }: Certificate): void {
  if (isSwapped(cert, key)) {
    throw new StartError(`--cert ${cert} has the key, and --key ${key} the certificate: swap them`);
  }
  PEM_CHECKS.key(key, cert);
}

/** A file with both a certificate and a key is in its place. */
function isSwapped(cert: string, key: string): boolean {
  return !works(readCertificate, cert) && works(readKey, cert) && works(readCertificate, key);
}

function works(read: (file: string) => unknown, file: string): boolean {
  try {
    read(file);
    return true;
  } catch {
    return false;
  }
}

function readCertificate(file: string): ReturnType<ReturnType<typeof certificateFile>> {
  return certificateFile(new BaseDirectory('.'))(file);
}

function readKey(file: string): ReturnType<ReturnType<typeof keyFile>> {
  return keyFile(new BaseDirectory('.'))(file);
}

function named<T>(option: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    throw new StartError(`${option}: ${error.message}`, { cause: error });
  }
}
