import { isIPv4, isIPv6 } from 'node:net';
import { normalizeIp } from '../ip-address.ts';
import { Malformed, type ReadResult } from '../malformed.ts';
import type { AddressAndPort, FoundProxyHeader } from './proxy-header.ts';

/** Max bytes of the line, including its end. */
const MAX_LINE_BYTES = 107;
/** Length of the signature, which precedes the protocol. */
const PROTOCOL_START = 6;
const PROTOCOLS = ['TCP4 ', 'TCP6 ', 'UNKNOWN ', 'UNKNOWN\r'];
const LONGEST_PROTOCOL = 8;
const PORT = /^(?:0|[1-9]\d{0,4})$/;

const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const COLON = 0x3a;
const DOT = 0x2e;

/** Number of address fields, and index of the last field, in a TCP line. */
const ADDRESSES = 2;
const LAST_FIELD = 3;

/**
 * Reads version 1 of a PROXY header: one line, after its signature. Refuses everything that the specification
 * forbids: bare CR or LF, repeated spaces, leading zeros, an address of the other family.
 */
export function readProxyLine(bytes: Buffer, start: number, end: number): ReadResult<FoundProxyHeader> {
  const limit = Math.min(end, start + MAX_LINE_BYTES);
  const at = start + PROTOCOL_START;
  const text = bytes.toString('latin1', at, Math.min(limit, at + LONGEST_PROTOCOL));
  const protocol = PROTOCOLS.find((name) => text.startsWith(name));
  const result =
    protocol === undefined
      ? protocolProblem(text)
      : protocol.startsWith('TCP')
        ? readFields(bytes, start, limit, protocol === 'TCP4 ' ? isIPv4 : isIPv6)
        : skipLine(bytes, at, start, limit);
  if (result === null && limit - start === MAX_LINE_BYTES) return new Malformed('PROXY line over 107 bytes');
  return result;
}

function protocolProblem(text: string): Malformed | null {
  return PROTOCOLS.some((name) => name.startsWith(text))
    ? null
    : new Malformed('unknown protocol in the PROXY line');
}

/** Finds the end of a line whose fields are ignored. */
function skipLine(bytes: Buffer, from: number, start: number, limit: number): ReadResult<FoundProxyHeader> {
  for (let at = from; at < limit; at++) {
    if (bytes[at] === LF) return badLineEnd();
    if (bytes[at] === CR) return lineEnd(bytes, start, at, limit, null, null);
  }
  return null;
}

/** Reads two addresses and two ports. */
function readFields(
  bytes: Buffer,
  start: number,
  limit: number,
  isAddress: (text: string) => boolean,
): ReadResult<FoundProxyHeader> {
  const fields: string[] = [];
  let from = start + PROTOCOL_START + PROTOCOLS[0]!.length;
  for (let at = from; at < limit; at++) {
    const byte = bytes[at]!;
    const isInAddress = fields.length < ADDRESSES;
    if (isInAddress ? isAddressByte(byte) : isDigit(byte)) continue;
    if (byte !== (fields.length === LAST_FIELD ? CR : SPACE))
      return byte === CR || byte === LF ? badLineEnd() : badField(isInAddress);
    const text = bytes.toString('latin1', from, at);
    if (isInAddress ? !isAddress(text) : !isPort(text)) return badField(isInAddress);
    fields.push(text);
    from = at + 1;
    if (byte !== CR) continue;
    const [source = '', destination = '', sourcePort, destinationPort] = fields;
    return lineEnd(bytes, start, at, limit, endOf(source, sourcePort), endOf(destination, destinationPort));
  }
  return null;
}

/** Checks for the LF after a CR. @param at offset of the CR */
function lineEnd(
  bytes: Buffer,
  start: number,
  at: number,
  limit: number,
  source: AddressAndPort | null,
  destination: AddressAndPort | null,
): ReadResult<FoundProxyHeader> {
  if (at + 1 === limit) return null;
  if (bytes[at + 1] !== LF) return badLineEnd();
  const header = { source, destination, serverName: null, vpcEndpointId: null };
  return { header, length: at + 2 - start };
}

function endOf(address: string, port: string | undefined): AddressAndPort {
  return { address: normalizeIp(address) ?? address, port: Number(port) };
}

function badLineEnd(): Malformed {
  return new Malformed('bad end of the PROXY line');
}

function badField(isAddress: boolean): Malformed {
  return new Malformed(isAddress ? 'bad address in the PROXY line' : 'bad port in the PROXY line');
}

function isPort(text: string): boolean {
  return PORT.test(text) && Number(text) <= 65535;
}

function isAddressByte(byte: number): boolean {
  return isDigit(byte) || byte === COLON || byte === DOT || ((byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x66);
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}
