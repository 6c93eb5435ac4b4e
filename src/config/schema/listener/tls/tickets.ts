/** Reads the key `tickets` of a listener's TLS: the source of the session ticket keys. */
import { statSync } from 'node:fs';
import { MAX_TICKET_KEYS, TICKET_KEY_BYTES } from '../../../../core/ticket-key-ring.ts';
import { formatByteSize } from '../../../../core/units/byte-size.ts';
import type { BaseDirectory } from '../../../syntax/files.ts';
import { smallFile } from '../../../syntax/files.ts';
import type { Format } from '../../../syntax/formats.ts';
import { FormatError, describe, duration } from '../../../syntax/formats.ts';
import type { Section } from '../../../syntax/section.ts';
import type { TicketSettings } from '../../../types/listener.ts';

const SHAPE = { what: '"tickets"', keys: ['rotate', 'keyFile'] };
const DEFAULT_ROTATE_MS = 12 * 3_600_000;
/** Clients drop tickets of TLS 1.3 after 7 days (RFC 8446 section 4.6.1). */
const ROTATE_MS = { min: 1000, max: 7 * 86_400_000 };
const NAME_BYTES = 16;

/** Reads the optional key. */
export function readTickets(tls: Section, base: BaseDirectory): TicketSettings {
  const section = tls.settings('tickets', SHAPE);
  const rotateMs = section.optional('rotate', duration(ROTATE_MS), DEFAULT_ROTATE_MS);
  if (!section.has('keyFile')) return { kind: 'rotate', rotateMs };
  if (section.has('rotate')) {
    section.problemAt('rotate', 'the keys of keyFile change with the file: leave rotate or keyFile out');
  }
  const file = section.optional<KeyFile | null>('keyFile', keyFile(base), null);
  if (file === null) return { kind: 'rotate', rotateMs };
  warnOfReaders(section, file.path);
  return {
    kind: 'file',
    keyFile: file.path,
    keys: file.keys.map((key) => key.toString('base64')),
  };
}

interface KeyFile {
  /** Absolute. */
  readonly path: string;
  readonly keys: readonly Buffer[];
}

/** Returns the format of a file of ticket keys. Messages never quote it, because it is secret. */
function keyFile(base: BaseDirectory): Format<KeyFile> {
  const read = smallFile(base, 64 * 1024);
  return (value) => {
    const { path, bytes } = read(value);
    const count = bytes.length / TICKET_KEY_BYTES;
    if (!Number.isInteger(count) || count < 1 || count > MAX_TICKET_KEYS) {
      throw new FormatError(
        `${describe(value)} has ${formatByteSize(bytes.length)}, and must have 1 to ${MAX_TICKET_KEYS} keys of ${TICKET_KEY_BYTES} bytes: ` +
          `generate a key with openssl rand ${TICKET_KEY_BYTES}`,
      );
    }
    const keys = Array.from({ length: count }, (_, index) =>
      Buffer.from(bytes.subarray(index * TICKET_KEY_BYTES, (index + 1) * TICKET_KEY_BYTES)),
    );
    for (const [index, key] of keys.entries()) {
      const twin = keys.findIndex((other) => other.compare(key, 0, NAME_BYTES, 0, NAME_BYTES) === 0);
      if (twin === index) continue;
      throw new FormatError(
        `keys ${twin + 1} and ${index + 1} of ${describe(value)} begin with the same ${NAME_BYTES} bytes, which identify a key: ` +
          'leave one out',
      );
    }
    return { path, keys };
  };
}

/** Warns if other users may read the file: the keys decrypt recorded connections that were resumed. */
function warnOfReaders(section: Section, path: string): void {
  const readableByOthers = 0o004;
  try {
    if ((statSync(path).mode & readableByOthers) === 0) return;
  } catch {
    return;
  }
  section.problems.warning(
    [...section.path, 'keyFile'],
    `every user of the machine may read ${describe(section.raw('keyFile'))}, whose keys decrypt recorded connections: ` +
      'run chmod 600 on it',
  );
}
