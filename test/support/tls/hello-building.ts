/** ClientHellos that are made by hand (RFC 8446 section 4.1.2). */

export function vector(lengthBytes: number, content: Buffer): Buffer {
  const length = Buffer.alloc(lengthBytes);
  length.writeUIntBE(content.length, 0, lengthBytes);
  return Buffer.concat([length, content]);
}

export function extension(type: number, data: Buffer): Buffer {
  return Buffer.concat([Buffer.from([type >> 8, type & 0xff]), vector(2, data)]);
}

export function serverName(name: string): Buffer {
  const entry = Buffer.concat([Buffer.from([0]), vector(2, Buffer.from(name, 'latin1'))]);
  return extension(0, vector(2, entry));
}

export function protocolList(...protocols: string[]): Buffer {
  return extension(16, vector(2, Buffer.concat(protocols.map((name) => vector(1, Buffer.from(name))))));
}

/** The body of a hello with an empty session id and one cipher suite. @param extensions null to leave out their length, too */
export function helloBody(extensions: readonly Buffer[] | null): Buffer {
  const parts = [
    Buffer.from([3, 3]),
    Buffer.alloc(32, 0x5a),
    vector(1, Buffer.alloc(0)),
    vector(2, Buffer.from([0x13, 0x01])),
    vector(1, Buffer.from([0])),
  ];
  if (extensions !== null) parts.push(vector(2, Buffer.concat(extensions)));
  return Buffer.concat(parts);
}

/** A handshake message of the type ClientHello. */
export function message(body: Buffer): Buffer {
  return Buffer.concat([Buffer.from([1]), vector(3, body)]);
}

/** Records of the type handshake with at most `size` bytes each. */
export function records(content: Buffer, size = 16 * 1024): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < content.length; at += size)
    parts.push(Buffer.from([22, 3, 1]), vector(2, content.subarray(at, at + size)));
  return Buffer.concat(parts);
}

/** A whole hello in one record. */
export function clientHello(extensions: readonly Buffer[]): Buffer {
  return records(message(helloBody(extensions)));
}
