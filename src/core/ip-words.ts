/** Scratch: groups of the IPv6 address being parsed. */
const groups = new Uint16Array(8);

/**
 * Parses an IP address into four 32-bit words, most significant first. An IPv4 address becomes its
 * IPv4-mapped IPv6 address (`::ffff:192.0.2.1`). Text with a zone (`%eth0`) is not an address. Allocates
 * nothing.
 *
 * @param words receives the address; undefined content if the text is not an address
 * @returns whether the text is an address
 */
export function readIp(text: string, words: Uint32Array): boolean {
  if (text.includes(':')) return readIpv6(text, words);
  const value = readDotted(text, 0, text.length);
  words[0] = words[1] = 0;
  words[2] = 0xffff;
  words[3] = value;
  return value >= 0;
}

/** Parses the dotted IPv4 address `text[start, end)`. Returns -1 if it is invalid. */
function readDotted(text: string, start: number, end: number): number {
  let address = 0;
  let numbers = 0;
  let value = 0;
  let digits = 0;
  for (let at = start; at <= end; at++) {
    const code = at === end ? 0x2e : text.charCodeAt(at);
    if (code === 0x2e) {
      if (digits === 0 || value > 255) return -1;
      address = address * 256 + value;
      numbers++;
      value = digits = 0;
      continue;
    }
    // Leading zeros are invalid, because some programs read them as octal.
    const isDigit = code >= 0x30 && code <= 0x39;
    if (!isDigit || digits === 3 || (digits > 0 && value === 0)) return -1;
    value = value * 10 + code - 0x30;
    digits++;
  }
  return numbers === 4 ? address : -1;
}

function readIpv6(text: string, words: Uint32Array): boolean {
  const end = text.length;
  let count = 0;
  /** Number of groups before `::`; -1 without it. */
  let before = -1;
  let at = 0;
  if (text.startsWith('::')) {
    before = 0;
    at = 2;
  }
  while (at < end) {
    if (count === 8) return false;
    const start = at;
    let value = 0;
    let digit = 0;
    while (at < end && (digit = hexDigit(text.charCodeAt(at))) >= 0) {
      if (at - start === 4) return false;
      value = value * 16 + digit;
      at++;
    }
    if (at < end && text.charCodeAt(at) === 0x2e) {
      const address = readDotted(text, start, end);
      if (address < 0 || count > 6) return false;
      groups[count++] = address >>> 16;
      groups[count++] = address & 0xffff;
      break;
    }
    if (at === start) return false;
    groups[count++] = value;
    if (at === end) break;
    if (text.charCodeAt(at++) !== 0x3a || at === end) return false;
    if (text.charCodeAt(at) === 0x3a) {
      if (before >= 0) return false;
      before = count;
      at++;
    }
  }
  if (before < 0 ? count !== 8 : count === 8) return false;
  const tail = before < 0 ? 0 : count - before;
  const head = count - tail;
  for (let word = 0; word < 4; word++) {
    words[word] = (groupAt(2 * word, head, tail) << 16) | groupAt(2 * word + 1, head, tail);
  }
  return true;
}

/**
 * Returns the group at an index of the whole address.
 *
 * @param head number of groups before `::`
 * @param tail number of groups after it
 */
function groupAt(index: number, head: number, tail: number): number {
  if (index < head) return groups[index]!;
  return index < 8 - tail ? 0 : groups[head + index - (8 - tail)]!;
}

/** Returns the value of a hexadecimal digit; -1 for other characters. */
function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}
