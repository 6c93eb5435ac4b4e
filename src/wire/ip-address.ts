import { isIP } from 'node:net';

/**
 * Formats the bytes of an IP address. IPv4 is dotted, also when mapped into IPv6. Other IPv6 addresses follow
 * RFC 5952: lower case, with the longest run of zeros shortened. Returns '' for other lengths, such as a UNIX
 * socket's.
 */
export function formatIp(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join('.');
  if (bytes.length !== 16) return '';
  if (isMapped(bytes)) return bytes.subarray(12).join('.');
  const groups: number[] = [];
  for (let index = 0; index < 16; index += 2) groups.push((bytes[index]! << 8) | bytes[index + 1]!);
  const [start, length] = longestZeros(groups);
  const hex = groups.map((group) => group.toString(16));
  if (length < 2) return hex.join(':');
  return `${hex.slice(0, start).join(':')}::${hex.slice(start + length).join(':')}`;
}

/** Max characters of an address, including its zone. */
const MAX_ADDRESS_CHARACTERS = 64;

/**
 * Normalizes an IP address to the form of {@link formatIp}, so that hash keys, limits and log lines agree.
 * Removes a zone (`%eth0`), which is meaningless on another machine.
 *
 * @returns null if the text is not an address
 */
export function normalizeIp(text: string): string | null {
  if (text.length > MAX_ADDRESS_CHARACTERS) return null;
  const family = isIP(text);
  if (family === 4) return text;
  return family === 6 ? formatIp(bytesOfIpv6(text)) : null;
}

/**
 * Normalizes the address of a socket's end: dual-stack sockets report IPv4 as `::ffff:192.0.2.1`. Other text
 * is returned unchanged, such as '' for an unknown address.
 */
export function ipOfSocket(text: string): string {
  return normalizeIp(text) ?? text;
}

/**
 * Returns the bytes of an IP address: 4 for IPv4, 16 for IPv6, null if the text is not an address. Drops a
 * zone.
 */
export function bytesOfIp(text: string): Uint8Array | null {
  const family = isIP(text);
  if (family === 4) return Uint8Array.from(text.split('.'), Number);
  return family === 6 ? bytesOfIpv6(text) : null;
}

/** @param text a valid IPv6 address */
function bytesOfIpv6(text: string): Uint8Array {
  const zone = text.indexOf('%');
  const [before = '', after = ''] = (zone < 0 ? text : text.slice(0, zone)).split('::', 2);
  const head = bytesOfGroups(before);
  const tail = bytesOfGroups(after);
  const bytes = new Uint8Array(16);
  bytes.set(head);
  bytes.set(tail, 16 - tail.length);
  return bytes;
}

/** @param text groups separated by colons; the last may be a dotted IPv4 address */
function bytesOfGroups(text: string): number[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => {
    if (group.includes('.')) return group.split('.').map(Number);
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 0xff];
  });
}

/**
 * Returns the network whose addresses one client can choose freely: an IPv4 address itself, or the /64 of an
 * IPv6 address.
 *
 * @param address may be mapped (`::ffff:192.0.2.1`) and have a zone (`fe80::1%eth0`)
 */
export function networkOf(address: string): string {
  if (!address.includes(':')) return address;
  const [unzoned = ''] = address.split('%', 1);
  if (unzoned.includes('.')) return unzoned.slice(unzoned.lastIndexOf(':') + 1);
  const [before = '', after] = unzoned.split('::', 2);
  const groups = before === '' ? [] : before.split(':');
  if (after !== undefined) {
    const rest = after === '' ? [] : after.split(':');
    while (groups.length + rest.length < 8) groups.push('0');
    groups.push(...rest);
  }
  const network = groups.slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16));
  return `${network.join(':')}::/64`;
}

function isMapped(bytes: Uint8Array): boolean {
  for (let index = 0; index < 10; index++) if (bytes[index] !== 0) return false;
  return bytes[10] === 0xff && bytes[11] === 0xff;
}

function longestZeros(groups: readonly number[]): readonly [start: number, length: number] {
  let best: readonly [number, number] = [0, 0];
  for (let index = 0; index < groups.length; index++) {
    let end = index;
    while (groups[end] === 0) end++;
    if (end - index > best[1]) best = [index, end - index];
    if (end > index) index = end;
  }
  return best;
}
