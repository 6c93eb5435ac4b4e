/** Makes text safe for logs and terminals: clients and endpoints choose some of it. */

const UNPRINTABLE = /[^\x20-\x7e\n]/;
const EACH_UNPRINTABLE = /[^\x20-\x7e\n]/g;
/** An escape of {@link printable}. */
const ESCAPE = /\\u([0-9a-f]{4})/g;
/** A JSON escape, or an unprintable character that JSON does not escape. */
const JSON_ESCAPE = /\\(?:u[0-9a-fA-F]{4}|.)|[^\x20-\x7e\n]/g;

/**
 * Escapes everything except visible ASCII, spaces and newlines. Control characters control a terminal, and
 * others hide or reverse nearby text. JSON lines stay JSON with the same meaning.
 */
export function printable(text: string): string {
  return UNPRINTABLE.test(text) ? text.replace(EACH_UNPRINTABLE, escaped) : text;
}

/** Reverses {@link printable}, for a name copied from a terminal. */
export function readPrintable(text: string): string {
  return text.replace(ESCAPE, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
}

/** Changes JSON lines so that their decoded texts are {@link printable}, except for newlines and tabs. */
export function printableOnceParsed(lines: string): string {
  return lines.replace(JSON_ESCAPE, (found) => {
    if (!found.startsWith('\\')) return `\\${escaped(found)}`;
    switch (found.charAt(1)) {
      case 'u': {
        const code = Number.parseInt(found.slice(2), 16);
        return code >= 0x20 && code <= 0x7e ? found : `\\${found}`;
      }
      case 'b':
      case 'f':
      case 'r':
        return `\\${found}`;
      default:
        return found;
    }
  });
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
