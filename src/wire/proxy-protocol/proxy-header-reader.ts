/** Reads PROXY headers (HAProxy's `proxy-protocol.txt`). Each version has its own signature. */
import { Malformed, type ReadResult } from '../malformed.ts';
import { readProxyBlock } from './proxy-block.ts';
import { PROXY_SIGNATURES, type FoundProxyHeader } from './proxy-header.ts';
import { readProxyLine } from './proxy-line.ts';

/** Reports whether bytes start with a PROXY signature; null if more bytes are needed. */
export function hasProxySignature(bytes: Buffer, start: number, end: number): boolean | null {
  const isLine = match(PROXY_SIGNATURES.v1, bytes, start, end);
  const isBlock = match(PROXY_SIGNATURES.v2, bytes, start, end);
  if (isLine === true || isBlock === true) return true;
  return isLine === null || isBlock === null ? null : false;
}

/**
 * Reads the PROXY header at `start`. Refuses an incomplete header at its first wrong byte. When more bytes
 * arrive, an incomplete header is read again from its start. That is cheap: version 1 has at most 107 bytes,
 * and version 2 is read once it is whole.
 */
export function readProxyHeader(bytes: Buffer, start: number, end: number): ReadResult<FoundProxyHeader> {
  const isLine = match(PROXY_SIGNATURES.v1, bytes, start, end);
  if (isLine === true) return readProxyLine(bytes, start, end);
  const isBlock = match(PROXY_SIGNATURES.v2, bytes, start, end);
  if (isBlock === true) return readProxyBlock(bytes, start, end);
  return isLine === null || isBlock === null ? null : new Malformed('no PROXY header');
}

/** Reports whether bytes start with a signature; null if they are a prefix of it. */
function match(signature: Buffer, bytes: Buffer, start: number, end: number): boolean | null {
  const length = Math.min(signature.length, end - start);
  if (signature.compare(bytes, start, start + length, 0, length) !== 0) return false;
  return length === signature.length ? true : null;
}
