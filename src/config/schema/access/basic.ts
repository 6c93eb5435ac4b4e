/** Reads the key `basic` of access: users and passwords of an htpasswd file. */
import type { BaseDirectory } from '../../syntax/files.ts';
import { pattern } from '../../syntax/formats.ts';
import type { Section } from '../../syntax/section.ts';
import type { BasicSettings } from '../../types/access.ts';
import { htpasswd } from './htpasswd.ts';
import type { PasswordFile } from './htpasswd.ts';

const SHAPE = { what: '"basic"', keys: ['file', 'realm'], short: 'file' };
const DEFAULT_REALM = 'restricted';

/** A realm (RFC 9110 section 11.5), which is sent in quotes. */
const realm = pattern(
  /^(?! )[ !#-[\]-~]{1,128}$/,
  'a realm',
  'write up to 128 visible ASCII characters, without quotes and backslashes',
);

/** Reads the key. Returns null if its file is invalid. */
export function readBasic(access: Section, base: BaseDirectory): BasicSettings | null {
  const section = access.section('basic', SHAPE);
  if (section === null) return null;
  const file = section.required<PasswordFile | null>('file', htpasswd(base), null);
  const name = section.optional('realm', realm, DEFAULT_REALM);
  return file === null ? null : { file: file.path, users: file.users, realm: name };
}
