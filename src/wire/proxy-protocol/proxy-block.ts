import { formatIp } from '../ip-address.ts';
import { Malformed, type ReadResult } from '../malformed.ts';
import { MAX_SERVER_NAME_BYTES, readServerName } from '../server-name.ts';
import { checksumOfHeader } from './crc32c.ts';
import { AUTHORITY, type FoundProxyHeader, type ProxyHeader } from './proxy-header.ts';

/**
 * Max bytes of a header. Proxies send fewer than 600, unless they add the client's certificate
 * (PP2_SUBTYPE_SSL_CLIENT_CERT), which HAProxy does on demand.
 */
const MAX_HEADER_BYTES = 4096;
/** Bytes before the addresses: signature, version and command, family and protocol, length. */
const FIXED_BYTES = 16;
const COMMAND = 12;
const FAMILY = 13;
const LENGTH = 14;

const VERSION_2 = 0x20;
const LOCAL = 0;
const PROXY = 1;

const UNSPECIFIED = 0;
const INET = 1;
const INET6 = 2;
const UNIX = 3;
/** Bytes of both addresses and ports, by family. The content of an unspecified family is unknown. */
const ADDRESS_BYTES = [0, 12, 36, 216];

const STREAM = 1;
const DATAGRAM = 2;

/** Bytes of a field's type and length. */
const FIELD_HEAD_BYTES = 3;
const CRC32C = 0x03;
const CRC32C_BYTES = 4;
/** PP2_TYPE_AWS. The first byte of the value is a subtype. */
const AWS = 0xea;
const AWS_VPC_ENDPOINT_ID = 0x01;
const VPC_ENDPOINT_ID = /^[\w-]{1,64}$/;

const NOTHING: ProxyHeader = { source: null, destination: null, serverName: null, vpcEndpointId: null };

/**
 * Reads version 2 of a PROXY header, after its signature. Skips a header for the proxy's own connection
 * (LOCAL), and one without an address family. Addresses count only for streams. Unused fields are skipped.
 */
export function readProxyBlock(bytes: Buffer, start: number, end: number): ReadResult<FoundProxyHeader> {
  const available = end - start;
  if (available <= COMMAND) return null;
  const command = bytes[start + COMMAND]! ^ VERSION_2;
  if (command > PROXY) return new Malformed('unknown version or command in the PROXY header');
  if (available <= FAMILY) return null;
  const family = bytes[start + FAMILY]! >> 4;
  const protocol = bytes[start + FAMILY]! & 0x0f;
  const isLocal = command === LOCAL;
  if (!isLocal && (family > UNIX || protocol > DATAGRAM))
    return new Malformed('unknown family or protocol in the PROXY header');
  if (available < FIXED_BYTES) return null;
  const length = FIXED_BYTES + bytes.readUInt16BE(start + LENGTH);
  if (length > MAX_HEADER_BYTES) return new Malformed('PROXY header over 4096 bytes');
  const fields = FIXED_BYTES + (isLocal ? 0 : ADDRESS_BYTES[family]!);
  if (length < fields) return new Malformed('PROXY header too short for its addresses');
  if (available < length) return null;
  if (isLocal || family === UNSPECIFIED) return { header: NOTHING, length };
  const found = readFields(bytes, start, start + fields, start + length);
  if (found instanceof Malformed) return found;
  const size = protocol !== STREAM ? 0 : family === INET ? 4 : family === INET6 ? 16 : 0;
  const at = start + FIXED_BYTES;
  const ports = at + 2 * size;
  const addressOf = (which: 0 | 1): ProxyHeader['source'] =>
    size === 0
      ? null
      : {
          address: formatIp(bytes.subarray(at + which * size, at + which * size + size)),
          port: bytes.readUInt16BE(ports + 2 * which),
        };
  return { header: { source: addressOf(0), destination: addressOf(1), ...found }, length };
}

/**
 * Reads the fields after the addresses (section 2.2: type, length, value). The first field of a type wins.
 */
function readFields(
  bytes: Buffer,
  start: number,
  from: number,
  end: number,
): Malformed | Pick<ProxyHeader, 'serverName' | 'vpcEndpointId'> {
  let serverName: string | null = null;
  let vpcEndpointId: string | null = null;
  for (let at = from; at < end;) {
    const value = at + FIELD_HEAD_BYTES;
    const next = value > end ? value : value + bytes.readUInt16BE(at + 1);
    if (next > end) return new Malformed('field past the end of the PROXY header');
    switch (bytes[at]!) {
      case AUTHORITY:
        if (next - value > MAX_SERVER_NAME_BYTES) return new Malformed('server name over 255 bytes');
        serverName ??= readServerName(bytes, value, next);
        break;
      case CRC32C:
        if (
          next - value !== CRC32C_BYTES ||
          bytes.readUInt32BE(value) !== checksumOfHeader(bytes, start, end, value)
        )
          return new Malformed('wrong checksum of the PROXY header');
        break;
      case AWS:
        if (next > value && bytes[value] === AWS_VPC_ENDPOINT_ID)
          vpcEndpointId ??= vpcEndpointIdOf(bytes.toString('latin1', value + 1, next));
        break;
    }
    at = next;
  }
  return { serverName, vpcEndpointId };
}

function vpcEndpointIdOf(text: string): string | null {
  return VPC_ENDPOINT_ID.test(text) ? text : null;
}
